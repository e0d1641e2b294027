"""Values as blobs: a bundle is one pickle of the names whose objects are entangled, its big parts blobs of their own.

Names that share an object (`b = a`, a frame that is also in a list) go into one bundle, so that they share it again
when they are loaded. Functions of the notebook find their globals in the namespace they are loaded into, as if they had
been defined there.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stagebook.registry import names, plugin
from stagebook.store.blobs import Store
from stagebook.store.contents import ContentPickler
from stagebook.store.manifests import put_bundle
from stagebook.store.memory import Block, block_around, blocks_of
from stagebook.store.pickler import CannotStoreError, Pickler
from stagebook.store.references import ValueRef, entangled
from stagebook.store.snapshots import Snapshot
from stagebook.store.unpickler import load_bundle

__all__ = ["Kept", "ValueRef", "keep", "load", "value_digest"]

_Blocks = Mapping[int, list[Block]]


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the values that were to be kept: references, and per value that cannot be stored, why.

    Attributes:
        refs: to the values.
        unstorable: why, by name.
        tied: of values that share an object with others beside them, references to all of these together.
    """

    refs: Mapping[str, ValueRef]
    unstorable: Mapping[str, str]
    tied: Mapping[str, ValueRef] = field(default_factory=dict)


def keep(
    values: Mapping[str, Any],
    store: Store,
    *,
    namespace: dict[str, Any],
    setup: Mapping[int, str],
    beside: Mapping[str, Any] | None = None,
) -> Kept:
    """Store the values.

    Args:
        values: by name.
        store: where to.
        namespace: the notebook's globals; functions keep no copy of them.
        setup: id and name of functions and classes that setup defines: they are referred to, not stored.
        beside: other values by name, kept where they share an object with one of `values`, together with it.
    """
    parts = _Parts(store)
    pickles: dict[str, tuple[bytes, Pickler, set[str]]] = {}
    unstorable = {}
    for name, value in values.items():
        try:
            pickles[name] = _pickled({name: value}, parts, namespace, setup)
        except CannotStoreError as error:
            unstorable[name] = str(error)
    blocks = blocks_of(array for _, pickler, _ in pickles.values() for array in pickler.arrays.values())
    shared = {name: {**pickler.shared, **_lies_in(pickler, blocks)} for name, (_, pickler, _) in pickles.items()}
    refs: dict[str, ValueRef] = {}
    for group in entangled(shared):
        content, pickler, used = pickles[group[0]]
        if len(group) > 1 or pickler.unfinished or _lies_in(pickler, blocks):
            content, pickler, used = _pickled({name: values[name] for name in group}, parts, namespace, setup, blocks)
        refs |= _references(group, values, put_bundle(store, content, parts=used), pickler)
    storable = {name: value for name, value in values.items() if name in refs}
    tied = _keep_tied(storable, beside or {}, parts, namespace, setup) if any(shared.values()) or blocks else {}
    return Kept(refs, unstorable, tied)


def _keep_tied(
    values: Mapping[str, Any],
    beside: Mapping[str, Any],
    parts: _Parts,
    namespace: dict[str, Any],
    setup: Mapping[int, str],
) -> dict[str, ValueRef]:
    """Keep what is beside the values and shares an object with one, with that one."""
    both = {**beside, **values}
    looks: dict[str, Pickler] = {}
    for name, value in both.items() if beside else ():
        with contextlib.suppress(CannotStoreError):
            looks[name] = _looked_at({name: value}, parts, namespace, setup)
    blocks = blocks_of(array for pickler in looks.values() for array in pickler.arrays.values())
    shared = {name: {**pickler.shared, **_lies_in(pickler, blocks)} for name, pickler in looks.items()}
    tied: dict[str, ValueRef] = {}
    for group in entangled(shared):
        if not values.keys().isdisjoint(group) and not beside.keys().isdisjoint(group):
            content, pickler, used = _pickled({name: both[name] for name in group}, parts, namespace, setup, blocks)
            tied |= _references(group, both, put_bundle(parts.store, content, parts=used), pickler)
    return tied


def _references(group: list[str], values: Mapping[str, Any], bundle: str, pickler: Pickler) -> dict[str, ValueRef]:
    members, modules = tuple(group), tuple(sorted(pickler.modules))
    return {name: ValueRef(bundle, name, members, type(values[name]).__qualname__, modules) for name in group}


