"""A monitor: each window of a service's requests against what the model in use was trained on.

A window is compared once it is over. What is said of it is kept (`history`) before anything follows from it, with the
steps that follow: telling MLflow, telling a webhook, retraining. Each of them is taken off when it is done, so that a
monitor that was killed, or that found a server away, takes up with what is left. MLflow has each window once; a webhook
may hear of one again, under the same id, if the monitor was killed while it was being told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.drift.before import Before, before_of, is_prediction, prediction_in
from stagebook.drift.card import page, summary
from stagebook.drift.compare import Asked, compare_tables
from stagebook.drift.history import History, Reported, Step
from stagebook.drift.requests import FACTS, INPUT, REQUEST, ROW, TIME, is_input, no_log, read_requests
from stagebook.drift.result import Drift
from stagebook.drift.tables import Frame
from stagebook.drift.windows import TimeWindow, due_windows
from stagebook.errors import StagebookError, UsageError, did_you_mean
from stagebook.run.files import write_text

if TYPE_CHECKING:
    import pandas as pd

FEW = 30
"""Rows below which nothing is said of a window."""

Act = Callable[[Reported, History], Reported]
"""A step that follows from a window: it gives it back with what is to be kept of the step."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched, and how.

    Attributes:
        model: `models:/NAME@ALIAS` or the like.
        log: the folder of the service's log of requests.
        home: the folder with the runs' record.
        length: of a window.
        step: from the end of one to the end of the next.
        by: an input that says when a row is of; None for when it was asked.
        target: the column of the labels; None where there are none.
        labels: a table of labels that came later; None where the log holds them.
        on: the columns by which labels and rows belong together; by request and row if there are none.
        asked: how to compare.
        steps: what follows from a window, in this order.
    """

    model: str
    log: Path
    home: Path
    length: timedelta = timedelta(days=7)
    step: timedelta = timedelta(days=1)
    by: str | None = None
    target: str | None = None
    labels: Path | None = None
    on: tuple[str, ...] = ()
    asked: Asked = field(default_factory=Asked)
    steps: Mapping[Step, Act] = field(default_factory=dict)


def history_of(watch: Watch, model: str) -> History:
    """What was reported of a model."""
    return History(watch.home / "monitors" / model, model)


def report_due(watch: Watch, model: str, *, now: datetime | None = None) -> list[Reported]:
    """Look at all windows that are over and were not looked at, the oldest first; do what is left of earlier ones.

    Args:
        watch: what to look at.
        model: the model's name.
        now: what the time is; the clock's, or with `by` the last row's.

    Raises:
        StagebookError: log, labels or training data cannot be read, or a step failed: what is left is done next time.
    """
    history = history_of(watch, model)
    for one in history.reported:
        _follow(one, watch, history)
    times = _times(watch)
    if times is None:
        return []
    last = now or (times[1] if watch.by else datetime.now(timezone.utc))
    found = []
    for window in due_windows(first=times[0], now=last, length=watch.length, step=watch.step, done=history.done):
        found.append(_follow(_reported(watch, history, window), watch, history))
    return found


def _follow(one: Reported, watch: Watch, history: History) -> Reported:
    """Do what is left to be done for a window."""
    for step in one.todo:
        act = watch.steps.get(step)
        if act is not None:
            one = act(one, history)
        one = replace(one, todo=tuple(left for left in one.todo if left != step))
        history.add(one)
    return one


def _reported(watch: Watch, history: History, window: TimeWindow) -> Reported:
    """Compare a window, and keep what comes of it."""
    also = [watch.target] if watch.target else []
    before = before_of(watch.model, watch.home, kept=history.folder, also=also)
    rows = _labelled(_rows(watch, window), watch)
    one = Reported(window.start.isoformat(), window.end.isoformat(), before.version, len(rows))
    if len(rows) < FEW:
        told = "no requests" if not len(rows) else f"fewer than {FEW} rows"
        one = replace(one, note=f"{told}: nothing is said", todo=tuple(_named("record", watch)))
    else:
        found = _compared(before, rows, watch, window)
        name = f"{window.end:%Y%m%dT%H%M}.html"
        history.folder.mkdir(parents=True, exist_ok=True)
        write_text(history.folder / name, page(found))
        one = replace(one, page=name, **_numbers(found), todo=_todo(found, watch))
    history.add(one)
    return one


def _compared(before: Before, rows: pd.DataFrame, watch: Watch, window: TimeWindow) -> Drift:
    prediction = prediction_in(rows)
    target = watch.target if watch.target in rows.columns else None
    others = {name for name in before.table.names if is_prediction(name) and name != prediction}
    known = [name for name in before.table.names if name not in {*others, watch.by}]
    asked = replace(watch.asked, columns=tuple(watch.asked.columns or known), target=target, prediction=prediction)
    return compare_tables(before.table, Frame(rows), asked, names=(before.name, f"requests, {window}"))


def _numbers(found: Drift) -> dict[str, Any]:
    performance = found.performance
    return {
        "share": found.share if found.tested else None,
        "detected": found.detected,
        "drifted": tuple(column.name for column in found.drifted),
        "scores": {column.name: column.score for column in found.tested},
        "performance": dict(performance.current) if performance else {},
        "before": dict(performance.reference) if performance else {},
        "note": summary(found),
    }


def _todo(found: Drift, watch: Watch) -> tuple[Step, ...]:
    steps: list[Step] = ["record", "tell", "retrain"] if found.detected else ["record"]
    return tuple(step for step in steps if step in watch.steps)


def _named(step: Step, watch: Watch) -> list[Step]:
    return [step] if step in watch.steps else []


def _times(watch: Watch) -> tuple[datetime, datetime] | None:
    """The first and the last moment of which there are rows; None where there are none."""
    frame = None
    with suppress(UsageError):
        frame = read_requests(watch.log, columns=[watch.by or TIME])
    if frame is not None:
        moments = _moments(frame[watch.by or TIME], watch).dropna()
        return (moments.min().to_pydatetime(), moments.max().to_pydatetime()) if len(moments) else None
    if not watch.log.is_dir():
        raise no_log(watch.log)
    if watch.by:
        known = [name for name in read_requests(watch.log).columns if is_input(str(name))]
        raise UsageError(f"The request log has no column `{watch.by}`.{did_you_mean(watch.by, known)}")
    return None


def _moments(column: Any, watch: Watch) -> Any:
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column.dtype):
        raise UsageError(f"`{watch.by}` of the request log holds numbers. Name a column of points in time with --by.")
    try:
        return pd.to_datetime(column, utc=True)
    except (ValueError, TypeError) as error:
        raise UsageError(f"`{watch.by}` of the request log is no point in time ({error}).") from error


def _rows(watch: Watch, window: TimeWindow) -> pd.DataFrame:
    """The window's rows."""
    if watch.by is None:
        frame = read_requests(watch.log, since=window.start, until=window.end)
    else:
        frame = read_requests(watch.log)
        moments = _moments(frame[watch.by], watch)
        frame = frame[(moments >= window.start) & (moments < window.end)]
    named: pd.DataFrame = frame.rename(columns=lambda name: str(name).removeprefix(INPUT))
    return named


