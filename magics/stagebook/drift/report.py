"""Evidently's report of the same comparison, as a file: megabytes of plots, made by a process of its own.

Evidently drops columns of some types without a word, and fails as a whole at others. So it is given what our tests
have taken columns for, of rows that are drawn with a fixed seed; what cannot be tested is left out, as the card says.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.drift.tables import drawn_rows
from stagebook.errors import StagebookError
from stagebook.run.files import write_text
from stagebook.run.sockets import PREFIX, temporary

if TYPE_CHECKING:
    import pandas as pd

    from stagebook.drift.result import ColumnDrift, Drift
    from stagebook.drift.tables import Table

ROWS = 20_000
"""Rows of each side that the report is made of."""

_SIDES = ("reference", "current")
_WAITING = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>Drift</title></head><body><p>Evidently's report is being made. This page shows it when it is there.</p></body>
</html>
"""


def begin_report(reference: Table, current: Table, drift: Drift, path: Path) -> subprocess.Popen[bytes]:
    """Have the report written, by a process that nobody waits for; until then there is a page that waits for it.

    Args:
        reference: what the data was before.
        current: what it is now.
        drift: what came of comparing them.
        path: where to write.

    Raises:
        StagebookError: nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_WAITING, encoding="utf-8")
    except OSError as error:
        raise StagebookError(f"The report cannot be written to {path}: {error.strerror}.") from error
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}drift-", dir=temporary()))
    columns = [column for column in drift.columns if column.score is not None and column.kind != "text"]
    for side, table in zip(_SIDES, (reference, current), strict=True):
        _cleaned(table, columns).to_feather(folder / f"{side}.feather")
    roles = {column.role: column.name for column in columns if column.role != "feature"}
    order = [str(folder), str(path.resolve()), roles.get("target", ""), roles.get("prediction", "")]
    return subprocess.Popen(
        [sys.executable, "-m", "stagebook.drift.report", *order],
        env={**os.environ, "DO_NOT_TRACK": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _cleaned(table: Table, columns: list[ColumnDrift]) -> pd.DataFrame:
    """The columns as our tests took them: floats, or texts."""
    import pandas as pd

    from stagebook.drift.columns import prepared

    drawn = drawn_rows(table, ROWS)
    found = {}
    for column in columns:
        values = prepared(_rows(table.column(column.name), drawn), kind=column.kind).values
        plain = values.astype("float64") if column.kind == "numeric" else values.map(str)
        found[column.name] = plain.reindex(range(min(table.rows, ROWS)))
    frame: pd.DataFrame = pd.DataFrame(found)
    return frame


def _rows(column: pd.Series[Any], drawn: Any) -> pd.Series[Any]:
    """These rows of a column, counted anew."""
    found: pd.Series[Any] = (column if drawn is None else column.iloc[drawn]).reset_index(drop=True)
    return found


def _write(folder: Path, path: Path, target: str, prediction: str) -> int:
    """What the process does; its exit status."""
    import shutil

    import pandas as pd

    try:
        before, now = (pd.read_feather(folder / f"{side}.feather") for side in _SIDES)
        text = evidently_page(before, now, target=target or None, prediction=prediction or None)
    except Exception as error:  # whatever it is, who opens the page is to know
        from html import escape

        told = escape(f"{type(error).__name__}: {error}")
        text = f"<!doctype html><title>Drift</title><p>Evidently could not make this report: {told}</p>"
        status = 1
    else:
        status = 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    write_text(path, text)
    return status


def evidently_page(
    reference: pd.DataFrame, current: pd.DataFrame, *, target: str | None = None, prediction: str | None = None
) -> str:
    """Evidently's page: drift and summary of every column and, with target and prediction, how good these are.

    Args:
        reference: what the data was before; columns of floats or texts.
        current: the same now.
        target: the column of the labels.
        prediction: the column of the predictions.
    """
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset, DataSummaryPreset

    numeric = [name for name in reference.columns if reference[name].dtype.kind == "f"]
    others = [name for name in reference.columns if name not in numeric]
    metrics: list[Any] = [DataDriftPreset(), DataSummaryPreset()]
    more: dict[str, Any] = {}
    if target in numeric and prediction in numeric:
        from evidently import Regression
        from evidently.presets import RegressionPreset

        more = {"regression": [Regression(target=target, prediction=prediction)]}
        metrics.append(RegressionPreset())
    elif target in others and prediction in others:
        from evidently import MulticlassClassification
        from evidently.presets import ClassificationPreset

        more = {"classification": [MulticlassClassification(target=target, prediction_labels=prediction)]}
        metrics.append(ClassificationPreset())
    definition = DataDefinition(numerical_columns=numeric, categorical_columns=others, **more)
    sides = [Dataset.from_pandas(frame, data_definition=definition) for frame in (current, reference)]
    return str(Report(metrics).run(*sides).get_html_str(as_iframe=False))


if __name__ == "__main__":
    sys.exit(_write(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]))
