"""What is wrong with the data itself: missing values, new values, values out of range, columns of a single value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stagebook.drift.result import Issue
from stagebook.drift.told import number, percent, short

if TYPE_CHECKING:
    from stagebook.drift.columns import Prepared
    from stagebook.drift.tables import Table

_MORE_MISSING = 0.05
"""By how much the share of missing values has to grow to be told."""
_OUTSIDE = 0.01
"""Share of the numbers out of the range before from which on that is told."""
_NAMED = 3


def table_issues(reference: Table, current: Table, names: tuple[str, str]) -> list[Issue]:
    """What is wrong with the tables as a whole."""
    return [
        Issue("", f"{name} has no rows.")
        for table, name in zip((reference, current), names, strict=True)
        if not table.rows
    ]


def column_issues(name: str, before: Prepared, now: Prepared) -> list[Issue]:
    """What is wrong with a column now that was not before."""
    told = []
    if now.rows and not len(now.values):
        told.append("it is empty now." if len(before.values) else "it is empty on both sides.")
    elif now.missing - before.missing > _MORE_MISSING:
        told.append(f"{percent(now.missing)} are missing now, {percent(before.missing)} before.")
    if len(before.values) and len(now.values):
        told += _new_values(before, now)
    if now.note.startswith("it mixes") and now.note != before.note:
        told.append(f"{now.note}.")
    return [Issue(name, one) for one in told]


def _new_values(before: Prepared, now: Prepared) -> list[str]:
    if before.kind == "category" and now.kind == "category":
        counts = now.values.value_counts()
        known = set(before.values.unique())
        new = [key for key in counts.index if key not in known]
        if new:
            named = ", ".join(short(key) for key in new[:_NAMED])
            more = f" and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
            return [f"new values: {named}{more} ({percent(counts[new].sum() / len(now.values))} of the rows)."]
    if before.kind == "numeric" and now.kind == "numeric":
        low, high = before.values.min(), before.values.max()
        outside = float(((now.values < low) | (now.values > high)).mean())
        if outside > _OUTSIDE:
            return [
                f"{percent(outside)} lie outside of its range before, {number(float(low))} to {number(float(high))}."
            ]
        if low != high and now.values.nunique() == 1:
            return [f"it is {number(float(now.values.iloc[0]))} throughout now."]
    return []
