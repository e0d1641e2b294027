"""A sweep under way, as a table of its points; its picture at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget  # noqa: TID253 - the class is made of it; the magics import this module only where a form is wanted
import traitlets

from stagebook.errors import StagebookError, UsageError
from stagebook.run.background import Background
from stagebook.run.sweep import label, shown
from stagebook.text import seconds
from stagebook.widgets.following import Following
from stagebook.widgets.front import module_of, style_of
from stagebook.widgets.showing import with_text
from stagebook.widgets.standing import PointNow, SweepNow, sweep_after

_MOST_ROWS = 200
_MOST_METRICS = 8


class PointsTable(anywidget.AnyWidget):
    """A sweep of a notebook, followed in a table.

    Attributes:
        now: what is said of it, how many points are over of how many, whether it is under way.
        heads: of the table's columns.
        rows: the points, the best first: `texts`, `state`, `best`.
        picture: at the end, the sweep's picture as SVG, and what it shows.
    """

    _esm = module_of("dom.js", "kernel.js", "points.js")
    _css = style_of("theme.css", "runs.css", "points.css")

    now = traitlets.Dict().tag(sync=True)
    heads = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    picture = traitlets.Dict().tag(sync=True)

    def __init__(self) -> None:
        self._background: Background | None = None
        self._following: Following[SweepNow] | None = None
        self._minimize = False
        self._best = ""
        super().__init__()
        self.on_msg(self._answer)

    @property
    def is_running(self) -> bool:
        """Whether a sweep that was started here is under way."""
        return self._following is not None

    def start(self, words: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a sweep in a process of its own.

        Args:
            words: of the command line: `["sweep", "flights.ipynb", "-p", "depth", "4,6,8"]`.
            environment: variables for the process, secrets among them.

        Raises:
            UsageError: one is under way already, or it cannot be started.
        """
        if self.is_running:
            raise UsageError("A sweep is under way here. Wait for its end, or cancel it.")
        self._minimize = "--minimize" in words
        following = Following(SweepNow(), fold=sweep_after, changed=self._show, whole=("SweepStarted", "SweepFinished"))
        self._following = following
        self.picture, self._best = {}, ""
        self._show(following.now)
        try:
            self._background = Background(words, told=following, ended=self._end, environment=environment)
        except StagebookError:
            self._following = None
            raise

    @property
    def outcome(self) -> str:
        """How the last sweep that was started here ended, and what went wrong."""
        return "\n".join(filter(None, (self.now.get("said"), self._best, self.now.get("trouble"))))

    def cancel(self) -> None:
        """Have the sweep end as after Ctrl-C: the points that are over are kept."""
        if self._background is not None:
            self._background.cancel()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the sweep has ended and is shown; False if that takes longer than `seconds`."""
        return self._background is None or self._background.wait(seconds)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        text = "A sweep, point by point, where widgets are shown; %pipeline wait says how it ended."
        return with_text(super()._repr_mimebundle_(**options), {"text/plain": text})

    def _show(self, sweep: SweepNow, said: str = "", trouble: str = "") -> None:
        heads, rows = table_of(sweep, minimize=self._minimize)
        with self.hold_sync():
            self.heads, self.rows = heads, rows
            self.now = {
                "said": said or _said(sweep),
                "planned": sweep.planned,
                "over": sweep.over,
                "running": self.is_running,
                "trouble": trouble,
            }

    def _end(self, status: int, errors: str) -> None:
        """Take in how the sweep ended; called in the thread that its events came in."""
        following, self._following = self._following, None
        sweep = following.close() if following is not None else SweepNow()
        said = _said(sweep)
        if not sweep.state:
            said = "The sweep was interrupted." if status == 130 else "The sweep could not be started."
        trouble = [*sweep.notices, *([errors] if not sweep.state and status != 130 else [])]
        drawn = Path(sweep.folder, "sweep.svg")
        if sweep.folder and drawn.is_file():
            self.picture = {"svg": drawn.read_text(encoding="utf-8"), "said": f"Parallel coordinates: {said}"}
        self._best = _best(sweep)
        self._show(sweep, said, "\n".join(trouble))

    def _answer(self, _: Any, content: Mapping[str, Any], __: Any) -> None:
        if content.get("do") == "hello":
            self.send({"about": "alive"})
        elif content.get("do") == "cancel":
            self.cancel()


def table_of(sweep: SweepNow, *, minimize: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Heads and rows of the points: the best first, then those that run, then what has no value.

    Args:
        sweep: how it stands.
        minimize: whether less of its metric is better.
    """
    names = {name for point in sweep.points.values() for name in point.metrics}
    metrics = sorted(names, key=lambda name: (name != sweep.metric, name))[:_MOST_METRICS]
    points = sorted(sweep.points.values(), key=lambda point: _rank(point, sweep.metric, minimize=minimize))
    heads = [("point", True), *((name, False) for name in sweep.swept), *((name, True) for name in metrics)]
    heads += [("state", False), ("took", True), ("", False)]
    rows = [
        {
            "texts": [
                str(point.number),
                *(shown(point.parameters[name]) if name in point.parameters else "" for name in sweep.swept),
                *(f"{point.metrics[name]:.6g}" if name in point.metrics else "" for name in metrics),
                point.state,
                seconds(point.duration),
                "best" if point.number == sweep.best else point.reason,
            ],
            "state": point.state,
            "best": point.number == sweep.best,
        }
        for point in points[:_MOST_ROWS]
    ]
    return [{"text": text, "number": number} for text, number in heads], rows


def _rank(point: PointNow, metric: str | None, *, minimize: bool) -> tuple[int, float, int]:
    value = point.metrics.get(metric, math.nan) if metric and point.state == "done" else math.nan
    if math.isnan(value):
        return (1 if point.state == "running" else 2 if metric else 0, 0.0, point.number)
    return (0, value if minimize else -value, point.number)


def _said(sweep: SweepNow) -> str:
    """How far the sweep is, in a line."""
    if not sweep.id:
        return "The sweep starts."
    failed = sum(point.state == "failed" for point in sweep.points.values())
    told = f"{sweep.over} of {sweep.planned} points"
    ends = {"done": "are done", "interrupted": "were done when it was interrupted"}
    return f"{told} {ends.get(sweep.state, 'are over')}{f', {failed} failed' if failed else ''}."


def _best(sweep: SweepNow) -> str:
    """Which point is the best one, in a line; nothing where nobody has asked."""
    point = sweep.points.get(sweep.best) if sweep.best is not None else None
    if point is None or sweep.metric is None or sweep.metric not in point.metrics:
        return ""
    value = f"{sweep.metric} {point.metrics[sweep.metric]:.6g}"
    return f"Best: {value}, point {point.number}: {label(point.parameters, sweep.swept)}"
