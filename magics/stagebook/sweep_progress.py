"""What a person sees while a sweep goes on: a live table of its points in a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from stagebook.events import (
    Event,
    Notice,
    PointEvent,
    PointFinished,
    PointStarted,
    StageFinished,
    StageStarted,
    SweepFinished,
    SweepStarted,
)
from stagebook.progress import JsonLines, Progress
from stagebook.run.sweep import Objective, PointRecord, label, ranked, shown
from stagebook.sweep_text import point_line

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_MOST_ROWS = 12
_STYLES = {"done": "green", "failed": "bold red", "interrupted": "yellow"}


class _Notices:
    """Which notices were shown: what many points have to say is said once."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def new(self, event: Event) -> str | None:
        """The message of a notice that was not shown yet."""
        inner = event.event if isinstance(event, PointEvent) else event
        if not isinstance(inner, Notice) or inner.message in self._seen:
            return None
        self._seen.add(inner.message)
        return inner.message


class SweepLines:
    """A line for each point that ends: for logs and pipes."""

    def __init__(self) -> None:
        self._started: SweepStarted | None = None
        self._notices = _Notices()

    def __call__(self, event: Event) -> None:
        """Print the event, if it is one that matters to a log."""
        if isinstance(event, SweepStarted):
            self._started = event
            over = "; ".join(f"{name}: {values}" for name, values in event.swept.items())
            print(f"{event.points} points ({over})", flush=True)
        elif isinstance(event, PointFinished) and self._started is not None:
            started = self._started
            print(
                point_line(event.record, started.points, swept=tuple(started.swept), metric=started.metric), flush=True
            )
        message = self._notices.new(event)
        if message:
            print(message, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class _Running:
    parameters: Mapping[str, Any]
    started: float
    stages: list[str] = field(default_factory=list)


class SweepTable:
    """A table that is redrawn four times a second: what runs, and the best points so far."""

    def __init__(self) -> None:
        from rich.console import Console

        self._started: SweepStarted | None = None
        self._objective: Objective | None = None
        self._running: dict[int, _Running] = {}
        self._records: list[PointRecord] = []
        self._notices = _Notices()
        self._console = Console()
        self._live: Live | None = None

    def __call__(self, event: Event) -> None:
        """Take the event into the table."""
        if isinstance(event, SweepStarted):
            self._started = event
            direction: Any = event.direction
            self._objective = Objective(event.metric, direction) if event.metric else None
            self._start()
        elif isinstance(event, PointStarted):
            self._running[event.point] = _Running(event.parameters, time.monotonic())
        elif isinstance(event, PointEvent):
            self._take_stage(event)
        elif isinstance(event, PointFinished):
            self._running.pop(event.point, None)
            self._records.append(event.record)
        elif isinstance(event, SweepFinished):
            self.close()
        message = self._notices.new(event)
        if message:
            self._console.print(message, style="yellow", markup=False)

    def close(self) -> None:
        """Take the table away: what comes after it tells all that it told."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _start(self) -> None:
        from rich.live import Live

        live = Live(console=self._console, get_renderable=self._table, refresh_per_second=4, transient=True)
        live.start()
        self._live = live

    def _take_stage(self, event: PointEvent) -> None:
        running, inner = self._running.get(event.point), event.event
        if running is None:
            return
        if isinstance(inner, StageStarted):
            running.stages.append(inner.stage)
        elif isinstance(inner, StageFinished) and inner.stage in running.stages:
            running.stages.remove(inner.stage)

    def _table(self) -> RenderableType:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        started = self._started
        assert started is not None, "drawn only once the sweep has started"
        metrics = self._metrics()
        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("point", *started.swept, *metrics, "time"):
            table.add_column(name, no_wrap=True, justify="right")
        table.add_column("")  # gives way to the numbers where there is not room for all
        for number, running in sorted(self._running.items()):
            given = [shown(running.parameters[name]) for name in started.swept]
            took = f"{time.monotonic() - running.started:.1f} s"
            doing = Text(f"▶ {', '.join(running.stages)}" if running.stages else "▶", "bold blue")
            doing.no_wrap, doing.overflow = True, "ellipsis"
            table.add_row(str(number), *given, *("" for _ in metrics), took, doing)
        for record in self._to_show():
            given = [shown(record.parameters[name]) for name in started.swept]
            values = [f"{record.metrics[name]:.5g}" if name in record.metrics else "" for name in metrics]
            state = Text(record.state if not record.reason else f"{record.state}: {record.reason}")
            state.stylize(_STYLES[record.state])
            state.no_wrap, state.overflow = True, "ellipsis"
            table.add_row(str(record.number), *given, *values, f"{record.duration:.1f} s", state)
        return Group(Text(self._headline(started)), table)

    def _to_show(self) -> list[PointRecord]:
        """The best points, or the latest where nothing makes one better, as many as there is room for."""
        room = max(3, min(_MOST_ROWS, self._console.height - len(self._running) - 4))
        if self._objective:
            return ranked(self._records, self._objective)[:room]
        return self._records[::-1][:room]

    def _metrics(self) -> list[str]:
        names = sorted({name for record in self._records for name in record.metrics})
        wanted = self._objective.metric if self._objective else None
        return sorted(names, key=lambda name: name != wanted)[:4]

    def _headline(self, started: SweepStarted) -> str:
        failed = sum(record.state == "failed" for record in self._records)
        told = f"{len(self._records)} of {started.points} points, {len(self._running)} running"
        told += f", {failed} failed" if failed else ""
        first = next(iter(ranked(self._records, self._objective)), None) if self._objective else None
        if first is not None and self._objective and first.state == "done":
            value = self._objective.value(first.metrics)
            if value is not None:
                told += (
                    f"; best {self._objective.metric} {value:.5g} with {label(first.parameters, tuple(started.swept))}"
                )
        return told


def sweep_progress_for(stream: Any, *, as_json: bool) -> Progress:
    """What fits the output: JSON if asked for, a live table in a terminal, else lines."""
    if as_json:
        return JsonLines()
    return SweepTable() if stream.isatty() else SweepLines()
