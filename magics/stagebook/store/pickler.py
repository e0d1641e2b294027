"""The pickler behind stored values: cloudpickle, with big parts, setup's definitions and the namespace by reference."""

from __future__ import annotations

import io
import mmap
import pickle
import re
import socket
import subprocess
import sys
import tempfile
import threading
import types
import typing
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cloudpickle  # noqa: TID253 - only the kernel's side of a run imports this file, and it needs it at once

from stagebook.errors import StagebookError
from stagebook.store.arrays import is_array, is_made_from_another, reduce_array
from stagebook.store.definitions import (
    holds_results,
    is_by_value,
    is_named,
    made_quietly,
    name_class,
    name_type_variable,
    reduce_definition,
    state_of_class,
)
from stagebook.store.digests import digest_of
from stagebook.store.memory import Block, owner_of
from stagebook.store.sharing import arrays_of_pandas, belongings_of_type, is_worth_sharing, reduce_pandas
from stagebook.store.tensors import Storages, why_bound

if TYPE_CHECKING:
    from stagebook.store.memory import Array

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
    tempfile.TemporaryDirectory: "temporary folder that goes with its object",
    mmap.mmap: "memory map",
    memoryview: "memoryview",
    weakref.ref: "weak reference",
}
_IN_MEMORY = (io.BytesIO, io.StringIO)

_FOUND_AGAIN = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
_OF_PYTHON = frozenset({*sys.stdlib_module_names, "__main__", "stagebook", "cloudpickle"})

_BIG = 4096
"""Bytes from which an array may get a file of its own, and is worth waiting whether it has to be written at all."""

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
        blocks: memory that several arrays lie in; None where that is still to be found out.
        buffer_callback: as for `pickle.Pickler`.

    Attributes:
        shared: by id, the objects met that another name could hold too and change.
        arrays: by id, the arrays met, whose memory another name could hold too.
        modules: top-level modules, but those of Python itself, that what the pickle refers to is found in.
        unfinished: whether the pickle lacks views, since it was not known yet what they are to be made from.
    """

    def __init__(
        self,
        stream: io.BytesIO,
        *,
        namespace: dict[str, Any],
        setup: Mapping[int, str],
        external: External | None = None,
        blocks: Mapping[int, list[Block]] | None = None,
        buffer_callback: Callable[[pickle.PickleBuffer], Any] | None = None,
    ) -> None:
        super().__init__(stream, protocol=5, buffer_callback=buffer_callback)
        self.shared: dict[int, Any] = {}
        self.arrays: dict[int, Array] = {}
        self.modules: set[str] = set()
        self.unfinished = False
        self._blocks = blocks or {}
        self._is_first_look = blocks is None and external is not None
        self._of_pandas: dict[int, Any] = {}
        self._storages = Storages()
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
        kind: Any = type(part)
        if kind in _ATOMS:
            return None
        if id(part) in self._setup:
            return ("setup", self._setup[id(part)])
        if part is self._namespace:
            return ("namespace",)
        if kind is dict and (module := _module_of(part)) is not None:
            return ("module", module)
        self._refuse_process_bound(part)
        self._note_module(part)
        if isinstance(part, type):
            self._study(part)
        elif isinstance(part, typing.TypeVar):
            name_type_variable(part)
        elif id(part) not in self._of_pandas:
            self._note_if_shared(part, kind)
        if kind in (set, frozenset) and _is_of_texts(part):
            return ("set", self._number(part), kind, sorted(part, key=_type_and_text))
        if is_array(kind) and part.nbytes and id(part) not in self._of_pandas:
            self.arrays[id(part)] = part
            if self._is_first_look and _is_part(part):
                self.unfinished = True
                return ("later",)
            if part.nbytes < _BIG or is_made_from_another(part, self._blocks):
                return None
        reference = self._external(part, kind) if self._external is not None else None
        if reference is None:
            return None
        self._note_module(kind)
        return ("blob", self._number(part), *reference)

    def reducer_override(self, part: Any) -> Any:
        """How to make `part` anew; NotImplemented where pickle knows."""
        reduced = reduce_definition(part) or self._reduce_array(part) or reduce_pandas(part)
        reduced = reduced or self._storages.reduce(part)
        if reduced is not None:
            self.shared |= self._storages.met  # an address is no other object's id
            return reduced
        reduced = super().reducer_override(part)
        if isinstance(part, type) and isinstance(reduced, tuple) and len(reduced) > 2:
            for derived in _DERIVED:
                reduced[2][0].pop(derived, None)
            slots = vars(part).get("__slots__")
            if slots is not None and not issubclass(part, tuple):  # they count when a class is made, not afterwards
                reduced[1][3]["__slots__"] = slots
            return made_quietly(part, reduced)
        return reduced

    def _reduce_array(self, part: Any) -> tuple[Any, ...] | None:
        self._of_pandas.update((id(array), array) for array in arrays_of_pandas(part))
        return None if id(part) in self._of_pandas else reduce_array(part, self._blocks)

    def _number(self, part: Any) -> int:
        """The same number for the same object, which is held so that its id stays its own."""
        return self._numbers.setdefault(id(part), (len(self._numbers), part))[0]

    def _refuse_process_bound(self, part: Any) -> None:
        if isinstance(part, tuple(_PROCESS_BOUND)) and not isinstance(part, _IN_MEMORY):
            self._bound = next(called for kind, called in _PROCESS_BOUND.items() if isinstance(part, kind))
            raise CannotStoreError(self._bound)
        bound = "cache that holds results" if holds_results(part) else why_bound(part)
        if bound is not None:
            self._bound = bound
            raise CannotStoreError(bound)

    def _note_module(self, part: Any) -> None:
        if isinstance(part, _FOUND_AGAIN):
            name = part.__name__ if isinstance(part, types.ModuleType) else part.__module__
            top = (name or "builtins").partition(".")[0]  # methods of builtin types have no module
            if top not in _OF_PYTHON:
                self.modules.add(top)

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
        """As cloudpickle does it, but with the globals and the closure themselves in place of copies of them.

        Its globals may be another module's than it says: a decorator's wrapper is called like what it wraps.
        """
        make, (code, of_module, *rest_of_arguments, _), (state, slots), *rest = super()._dynamic_function_reduce(
            function
        )
        slots = {**slots, "__closure__": None}
        if function.__globals__ is self._namespace or _module_of(function.__globals__) is not None:
            of_module = function.__globals__
            slots["__globals__"] = {}
        arguments = (code, of_module, *rest_of_arguments, function.__closure__)
        return (make, arguments, (state, slots), *rest)


def _module_of(names: Mapping[str, Any]) -> str | None:
    """The module whose globals these are, if it can be imported elsewhere."""
    name = names.get("__name__")
    module = sys.modules.get(name) if isinstance(name, str) and name != "__main__" else None
    return name if module is not None and vars(module) is names and getattr(module, "__file__", None) else None


def _is_part(array: Array) -> bool:
    """Whether the array may well lie in the memory of another that is kept, and is too big to be written in vain."""
    return array.nbytes >= _BIG and array.base is not None and owner_of(array).nbytes != array.nbytes


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
