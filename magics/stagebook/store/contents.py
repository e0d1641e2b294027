"""Pickling to tell whether a value has changed: what it means counts, not caches or how pandas lays out its blocks.

What is written here is never loaded.
"""

from __future__ import annotations

import functools
import io
import pickle
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from stagebook.store.blocks import in_one_piece
from stagebook.store.digests import digest_of
from stagebook.store.pickler import Pickler
from stagebook.store.snapshots import Piece, Snapshot, pieces_now

_CACHES = {
    "pandas": frozenset({"_cache", "_readonly"}),
    "scipy": frozenset({"_has_sorted_indices", "_has_canonical_format"}),
}
"""Attributes in which the classes of these packages keep what they have found out about themselves, or whether others
may write to what is shown of them."""


_BIG = 4096
"""Bytes from which numbers are digested apart."""


class ContentPickler(Pickler):
    """Pickles equal contents equally, as long as they are in the same objects.

    Args:
        namespace: the notebook's globals.
        setup: id and name of what setup defines.
    """

    def __init__(self, *, namespace: dict[str, Any], setup: Mapping[int, str]) -> None:
        self._stream = io.BytesIO()
        self._pieces: list[Piece] = []
        self._piece = pieces_now()
        super().__init__(self._stream, namespace=namespace, setup=setup, buffer_callback=self._take)

    def snapshot(self) -> Snapshot:
        """What the pickled value is now."""
        return Snapshot(digest_of(self._stream.getbuffer()), tuple(self._pieces))

    def _take(self, buffer: pickle.PickleBuffer) -> bool:
        """Put big memory apart; what is true of the rest is that it goes into the pickle."""
        raw = buffer.raw()
        if raw.nbytes >= _BIG:
            self._pieces.append(self._piece(_numpy().frombuffer(raw, "u1")))
        return raw.nbytes < _BIG

    def persistent_id(self, part: Any) -> tuple[Any, ...] | None:
        """As `Pickler` has it; frames, series and arrays are taken apart."""
        reference = super().persistent_id(part)
        if reference is not None:
            return reference
        kind = type(part)
        numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
        if pandas is not None and isinstance(part, (pandas.DataFrame, pandas.Series)):
            return ("pandas", kind, self._number(part), *self._of_pandas_object(part))
        if numpy is not None and kind is numpy.ndarray and not part.dtype.hasobject and not _is_plain(part):
            return ("array", self._number(part), part.flags.writeable, self._plain(part))
        return None

    def reducer_override(self, part: Any) -> Any:
        """As `Pickler` has it, without what the object has computed from itself and kept."""
        kind: type = type(part)
        arrow = getattr(part, "_pa_array", None) if kind.__module__.startswith("pandas.") else None
        if arrow is not None:  # pandas itself copies what lies in Arrow's memory
            own = {name: value for name, value in vars(part).items() if name not in _caches(kind)}
            return (kind, (), {**own, "_pa_array": in_one_piece(arrow)})
        reduced = super().reducer_override(part)
        if isinstance(reduced, tuple) and kind.__name__ == "MaskedArray":  # it is looked up when it is asked for
            filled = part if part._fill_value is not None else _numpy().ma.empty(0, part.dtype)
            return (*reduced[:2], {**reduced[2], "_fill_value": filled.fill_value}, *reduced[3:])
        caches = _caches(kind)
        if reduced is not NotImplemented or not caches:
            return reduced
        made = part.__reduce_ex__(5)
        if isinstance(made, str) or len(made) < 3:
            return made
        return (*made[:2], _without(made[2], caches), *made[3:])

    def _of_pandas_object(self, part: Any) -> Iterator[Any]:
        """What a frame or a series is to its reader; how its columns share blocks changes with reading."""
        yield part.attrs
        yield part.flags.allows_duplicate_labels
        yield [getattr(part, name, None) for name in part._metadata if name != "_name"]
        yield part.index
        if part.ndim == 1:
            yield part.name
            yield self._of_column(part)
        else:
            yield part.columns
            yield [self._of_column(part.iloc[:, position]) for position in range(part.shape[1])]

    def _of_column(self, column: Any) -> Any:
        numbers = getattr(column.array, "asi8", None)
        if numbers is not None:  # dates, times and periods
            return (column.dtype, getattr(column.array, "freq", None), self._plain(numbers))
        return self._plain(column.to_numpy()) if isinstance(column.dtype, _numpy().dtype) else column.array

    def _plain(self, array: Any) -> Any:
        """The numbers in the order of their indices, whatever the array's strides; big ones are put apart."""
        if array.nbytes >= _BIG and not array.dtype.hasobject:
            self._pieces.append(self._piece(array))
            return ("piece", array.dtype, array.shape)
        plain = _numpy().ascontiguousarray(array).view()
        plain.flags.writeable = False
        return plain


def _without(state: Any, caches: frozenset[str]) -> Any:
    """An object's state without these attributes; of a tuple, attributes are the dict in it, which may be missing."""
    if isinstance(state, dict):
        return {name: value for name, value in state.items() if name not in caches}
    if type(state) is not tuple:
        return state
    plain = [_without(one, caches) if type(one) is dict else one for one in state]
    return tuple(one for one in plain if type(one) is not dict or one)


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


def _is_plain(array: Any) -> bool:
    return bool(array.flags.c_contiguous and not array.flags.writeable)


def _numpy() -> Any:
    return sys.modules["numpy"]
