"""Which objects it matters to share: those that can change, or that are known by their identity."""

from __future__ import annotations

import datetime
import enum
import logging
import pickle
import sys
import types
from collections.abc import Iterator
from typing import Any

_DEFINITIONS = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, types.CodeType, type, enum.Enum)
_ONE_PER_PROCESS = (datetime.tzinfo, logging.Logger)
_UNCHANGING = (slice, pickle.PickleBuffer)


def is_worth_sharing(part: Any, kind: type) -> bool:
    """Whether it makes a difference that two names hold this very object, and not each one like it.

    Not for what is found again when it is loaded, not made anew: functions of modules, classes, zones, dtypes.
    """
    if isinstance(part, (*_DEFINITIONS, *_ONE_PER_PROCESS, *_UNCHANGING)) or hasattr(part, "__qualname__"):
        return False
    if kind.__module__ == "torch" and kind.__name__ in ("dtype", "layout", "memory_format"):
        return False
    pandas = sys.modules.get("pandas")
    if pandas is not None and (isinstance(part, pandas.api.extensions.ExtensionDtype) or part is pandas.NA):
        return False
    hashes: Any = kind.__hash__
    return hashes is None or hashes is object.__hash__ or hasattr(part, "__dict__")


def belongings_of_type(part: Any, kind: type) -> Iterator[Any]:
    """What stands in `part`'s pickle, but is one object for all of its type: dtypes' fields, pandas' `_metadata`."""
    if isinstance(getattr(kind, "_metadata", None), list):
        yield kind._metadata  # type: ignore[attr-defined]
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(part, numpy.dtype) and part.names is not None:
        yield from (item for item in part.__reduce__()[2] if isinstance(item, dict))


def reduce_pandas(part: Any) -> tuple[Any, ...] | None:
    """How to make a frame or a series anew with memory of its own, and a dtype without its caches; None for all else.

    A frame and what was made from it may hold the same arrays, since pandas copies on the first write; but it does not
    know of that any more where they have been pickled, and a write to one would be a write to both.
    """
    pandas = sys.modules.get("pandas")
    if pandas is None or isinstance(part, type):
        return None
    if isinstance(part, pandas.api.extensions.ExtensionDtype) and "_cache" in getattr(part, "__dict__", ()):
        reduced = part.__reduce_ex__(5)
        if isinstance(reduced, tuple) and len(reduced) > 2 and isinstance(reduced[2], dict):
            return (*reduced[:2], {name: value for name, value in reduced[2].items() if name != "_cache"})
    if isinstance(part, (pandas.DataFrame, pandas.Series)):
        make, arguments, state, *_ = part.__reduce_ex__(5)
        return (make, arguments, state, None, None, _restore)
    return None


def arrays_of_pandas(part: Any) -> Iterator[Any]:
    """The arrays that a frame or a series, which gets memory of its own when it is loaded, or an index lies in."""
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return
    if isinstance(part, (pandas.DataFrame, pandas.Series)):
        found = [block.values for block in part._mgr.blocks]
    elif isinstance(part, pandas.Index):
        found = [getattr(part, "_data", None)]  # one of several levels has none
    else:
        return
    for array in found:
        yield array
        yield from getattr(array, "__dict__", {}).values()
        yield getattr(array, "_ndarray", None)  # of dates, which have it in no dictionary


def _restore(frame: Any, state: Any) -> None:
    frame.__setstate__(state)
    frame._mgr = frame._mgr.apply(_own)


def _own(values: Any) -> Any:
    """A copy that lies in memory as the values do: the last bits of sums depend on that."""
    numpy = sys.modules["numpy"]
    return values.copy(order="K") if isinstance(values, numpy.ndarray) else values.copy()
