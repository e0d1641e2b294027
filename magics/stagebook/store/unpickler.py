"""Reading bundles: their signature and their digest are checked before anything is unpickled."""

from __future__ import annotations

import importlib
import io
import pickle
from collections.abc import Callable, Iterable
from typing import Any

from stagebook.errors import UnsignedBlobError
from stagebook.registry import plugin
from stagebook.store.blobs import Store
from stagebook.store.manifests import Manifest, manifest

_MAKERS = frozenset({"_make_function", "_make_skeleton_class", "_make_skeleton_enum", "_lru_cached"})
"""The functions that pickles call to make functions and classes."""


def load_bundle(bundle: str, store: Store, namespace: dict[str, Any]) -> dict[str, Any]:
    """All values of a bundle.

    The notebook's functions and classes that they are made of go into the namespace under their names, where nothing
    has these: whoever pickles such a value looks for them there.
    """
    made: list[Any] = []
    values = _loaded(bundle, store, namespace, made)
    for name, definition in _by_name(made).items():
        namespace.setdefault(name, definition)
    return values


def _loaded(bundle: str, store: Store, namespace: dict[str, Any], made: list[Any]) -> dict[str, Any]:
    needs = manifest(store, bundle)
    values: dict[str, Any] = _Unpickler(io.BytesIO(store.get(bundle)), store, namespace, needs, made).load()
    return values


def _by_name(made: Iterable[Any]) -> dict[str, Any]:
    """Of functions and classes, those that a cell defines under a name that no other of them has."""
    found: dict[str, dict[int, Any]] = {}
    wrapped = {id(getattr(one, "__wrapped__", None)) for one in made}
    for one in made:
        name = str(one.__qualname__)
        if one.__module__ == "__main__" and name.isidentifier() and id(one) not in wrapped:
            found.setdefault(name, {})[id(one)] = one
    return {name: next(iter(those.values())) for name, those in found.items() if len(those) == 1}


class _Unpickler(pickle.Unpickler):
    """Reads a bundle, and nothing that its manifest does not name.

    Args:
        stream: the bundle.
        store: where its parts are.
        namespace: the notebook's globals.
        needs: its manifest.
        made: gets the functions and classes that are made anew.
    """

    def __init__(
        self, stream: io.BytesIO, store: Store, namespace: dict[str, Any], needs: Manifest, made: list[Any]
    ) -> None:
        super().__init__(stream)
        self._store = store
        self._namespace = namespace
        self._needs = needs
        self._made_anew = made
        self._parts: dict[int, Any] = {}
        self._elements: dict[tuple[int, str], dict[str, Any]] = {}

    def find_class(self, module: str, name: str, /) -> Any:
        """As pickle has it; what makes functions and classes is listened to."""
        found = super().find_class(module, name)
        return self._noting(found) if name in _MAKERS else found

    def _noting(self, make: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            made = make(*arguments)
            self._made_anew.append(made)
            return made

        return noted

    def persistent_load(self, reference: Any) -> Any:
        """What `Pickler.persistent_id` put a reference for."""
        kind, *rest = reference
        if kind == "namespace":
            return self._namespace
        if kind == "setup":
            return self._namespace[rest[0]]
        if kind == "module":
            return vars(importlib.import_module(*rest))
        if kind == "element":
            return self._element(*rest)
        number, *how = rest
        if number not in self._parts:
            self._parts[number] = self._made(kind, *how)
        return self._parts[number]

    def _made(self, kind: str, how: Any, content: Any) -> Any:
        if kind == "set":
            return how(content)
        if content not in self._needs.parts:
            raise UnsignedBlobError(f"The blob {content} in the store {self._store.shown} is in no signed manifest.")
        codec = plugin("codec", how)
        if hasattr(codec, "read_from"):
            return codec.read_from(self._store.verified_memory(content))
        return codec.read(self._store.verified_path(content))

    def _element(self, position: int, bundle: str, name: str) -> Any:
        """A value that another bundle holds, each place in a gathered list with objects of its own."""
        if bundle not in self._needs.bundles:
            raise UnsignedBlobError(f"The blob {bundle} in the store {self._store.shown} is in no signed manifest.")
        if (position, bundle) not in self._elements:
            self._elements[position, bundle] = _loaded(bundle, self._store, self._namespace, self._made_anew)
        return self._elements[position, bundle][name]
