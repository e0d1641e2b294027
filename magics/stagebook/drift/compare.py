"""Two tables compared, column by column: `compare_tables` is what every face of drift calls.

Where a table has more rows than `SAMPLE`, that many of them, drawn with a fixed seed, are looked at first. A column of
numbers whose score comes close to the threshold on them is tested again on all rows; how often a value is met is always
counted on all. So a sample costs no verdict, and a million rows cost little more than a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stagebook.drift.columns import Prepared, alike, prepared
from stagebook.drift.pictures import with_pictures
from stagebook.drift.quality import column_issues, table_issues
from stagebook.drift.result import KINDS, ColumnDrift, Drift, Issue, Kind, Role, Side, is_distance
from stagebook.drift.scores import FEW_ROWS, FEW_VALUES, Score, count_score, different, numeric_score
from stagebook.drift.tables import drawn_rows
from stagebook.drift.told import side_told
from stagebook.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from stagebook.drift.tables import Table

SAMPLE = 100_000
"""Rows of a table that are looked at first."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How two tables are to be compared.

    Attributes:
        columns: those to compare; empty for all.
        target: the column of the labels.
        prediction: the column of the predictions.
        kinds: what columns are to be taken for, where their types do not say.
        threshold: the score at which drift begins, for every test; None for each method's own.
        thresholds: the same for single columns.
        limit: the share of drifted columns from which on the table as a whole has drifted.
        sample: rows to look at first.
    """

    columns: tuple[str, ...] = ()
    target: str | None = None
    prediction: str | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    threshold: float | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    limit: float = 0.5
    sample: int = SAMPLE


def compare_tables(reference: Table, current: Table, asked: Asked = Asked(), *, names: tuple[str, str]) -> Drift:
    """What has changed between two tables.

    Args:
        reference: what the data was before.
        current: what it is now.
        asked: how to compare them.
        names: what they are called.

    Raises:
        UsageError: a column that is named is on neither side, or an option cannot be.
    """
    _check(reference, current, asked)
    rows = tuple(drawn_rows(table, asked.sample) for table in (reference, current))
    wanted = set(asked.columns) | {name for name in (asked.target, asked.prediction) if name and asked.columns}
    columns: list[ColumnDrift] = []
    issues: list[Issue] = table_issues(reference, current, names)
    for name in dict.fromkeys((*reference.names, *current.names)):
        if wanted and name not in wanted:
            continue
        column, found = _column(name, reference, current, rows, asked)
        columns.append(column)
        issues += found
    return Drift(
        *names,
        reference.rows,
        current.rows,
        tuple(sorted(columns, key=_worst_first)),
        tuple(issues),
        _performance(reference, current, asked),
        asked.limit,
        asked.sample if any(one is not None for one in rows) else 0,
    )


def _performance(reference: Table, current: Table, asked: Asked) -> Any:
    if asked.target is None or asked.prediction is None:
        return None
    from stagebook.drift.performance import performance_of

    return performance_of(reference, current, target=asked.target, prediction=asked.prediction)


def _check(reference: Table, current: Table, asked: Asked) -> None:
    known = dict.fromkeys((*reference.names, *current.names))
    named = [*asked.columns, *asked.kinds, *asked.thresholds, *filter(None, (asked.target, asked.prediction))]
    for name in named:
        if name not in known:
            raise UsageError(f"There is no column `{name}` on either side.{did_you_mean(name, known)}")
    for name, kind in asked.kinds.items():
        if kind not in KINDS:
            raise UsageError(f"Column `{name}` cannot be taken for `{kind}`: say {', '.join(KINDS)}.")
    for limit in (asked.threshold, *asked.thresholds.values()):
        if limit is not None and not limit > 0:
            raise UsageError(f"A threshold is a number above 0, and {limit} is none.")
    if not 0 < asked.limit <= 1:
        raise UsageError(f"The share of drifted columns is a number above 0, up to 1, and {asked.limit} is none.")


def _column(
    name: str, reference: Table, current: Table, rows: Sequence[Any], asked: Asked
) -> tuple[ColumnDrift, list[Issue]]:
    """What there is to say of one column, and what is wrong with it."""
    role: Role = "target" if name == asked.target else "prediction" if name == asked.prediction else "feature"
    for table, other, where in ((reference, current, "current"), (current, reference, "reference")):
        if name in table.names and name not in other.names:
            note = f"it is not in the {where} data"
            return ColumnDrift(name, "none", role, note=note), [Issue(name, f"{note}.")]
    whole = [table.column(name) for table in (reference, current)]
    kind = asked.kinds.get(name)
    sides = [
        prepared(column if drawn is None else column.iloc[drawn], kind=kind)
        for column, drawn in zip(whole, rows, strict=True)
    ]
    before, now = alike(*sides)
    if any(drawn is not None for drawn in rows) and before.kind != "numeric":
        known = kind or (before.kind if before.kind in KINDS else None)
        before, now = alike(*(prepared(column, kind=known) for column in whole))
    found = _tested(name, role, before, now, asked.thresholds.get(name, asked.threshold))
    sampled = before.kind == "numeric" and any(drawn is not None for drawn in rows)
    if sampled and _is_open(found):
        before, now = alike(*(prepared(column, kind="numeric") for column in whole))
        found = _tested(name, role, before, now, asked.thresholds.get(name, asked.threshold))
        sampled = False
    found = replace(found, sampled=sampled)
    return with_pictures(found, before, now), column_issues(name, before, now)


def _is_open(found: ColumnDrift) -> bool:
    """Whether all rows are to be asked: the score is a p-value, for which their number counts, or comes close."""
    if found.score is None or found.threshold is None:
        return False
    return not is_distance(found.method) or abs(found.score - found.threshold) < found.threshold / 2


def _tested(name: str, role: Role, before: Prepared, now: Prepared, threshold: float | None) -> ColumnDrift:
    """The column with the verdict of the test that fits it."""
    sides = tuple(Side(len(side.values), side.missing, side_told(side)) for side in (before, now))
    column = ColumnDrift(name, before.kind, role, reference=sides[0], current=sides[1], note=before.note or now.note)
    for side, where in ((before, "reference"), (now, "current")):
        if side.kind == "none":
            return replace(column, kind="none", note=f"{side.note} in the {where} data")
    if before.kind == "moment":
        return replace(column, note="points in time move on by themselves")
    score = _score(before, now, threshold)
    note = "the length of the texts" if before.kind == "text" else column.note
    return replace(
        column, drifted=score.drifted, method=score.method, score=score.value, threshold=score.threshold, note=note
    )


def _score(before: Prepared, now: Prepared, threshold: float | None) -> Score:
    if before.kind == "text":
        earlier, later = (side.values.str.len().to_numpy(dtype="float64") for side in (before, now))
        return _numeric(earlier, later, threshold)
    if before.kind == "numeric":
        return _numeric(before.values.to_numpy(), now.values.to_numpy(), threshold)
    return count_score(_counts(before.values), _counts(now.values), threshold=threshold)


def _numeric(before: Any, now: Any, threshold: float | None) -> Score:
    import numpy as np

    few = different(before[:FEW_ROWS]) <= FEW_VALUES and different(np.concatenate([before, now])) <= FEW_VALUES
    if few:
        import pandas as pd

        return count_score(_counts(pd.Series(before)), _counts(pd.Series(now)), threshold=threshold)
    return numeric_score(before, now, threshold=threshold)


def _counts(values: Any) -> dict[Any, int]:
    return dict(values.value_counts())


def _worst_first(column: ColumnDrift) -> tuple[int, int, float, str]:
    role = ("target", "prediction", "feature").index(column.role)
    return (0 if column.drifted else 1, role, -column.excess, column.name)