def _labelled(rows: pd.DataFrame, watch: Watch) -> pd.DataFrame:
    """The rows with their labels, without what is the log's own."""
    if watch.labels is not None:
        from stagebook.drift.sources import source_named

        keys = list(watch.on) or [REQUEST, ROW]
        table = source_named(str(watch.labels), home=watch.home).table
        for key in (*keys, watch.target):
            if key is None or key not in table.names:
                hint = did_you_mean(str(key), table.names)
                raise UsageError(f"{watch.labels.name} has no column `{key}`.{hint}")
        import pandas as pd

        labels = pd.DataFrame({name: table.column(name).to_numpy() for name in (*keys, str(watch.target))})
        missing = [key for key in keys if key not in rows.columns]
        if missing:
            raise UsageError(f"The request log has no column `{missing[0]}`.{did_you_mean(missing[0], rows.columns)}")
        rows = rows.merge(labels.drop_duplicates(keys), on=keys, how="left")
    kept: pd.DataFrame = rows[[name for name in rows.columns if name not in FACTS]]
    return kept


def named_model(reference: str) -> str:
    """The model's name in a reference.

    Raises:
        StagebookError: it names none.
    """
    name = reference.removeprefix("models:/").partition("@")[0].partition("/")[0]
    if not name:
        raise StagebookError(f"`{reference}` names no model. Write models:/NAME@ALIAS.")
    return name
