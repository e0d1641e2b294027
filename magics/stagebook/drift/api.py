"""`drift()`: two tables compared, in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from stagebook.drift.compare import SAMPLE, Asked, compare_tables
from stagebook.drift.result import Drift, Kind
from stagebook.drift.sources import Source, Window, source_named
from stagebook.drift.tables import table_of

HOME = ".stagebook"


def drift(
    reference: Any,
    current: Any,
    *,
    columns: Sequence[str] = (),
    target: str | None = None,
    prediction: str | None = None,
    kinds: Mapping[str, Kind] | None = None,
    threshold: float | None = None,
    thresholds: Mapping[str, float] | None = None,
    limit: float = 0.5,
    sample: int = SAMPLE,
    since: datetime | None = None,
    until: datetime | None = None,
    names: tuple[str, str] | None = None,
    home: str | Path = HOME,
) -> Drift:
    """Compare two tables; shown in a notebook, the result is a card.

    Each column is tested as Evidently tests it by default: up to 1,000 rows before, by a p-value below 0.05, with more
    rows by a distance of at least 0.1.

    Args:
        reference: what the data was before: a DataFrame, a file (Parquet, CSV, Feather), `models:/NAME@ALIAS` for what
            that version was trained on, `NOTEBOOK.ipynb:NAME` for what a stage made, the folder of a log of requests.
        current: what it is now, as `reference`.
        columns: those to compare; all of either side by default.
        target: the column of the labels.
        prediction: the column of the predictions; with both, it is told how good these are.
        kinds: `numeric`, `category`, `text` or `moment` for columns whose type does not say.
        threshold: the score at which drift begins; each test's own by default.
        thresholds: the same for single columns.
        limit: the share of drifted features, from 0 to 1, from which on the whole has drifted; the target's or the
            prediction's drift is one in any case.
        sample: rows to look at first, where there are more; all where these leave a doubt.
        since: of a log, the first moment that is meant.
        until: of a log, the moment before which requests are meant.
        names: what the two are called.
        home: the folder with the runs' record.

    Raises:
        StagebookError: one of them is no table, there is no such column, or an option cannot be.
    """
    window, also = Window(since, until), [name for name in (target, prediction) if name]
    sides = [
        _source(value, said, window, Path(home), also)
        for value, said in zip((reference, current), names or ("reference", "current"), strict=True)
    ]
    asked = Asked(
        tuple(columns), target, prediction, dict(kinds or {}), threshold, dict(thresholds or {}), limit, sample
    )
    called = names or (sides[0].name, sides[1].name)
    return compare_tables(sides[0].table, sides[1].table, asked, names=called)


def _source(value: Any, said: str, window: Window, home: Path, also: Sequence[str]) -> Source:
    if isinstance(value, Source):
        return value
    if isinstance(value, (str, Path)):
        return source_named(str(value), home=home, also=also, window=window)
    return Source(table_of(value, said), said)