def load(refs: Iterable[ValueRef], store: Store, *, namespace: dict[str, Any]) -> dict[str, Any]:
    """The values of all names in the bundles that these are in.

    Raises:
        CorruptBlobError: a blob is missing or damaged.
        UnsignedBlobError: a bundle was not signed with this user's key; nothing of it was loaded.
    """
    refs = list(refs)
    values: dict[str, Any] = {}
    of_classes = {ref.bundle for ref in refs if ref.type in _CLASSES}  # last, as each sets the state of its classes
    for bundle in sorted({ref.bundle for ref in refs}, key=lambda bundle: (bundle in of_classes, bundle)):
        loaded = load_bundle(bundle, store, namespace)
        wanted = {ref.name for ref in refs if ref.bundle == bundle}
        values |= {name: value for name, value in loaded.items() if name in wanted}
    return values


def snapshot(value: Any, *, namespace: dict[str, Any], setup: Mapping[int, str]) -> Snapshot | None:
    """What `value` is now, to tell later whether it was changed in place; None for what cannot be stored."""
    pickler = ContentPickler(namespace=namespace, setup=setup)
    try:
        pickler.dump_value(value)
    except CannotStoreError:
        return None
    return pickler.snapshot()


def value_digest(value: Any, *, namespace: dict[str, Any], setup: Mapping[int, str]) -> str | None:
    """A digest that changes when `value` is changed in place, and only then; None for what cannot be stored."""
    found = snapshot(value, namespace=namespace, setup=setup)
    return None if found is None else found.digest()


_CLASSES = frozenset({"ABCMeta", "type"})


class _Parts:
    """Keeps the parts of values that a codec handles in files of their own, each object once.

    Args:
        store: where to.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._codecs = [plugin("codec", name) for name in names("codec")]
        self._of_type: dict[type, Any] = {}
        self._written: dict[int, tuple[Any, tuple[str, str] | None]] = {}

    def look(self, _: Any, kind: type) -> tuple[str, str] | None:
        """A stand-in for what `__call__` would give, without writing anything."""
        return ("", "") if self._codec(kind) is not None else None

    def _codec(self, kind: type) -> Any:
        if kind not in self._of_type:
            self._of_type[kind] = next((codec for codec in self._codecs if codec.handles(kind)), None)
        return self._of_type[kind]

    def __call__(self, part: Any, kind: type) -> tuple[str, str] | None:
        """Codec and digest of a part; None for one that goes into the pickle."""
        codec = self._codec(kind)
        if codec is None:
            return None
        if id(part) not in self._written:
            digest = self._put(codec, part)
            reference = None if digest is None else (codec.name, digest)
            self._written[id(part)] = (part, reference)  # the part is held, so that its id stays its own
        return self._written[id(part)][1]

    def _put(self, codec: Any, part: Any) -> str | None:
        if hasattr(codec, "write_to"):
            return self.store.put_stream(lambda sink: bool(codec.write_to(part, sink)))
        return self.store.put_file(lambda path: bool(codec.write(part, path)))


def _pickled(
    value: Any, parts: _Parts, namespace: dict[str, Any], setup: Mapping[int, str], blocks: _Blocks | None = None
) -> tuple[bytes, Pickler, set[str]]:
    """The pickle, its pickler, and the digests of the parts that it refers to."""
    stream = io.BytesIO()
    used = set()

    def external(part: Any, kind: type) -> tuple[str, str] | None:
        reference = parts(part, kind)
        if reference is not None:
            used.add(reference[1])
        return reference

    pickler = Pickler(stream, namespace=namespace, setup=setup, external=external, blocks=blocks)
    pickler.dump_value(value)
    return stream.getvalue(), pickler, used


def _looked_at(value: Any, parts: _Parts, namespace: dict[str, Any], setup: Mapping[int, str]) -> Pickler:
    """A pickler that has been through `value`, for the objects that it has met; nothing is written."""
    pickler = Pickler(io.BytesIO(), namespace=namespace, setup=setup, external=parts.look)
    pickler.dump_value(value)
    return pickler


def _lies_in(pickler: Pickler, blocks: _Blocks) -> dict[int, Block]:
    """The memory that arrays in the pickle share with others, by id."""
    if not blocks:
        return {}
    found = (block_around(array, blocks) for array in pickler.arrays.values())
    return {id(block): block for block in found if block is not None}
