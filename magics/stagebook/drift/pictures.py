"""How a column is distributed on both sides, as shares of a few bars."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from stagebook.drift.result import ColumnDrift
from stagebook.drift.told import number, short

if TYPE_CHECKING:
    from stagebook.drift.columns import Prepared

_BARS = 20
_VALUES = 8
OTHERS = "others"
"""The bar of the values that have none of their own."""
_EDGE = 0.005
"""Share of the numbers at either end that the first and the last bar take in, however far out they lie."""


def with_pictures(column: ColumnDrift, before: Prepared, now: Prepared) -> ColumnDrift:
    """The column with bars, and the shares of both sides in them; none where there is nothing to draw."""
    if column.kind == "category":
        bars, shares = _values(before, now)
    elif column.kind in ("numeric", "moment"):
        bars, shares = _ranges(before, now)
    elif column.kind == "text":
        bars, shares = _ranges(_lengths(before), _lengths(now))
    else:
        return column
    reference, current = (
        replace(side, shares=one) for side, one in zip((column.reference, column.current), shares, strict=True)
    )
    return replace(column, bars=bars, reference=reference, current=current)


def _values(before: Prepared, now: Prepared) -> tuple[tuple[str, ...], list[tuple[float, ...]]]:
    shares = [side.values.value_counts(normalize=True) for side in (before, now)]
    keys = list(dict.fromkeys([key for one in shares for key in one.index[:_VALUES]]))
    keys.sort(key=lambda key: -max(one.get(key, 0.0) for one in shares))
    keys = keys[:_VALUES]
    if all(isinstance(key, (int, float)) for key in keys):
        keys.sort()
    found = [[float(one.get(key, 0.0)) for key in keys] for one in shares]
    rest = [max(1 - sum(one), 0.0) for one in found]
    names = [short(key) for key in keys]
    if max(rest) > 1e-9:
        names, found = [*names, OTHERS], [[*one, left] for one, left in zip(found, rest, strict=True)]
    return tuple(names), [tuple(one) for one in found]


def _lengths(side: Prepared) -> Prepared:
    return replace(side, values=side.values.str.len())


def _ranges(before: Prepared, now: Prepared) -> tuple[tuple[str, ...], list[tuple[float, ...]]]:
    import numpy as np

    numbers = [_numbers(side) for side in (before, now)]
    both = np.concatenate(numbers)
    low, high = np.quantile(both, [_EDGE, 1 - _EDGE])
    if low == high:
        low, high = both.min(), both.max()
    edges = np.linspace(low, high, _BARS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    names = [f"{_edge(one, before)} to {_edge(other, before)}" for one, other in pairwise(edges)]
    shares = [np.histogram(one.clip(edges[0], edges[-1]), edges)[0] / max(len(one), 1) for one in numbers]
    return tuple(names), [tuple(map(float, one)) for one in shares]


def _numbers(side: Prepared) -> Any:
    if side.kind == "moment":
        values = side.values.dt.tz_localize(None) if side.values.dt.tz is not None else side.values
        return values.astype("datetime64[ns]").astype("int64").to_numpy().astype("float64")
    return side.values.to_numpy(dtype="float64")


def _edge(value: float, side: Prepared) -> str:
    if side.kind == "moment":
        import pandas as pd

        return f"{pd.Timestamp(int(value)):%Y-%m-%d}"
    return number(float(value))
