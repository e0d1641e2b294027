"""Values as blobs: a bundle is one pickle of the names whose objects are entangled, its big parts blobs of their own.

Names that share an object (`b = a`, a frame that is also in a list) go into one bundle, so that they share it again
when they are loaded. Functions of the notebook find their globals in the namespace they are loaded into, as if they had
been defined there.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stagebook.registry import names, plugin
from stagebook.store.blobs import Store
from stagebook.store.contents import ContentPickler
from stagebook.store.digests import digest_of
from stagebook.store.pickler import CannotStoreError, Pickler


@dataclass(frozen=True, slots=True)
class ValueRef:
    """A stored value: the bundle it is in, and what to tell a person of it.

    Attributes:
        bundle: digest of the bundle's pickle.
        name: the value's name in the bundle.
        members: all names in the bundle.
        type: the value's type, as it is called in Python.
    """

    bundle: str
    name: str
    members: tuple[str, ...]
    type: str

    def to_json(self) -> dict[str, Any]:
        """For a record."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ValueRef:
        """From a record."""
        return cls(record["bundle"], record["name"], tuple(record["members"]), record["type"])

    @property
    def content(self) -> str:
        """What identifies the value: equal for equal content."""
        return f"{self.bundle}#{self.name}"


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of the values that were to be kept: references, and per value that cannot be stored, why."""

    refs: Mapping[str, ValueRef]
    unstorable: Mapping[str, str]


def keep(values: Mapping[str, Any], store: Store, *, namespace: dict[str, Any], setup: Mapping[int, str]) -> Kept:
    """Store the values.

    Args:
        values: by name.
        store: where to.
        namespace: the notebook's globals; functions keep no copy of them.
        setup: id and name of functions and classes that setup defines: they are referred to, not stored.
    """
    parts = _Parts(store)
    pickles: dict[str, tuple[bytes, Pickler]] = {}
    unstorable = {}
    for name, value in values.items():
        try:
            pickles[name] = _pickled({name: value}, parts, namespace, setup)
        except CannotStoreError as error:
            unstorable[name] = str(error)
    refs = {}
    for group in _entangled({name: pickler.shared for name, (_, pickler) in pickles.items()}):
        if len(group) == 1:
            content = pickles[group[0]][0]
        else:
            content, _ = _pickled({name: values[name] for name in group}, parts, namespace, setup)
        bundle = store.put(content)
        for name in group:
            refs[name] = ValueRef(bundle, name, tuple(group), type(values[name]).__qualname__)
    return Kept(refs, unstorable)


def load(refs: Iterable[ValueRef], store: Store, *, namespace: dict[str, Any]) -> dict[str, Any]:
    """The values of all names in the bundles that these are in.

    Raises:
        CorruptBlobError: a blob is missing or damaged.
    """
    refs = list(refs)
    values: dict[str, Any] = {}
    for bundle in sorted({ref.bundle for ref in refs}):
        loaded = _Unpickler(io.BytesIO(store.get(bundle)), store, namespace).load()
        wanted = {ref.name for ref in refs if ref.bundle == bundle}
        values |= {name: value for name, value in loaded.items() if name in wanted}
    return values


def value_digest(value: Any, *, namespace: dict[str, Any], setup: Mapping[int, str]) -> str | None:
    """A digest that changes when `value` is changed in place, and only then; None for what cannot be stored."""
    stream = io.BytesIO()
    buffers: list[pickle.PickleBuffer] = []
    pickler = ContentPickler(stream, namespace=namespace, setup=setup, buffer_callback=buffers.append)
    try:
        pickler.dump_value(value)
    except CannotStoreError:
        return None
    return digest_of(stream.getbuffer(), *(buffer.raw() for buffer in buffers))


class _Parts:
    """Keeps the parts of values that a codec handles in files of their own, each object once.

    Args:
        store: where to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._codecs = [plugin("codec", name) for name in names("codec")]
        self._of_type: dict[type, Any] = {}
        self._written: dict[int, tuple[Any, tuple[str, str] | None]] = {}

    def __call__(self, part: Any, kind: type) -> tuple[str, str] | None:
        """Codec and digest of a part; None for one that goes into the pickle."""
        if kind not in self._of_type:
            self._of_type[kind] = next((codec for codec in self._codecs if codec.handles(kind)), None)
        codec = self._of_type[kind]
        if codec is None:
            return None
        if id(part) not in self._written:
            digest = self._store.put_file(lambda path: bool(codec.write(part, path)))
            reference = None if digest is None else (codec.name, digest)
            self._written[id(part)] = (part, reference)  # the part is held, so that its id stays its own
        return self._written[id(part)][1]


def _pickled(value: Any, parts: _Parts, namespace: dict[str, Any], setup: Mapping[int, str]) -> tuple[bytes, Pickler]:
    stream = io.BytesIO()
    pickler = Pickler(stream, namespace=namespace, setup=setup, external=parts)
    pickler.dump_value(value)
    return stream.getvalue(), pickler


def _entangled(shared: Mapping[str, Mapping[int, Any]]) -> list[list[str]]:
    """The names in groups that share an object, directly or through a third."""
    groups: list[tuple[list[str], set[int]]] = []
    for name, objects in shared.items():
        members, ids = [name], set(objects)
        apart = []
        for others, other_ids in groups:
            if ids & other_ids:
                members, ids = others + members, other_ids | ids
            else:
                apart.append((others, other_ids))
        groups = [*apart, (members, ids)]
    return [sorted(members) for members, _ in groups]


class _Unpickler(pickle.Unpickler):
    """Reads a bundle that this store wrote and whose digest was checked."""

    def __init__(self, stream: io.BytesIO, store: Store, namespace: dict[str, Any]) -> None:
        super().__init__(stream)
        self._store = store
        self._namespace = namespace
        self._parts: dict[int, Any] = {}

    def persistent_load(self, reference: Any) -> Any:
        """What `Pickler.persistent_id` put a reference for."""
        kind, *rest = reference
        if kind == "namespace":
            return self._namespace
        if kind == "setup":
            return self._namespace[rest[0]]
        number, *how = rest
        if number not in self._parts:
            self._parts[number] = self._made(kind, *how)
        return self._parts[number]

    def _made(self, kind: str, how: Any, content: Any) -> Any:
        if kind == "set":
            return how(content)
        return plugin("codec", how).read(self._store.verified_path(content))
