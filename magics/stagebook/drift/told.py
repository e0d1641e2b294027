"""A column's side in words, and numbers as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stagebook.drift.columns import Prepared

_LONGEST = 24


def side_told(side: Prepared) -> str:
    """Centre and spread of numbers, the range of points in time, the most frequent of a few values."""
    values = side.values
    if not len(values):
        return ""
    if side.kind == "numeric":
        return f"{number(float(values.mean()))} ± {number(float(values.std(ddof=0)))}"
    if side.kind == "moment":
        return f"{values.min():%Y-%m-%d} to {values.max():%Y-%m-%d}"
    if side.kind == "text":
        return f"{number(float(values.str.len().mean()))} letters"
    if side.kind == "category":
        counts = values.value_counts()
        different = "1 value" if len(counts) == 1 else f"{len(counts):,} values"
        return f"{short(counts.index[0])} {percent(counts.iloc[0] / len(values))}, {different}"
    return ""


def number(value: float) -> str:
    """Three digits that count, without an exponent where it can be helped."""
    if value and (abs(value) >= 1e6 or abs(value) < 1e-3):
        return f"{value:.2g}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def percent(share: float) -> str:
    """A share as a percentage; what is not nothing is not shown as nothing."""
    if 0 < share < 0.001:
        return "<0.1 %"
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"


def short(value: object) -> str:
    """A value as text of bounded length; whole numbers without a point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
