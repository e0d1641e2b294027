"""Lists of stored values, made without loading any: what a stage that is mapped over a list hands on."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stagebook.store.blobs import Store
from stagebook.store.manifests import put_bundle
from stagebook.store.references import ValueRef, entangled


def gather(
    elements: Sequence[Mapping[str, ValueRef]], store: Store, *, names: Iterable[str] | None = None
) -> dict[str, ValueRef]:
    """For each name, the stored list of its values in the elements, in their order.

    Names that share an object within an element share it in the lists; no two elements share any.

    Args:
        elements: the stored values of each element, by name.
        store: where they are, and where the lists are kept.
        names: the names to gather. All that every element has where it is None; names that an element lacks are left
            out, and without elements each list is empty.
    """
    wanted = set(names) if names is not None else {name for element in elements for name in element}
    common = sorted(name for name in wanted if all(name in element for element in elements))
    refs: dict[str, ValueRef] = {}
    for group in entangled({name: _places(name, elements) for name in common}):
        lists = {name: [_Element(position, one[name]) for position, one in enumerate(elements)] for name in group}
        bundles = {one[name].bundle for one in elements for name in group}
        bundle = put_bundle(store, _pickled(lists), bundles=bundles)
        modules = tuple(sorted({module for one in elements for name in group for module in one[name].modules}))
        refs |= {name: ValueRef(bundle, name, tuple(group), "list", modules) for name in group}
    return refs


@dataclass(frozen=True, slots=True)
class _Element:
    """A place in a gathered list, and the value that stands there."""

    position: int
    ref: ValueRef


class _Pickler(pickle.Pickler):
    def persistent_id(self, part: Any) -> tuple[Any, ...] | None:
        """What the unpickler of `values` resolves by loading the value."""
        return ("element", part.position, part.ref.bundle, part.ref.name) if isinstance(part, _Element) else None


def _pickled(lists: Mapping[str, list[_Element]]) -> bytes:
    stream = io.BytesIO()
    _Pickler(stream, protocol=5).dump(lists)
    return stream.getvalue()


def _places(name: str, elements: Sequence[Mapping[str, ValueRef]]) -> set[tuple[int, str]]:
    """In each element, the bundle that the name is in."""
    return {(position, element[name].bundle) for position, element in enumerate(elements)}
