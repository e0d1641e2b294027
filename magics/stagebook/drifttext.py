"""A comparison of two tables as text: the verdict, then a line for each column, the worst first."""

from __future__ import annotations

from collections.abc import Iterator

from stagebook.drift.card import score_told, summary
from stagebook.drift.result import ColumnDrift, Drift
from stagebook.drift.told import number
from stagebook.text import counted

_BARS = " ▁▂▃▄▅▆▇█"
_MOST_ISSUES = 20


def drift_text(drift: Drift) -> str:
    """Verdict, columns, what is wrong with the data, and how good predictions are."""
    lines = [f"{drift.verdict}: {summary(drift)}."]
    for head, name, rows in (
        ("before", drift.reference, drift.reference_rows),
        ("now", drift.current, drift.current_rows),
    ):
        lines.append(f"  {head:8}{name}, {rows:,} rows")
    if drift.sample:
        lines.append(f"  {drift.sample:,} rows of each were looked at first, all where that left a doubt")
    lines += ["", *_table(drift.columns)] if drift.columns else []
    lines += _performance(drift)
    if drift.issues:
        issues = [f"  {issue.column + ': ' if issue.column else ''}{issue.told}" for issue in drift.issues]
        more = len(issues) - _MOST_ISSUES
        lines += ["", "The data itself", *issues[:_MOST_ISSUES], *([f"  and {more} more"] if more > 0 else [])]
    return "\n".join(lines)


def _table(columns: tuple[ColumnDrift, ...]) -> Iterator[str]:
    rows = [
        (
            ("! " if column.drifted else "  ")
            + column.name
            + (f" ({column.role})" if column.role != "feature" else ""),
            _spark(column.reference.shares),
            _spark(column.current.shares),
            f"{score_told(column)}  {column.method}{', ' + column.note if column.note else ''}"
            if column.score is not None
            else f"not tested: {column.note}",
        )
        for column in columns
    ]
    widths = [max(len(row[position]) for row in rows) for position in range(3)]
    for row in rows:
        yield "  ".join([*(text.ljust(width) for text, width in zip(row[:3], widths, strict=True)), row[3]]).rstrip()
    yield from _told(columns)


def _called(column: ColumnDrift) -> str:
    role = f" ({column.role})" if column.role != "feature" else ""
    return f"{'! ' if column.drifted else '  '}{column.name}{role}"


def _told(columns: tuple[ColumnDrift, ...]) -> Iterator[str]:
    """What has become of the columns that have drifted."""
    drifted = [column for column in columns if column.drifted]
    if drifted:
        yield ""
        yield f"{counted(len(drifted), 'column')} that drifted"
    for column in drifted:
        yield f"  {column.name}: {column.reference.told} before, {column.current.told} now"


def _spark(shares: tuple[float, ...]) -> str:
    """The shares as a row of bars, a letter each."""
    highest = max(shares, default=0.0)
    if not highest:
        return ""
    steps = len(_BARS) - 1
    return "".join(_BARS[min(steps, int(share / highest * steps + (0.999 if share else 0)))] for share in shares)


def _performance(drift: Drift) -> Iterator[str]:
    found = drift.performance
    if found is None:
        return
    yield ""
    yield f"Predictions ({found.task})"
    for name in dict.fromkeys((*found.reference, *found.current)):
        sides = [number(side[name]) if name in side else "-" for side in (found.reference, found.current)]
        yield f"  {name.replace('_', ' '):26}{sides[0]:>10} before{sides[1]:>10} now"
