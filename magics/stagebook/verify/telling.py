"""What is told of a value in the process that has it: digests, what it is in a few words, the parts that it has."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stagebook.verify.looking import CannotStoreError, looked_at
from stagebook.verify.results import Part, ValueTold

_LONG = 200
"""Letters of a value that are told of it."""
_MOST_PARTS = 100
_MOST_NUMBERS = 1000
_MOST_BYTES = 1 << 26
"""Bytes from which a value's parts are not looked at one by one."""
_ATOMS = (bool, int, float, complex, str, bytes, type(None))


def value_told(value: Any, own: Iterable[str] = ("__main__",)) -> ValueTold:
    """All that is told of a value.

    Args:
        value: the value.
        own: the modules that the notebook's code is in.
    """
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    if type(value).__module__ in own:
        kind = type(value).__qualname__.rpartition(".")[2]
    try:
        digest, definitions = looked_at(value, by_name=own)
        exact = looked_at(value)[0] if definitions else digest
    except CannotStoreError as error:
        return ValueTold(kind, why=str(error), shown=shown(value))
    return ValueTold(kind, digest, exact, definitions, shown=shown(value), parts=dict(_parts(value, own)))


def shown(value: Any) -> str:
    """What a value is, in a few words: `DataFrame 40 x 2`, `ndarray 3 float64`, `0.25`."""
    kind = type(value).__name__
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape and all(isinstance(one, int) for one in shape):
        dtype = getattr(value, "dtype", None)
        return f"{kind} {' x '.join(map(str, shape))}{f' {dtype}' if dtype is not None else ''}"
    if _is_small(value):
        text = repr(value)
        return text if len(text) <= _LONG else f"{text[: _LONG - 1]}…"
    return f"{kind} of {len(value)}" if isinstance(value, (list, tuple, dict, set, frozenset)) else kind


def _is_small(value: Any, depth: int = 3) -> bool:
    """Whether it is made of numbers and texts, and not long."""
    if isinstance(value, _ATOMS) or type(value).__module__ == "numpy":
        return getattr(value, "ndim", 0) == 0
    if type(value) not in (list, tuple, dict, set) or len(value) > _MOST_PARTS or not depth:
        return False
    inner = [*value.keys(), *value.values()] if type(value) is dict else value
    return all(_is_small(one, depth - 1) for one in inner)


def _parts(value: Any, own: Iterable[str]) -> Iterator[tuple[str, Part]]:
    """Columns, entries or elements, each by itself, where there are not too many."""
    for name, part in _pieces(value):
        try:
            digest = looked_at(part, by_name=own)[0]
        except CannotStoreError:
            continue
        yield name, Part(digest, shown(part), _numbers(part))


def _pieces(value: Any) -> Iterator[tuple[str, Any]]:
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if pandas is not None and type(value) is pandas.DataFrame:
        if value.shape[1] <= _MOST_PARTS and value.memory_usage().sum() <= _MOST_BYTES:
            for position, name in enumerate(value.columns):
                yield f"column `{name}`", value.iloc[:, position]
    elif (pandas is not None and type(value) is pandas.Series) or (numpy is not None and type(value) is numpy.ndarray):
        if value.nbytes <= _MOST_BYTES:
            yield "", value
    elif isinstance(value, Mapping) and len(value) <= _MOST_PARTS and type(value).__module__ == "builtins":
        for name, part in value.items():
            yield f"entry {name!r}", part
    elif type(value) in (list, tuple) and len(value) <= _MOST_PARTS:
        for position, part in enumerate(value):
            yield f"element {position}", part


def _numbers(part: Any) -> tuple[float, ...]:
    """The numbers in it, if it has few."""
    kind = getattr(getattr(part, "dtype", None), "kind", "")
    if kind not in ("i", "u", "f", "b") or not 0 < part.size <= _MOST_NUMBERS:
        return ()
    numpy: Any = sys.modules["numpy"]
    return tuple(float(one) for one in numpy.asarray(part).ravel())
