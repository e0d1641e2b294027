"""Pickling to tell whether a value has changed: what it means counts, not caches or how pandas lays out its blocks.

What is written here is never loaded.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from typing import Any

from stagebook.store.pickler import Pickler

_CACHES = {
    "pandas": frozenset({"_cache"}),
    "scipy": frozenset({"_has_sorted_indices", "_has_canonical_format"}),
}
"""Attributes in which the classes of these packages keep what they have found out about themselves."""


class ContentPickler(Pickler):
    """Pickles equal contents equally, as long as they are in the same objects."""

    def persistent_id(self, part: Any) -> tuple[Any, ...] | None:
        """As `Pickler` has it; frames, series and arrays are taken apart."""
        reference = super().persistent_id(part)
        if reference is not None:
            return reference
        kind = type(part)
        numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        if pandas is not None and isinstance(part, (pandas.DataFrame, pandas.Series)):
            return ("pandas", kind, self._number(part), *_of_pandas(part))
        if numpy is not None and kind is numpy.ndarray and not part.dtype.hasobject and not _is_plain(part):
            return ("array", self._number(part), part.flags.writeable, _plain(part))
        return None

    def reducer_override(self, part: Any) -> Any:
        """As `Pickler` has it, without what the object has computed from itself and kept."""
        reduced = super().reducer_override(part)
        kind: type = type(part)
        caches = _caches(kind)
        if reduced is not NotImplemented or not caches:
            return reduced
        made = part.__reduce_ex__(5)
        if isinstance(made, str) or len(made) < 3 or not isinstance(made[2], dict):
            return made
        return (*made[:2], {name: value for name, value in made[2].items() if name not in caches}, *made[3:])


@functools.lru_cache(maxsize=1024)
def _caches(kind: type) -> frozenset[str]:
    """Names of attributes that hold what was computed on reading."""
    names = {
        name
        for base in kind.__mro__
        for name, value in vars(base).items()
        if isinstance(value, functools.cached_property)
    }
    module = str(kind.__module__)  # some extension types have an attribute of that name for their instances
    return frozenset(names) | _CACHES.get(module.split(".")[0], frozenset())


def _of_pandas(part: Any) -> Iterator[Any]:
    """What a frame or a series is to its reader; how its columns share blocks changes with reading."""
    yield part.attrs
    yield part.flags.allows_duplicate_labels
    yield [getattr(part, name, None) for name in part._metadata if name != "_name"]
    yield part.index
    if part.ndim == 1:
        yield part.name
        yield _of_column(part)
    else:
        yield part.columns
        yield [_of_column(part.iloc[:, position]) for position in range(part.shape[1])]


def _of_column(column: Any) -> Any:
    numbers = getattr(column.array, "asi8", None)
    if numbers is not None:  # dates, times and periods
        return (column.dtype, getattr(column.array, "freq", None), _plain(numbers))
    return _plain(column.to_numpy()) if isinstance(column.dtype, _numpy().dtype) else column.array


def _plain(array: Any) -> Any:
    """The numbers in the order of their indices, whatever the array's strides."""
    plain = _numpy().ascontiguousarray(array).view()
    plain.flags.writeable = False
    return plain


def _is_plain(array: Any) -> bool:
    return bool(array.flags.c_contiguous and not array.flags.writeable)


def _numpy() -> Any:
    return sys.modules["numpy"]
