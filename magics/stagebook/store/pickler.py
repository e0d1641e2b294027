"""The pickler behind stored values: cloudpickle, with big parts, setup's definitions and the namespace by reference."""

from __future__ import annotations

import enum
import io
import pickle
import socket
import types
from collections.abc import Callable, Mapping
from typing import Any

import cloudpickle  # noqa: TID253 - only the kernel's side of a run imports this file, and it needs it at once

_ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented)})
_DEFINITIONS = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType, type, enum.Enum)
_PROCESS_BOUND = (io.IOBase, socket.socket, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType)

External = Callable[[Any, type], "tuple[str, str] | None"]


class CannotStoreError(Exception):
    """A value, or a part of it, lives and dies with its process."""


class Pickler(cloudpickle.Pickler):  # type: ignore[misc] # cloudpickle ships no types
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
        self._numbers: dict[int, int] = {}
        self._bound: type | None = None

    def dump_value(self, value: Any) -> None:
        """Pickle `value`.

        Raises:
            CannotStoreError: it holds a part that cannot leave the process; the message names the part's type.
        """
        try:
            self.dump(value)
        except Exception as error:  # a value's own __reduce__ may raise anything at all
            if self._bound is not None:
                raise CannotStoreError(_called(self._bound)) from error
            raise CannotStoreError(
                str(error).strip().splitlines()[0] if str(error) else type(error).__name__
            ) from error

    def persistent_id(self, part: Any) -> tuple[Any, ...] | None:
        """The reference that stands for `part` in the pickle, or None to pickle it in place."""
        kind = type(part)
        if kind in _ATOMS:
            return None
        if id(part) in self._setup:
            return ("setup", self._setup[id(part)])
        if part is self._namespace:
            return ("namespace",)
        if isinstance(part, _PROCESS_BOUND):
            self._bound = kind
            raise CannotStoreError(_called(kind))
        if kind.__hash__ is None or (hasattr(part, "__dict__") and not isinstance(part, _DEFINITIONS)):
            self.shared[id(part)] = part
        reference = self._external(part, kind) if self._external is not None else None
        if reference is None:
            return None
        return ("blob", self._numbers.setdefault(id(part), len(self._numbers)), *reference)

    def _dynamic_function_reduce(self, function: types.FunctionType) -> tuple[Any, ...]:
        """As cloudpickle does it, but with the notebook's own globals in place of a copy of those it uses."""
        make, arguments, (state, slots), *rest = super()._dynamic_function_reduce(function)
        if function.__globals__ is self._namespace:
            arguments = (arguments[0], self._namespace, *arguments[2:])
            slots = {**slots, "__globals__": {}}
        return (make, arguments, (state, slots), *rest)


def _called(kind: type) -> str:
    return {types.GeneratorType: "generator", io.TextIOWrapper: "open file", socket.socket: "open socket"}.get(
        kind, "open file" if issubclass(kind, io.IOBase) else kind.__name__
    )
