"""The pickler behind stored values: cloudpickle, with big parts, setup's definitions and the namespace by reference."""

from __future__ import annotations

import io
import mmap
import pickle
import re
import socket
import subprocess
import threading
import types
import typing
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cloudpickle  # noqa: TID253 - only the kernel's side of a run imports this file, and it needs it at once

from stagebook.errors import StagebookError
from stagebook.store.definitions import (
    is_by_value,
    is_named,
    name_class,
    name_type_variable,
    reduce_definition,
    state_of_class,
)
from stagebook.store.digests import digest_of
from stagebook.store.sharing import belongings_of_type, is_worth_sharing, reduce_pandas

_DERIVED = ("__slotnames__", "__static_attributes__", "__firstlineno__")
"""In a class's namespace, but no part of what it is: what pickle (the first) and Python 3.13 work out about it."""

_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented)})
_PROCESS_BOUND: Mapping[type, str] = {
    types.GeneratorType: "generator",
    types.CoroutineType: "coroutine",
    types.AsyncGeneratorType: "asynchronous generator",
    socket.socket: "open socket",
    io.IOBase: "open file",
    type(threading.Lock()): "lock",
    type(threading.RLock()): "lock",
    threading.Thread: "thread",
    subprocess.Popen: "process",
    mmap.mmap: "memory map",
    memoryview: "memoryview",
    weakref.ref: "weak reference",
}
_IN_MEMORY = (io.BytesIO, io.StringIO)

External = Callable[[Any, type], "tuple[str, str] | None"]


class CannotStoreError(Exception):
    """A value, or a part of it, lives and dies with its process."""


@dataclass(slots=True)
class _Classes:
    """Classes met that are pickled with their definition, and the objects that make these up."""

    seen: dict[int, type] = field(default_factory=dict)
    parts: dict[int, Any] = field(default_factory=dict)


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """Pickles a notebook's values.

    Args:
        stream: where to.
        namespace: the notebook's globals.
        setup: id and name of what setup defines.
        external: gives codec and digest of a part that is kept outside of the pickle, or None.
        buffer_callback: as for `pickle.Pickler`.

    Attributes:
        shared: by id, the objects met that another name could hold too and change.
    """

    def __init__(
        self,
        stream: io.BytesIO,
        *,
        namespace: dict[str, Any],
        setup: Mapping[int, str],
        external: External | None = None,
        buffer_callback: Callable[[pickle.PickleBuffer], Any] | None = None,
    ) -> None:
        super().__init__(stream, protocol=5, buffer_callback=buffer_callback)
        self.shared: dict[int, Any] = {}
        self._namespace = namespace
        self._setup = setup
        self._external = external
        self._numbers: dict[int, tuple[int, Any]] = {}
        self._classes = _Classes()
        self._bound: str | None = None

    def dump_value(self, value: Any) -> None:
        """Pickle `value`.

        Raises:
            CannotStoreError: it holds a part that cannot leave the process; the message names the part's kind.
            StoreError: the store cannot be written.
        """
        try:
            self.dump(value)
        except StagebookError:
            raise
        except Exception as error:  # a value's own __reduce__ may raise anything at all
            raise CannotStoreError(self._bound or _cause(error)) from error

    def persistent_id(self, part: Any) -> tuple[Any, ...] | None:
        """The reference that stands for `part` in the pickle, or None to pickle it in place."""
        kind = type(part)
        if kind in _ATOMS:
            return None
        if id(part) in self._setup:
            return ("setup", self._setup[id(part)])
        if part is self._namespace:
            return ("namespace",)
        self._refuse_process_bound(part)
        if isinstance(part, type):
            self._study(part)
        elif isinstance(part, typing.TypeVar):
            name_type_variable(part)
        else:
            self._note_if_shared(part, kind)
        if kind in (set, frozenset) and _is_of_texts(part):
            return ("set", self._number(part), kind, sorted(part, key=_type_and_text))
        reference = self._external(part, kind) if self._external is not None else None
        return None if reference is None else ("blob", self._number(part), *reference)

    def reducer_override(self, part: Any) -> Any:
        """How to make `part` anew; NotImplemented where pickle knows."""
        reduced = reduce_definition(part) or reduce_pandas(part)
        if reduced is not None:
            return reduced
        reduced = super().reducer_override(part)
        if isinstance(part, type) and isinstance(reduced, tuple) and len(reduced) > 2:
            for derived in _DERIVED:
                reduced[2][0].pop(derived, None)
        return reduced

    def _number(self, part: Any) -> int:
        """The same number for the same object, which is held so that its id stays its own."""
        return self._numbers.setdefault(id(part), (len(self._numbers), part))[0]

    def _refuse_process_bound(self, part: Any) -> None:
        if isinstance(part, tuple(_PROCESS_BOUND)) and not isinstance(part, _IN_MEMORY):
            self._bound = next(called for kind, called in _PROCESS_BOUND.items() if isinstance(part, kind))
            raise CannotStoreError(self._bound)

    def _note_if_shared(self, part: Any, kind: type) -> None:
        self._classes.parts |= {id(own): own for own in belongings_of_type(part, kind)}
        of_notebook = getattr(part, "__globals__", None) is self._namespace
        if id(part) not in self._classes.parts and (of_notebook or is_worth_sharing(part, kind)):
            self.shared[id(part)] = part

    def _study(self, kind: type) -> None:
        """Pickle a class's definition on its own: for its id, and to tell its parts from those of its instances."""
        if id(kind) in self._classes.seen or not is_by_value(kind):
            return
        self._classes.seen[id(kind)] = kind
        stream = io.BytesIO()
        alone = Pickler(stream, namespace=self._namespace, setup=self._setup)
        alone._classes = self._classes

        def digest() -> str:
            alone.dump_value(kind)
            return digest_of(stream.getbuffer())

        try:
            digest() if is_named(kind) else name_class(kind, digest)
        except CannotStoreError as error:
            self._bound = str(error)
            raise
        for part in (part for seen in self._classes.seen.values() for part in state_of_class(seen)):
            alone.shared.pop(id(part), None)
        self._classes.parts |= alone.shared

    def _dynamic_function_reduce(self, function: types.FunctionType) -> tuple[Any, ...]:
        """As cloudpickle does it, but with the notebook's own globals and closure in place of copies of them."""
        make, (code, of_module, *rest_of_arguments, _), (state, slots), *rest = super()._dynamic_function_reduce(
            function
        )
        slots = {**slots, "__closure__": None}
        if function.__globals__ is self._namespace:
            of_module = self._namespace
            slots["__globals__"] = {}
        arguments = (code, of_module, *rest_of_arguments, function.__closure__)
        return (make, arguments, (state, slots), *rest)


def _is_of_texts(elements: set[Any] | frozenset[Any]) -> bool:
    """Whether the set's order differs from process to process, as texts' hashes do, and can be settled by sorting."""
    kinds = {type(element) for element in elements}
    return not kinds.isdisjoint({str, bytes}) and kinds <= _ATOMS


def _type_and_text(element: Any) -> tuple[str, str]:
    return (type(element).__name__, repr(element))


def _cause(error: Exception) -> str:
    """What could not be pickled, in a few words."""
    message = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    named = re.search(r"cannot pickle '?([\w.]+)'? object", message)
    return named[1] if named else message
