"""What a person sees while a run goes on: a live table in a terminal, lines elsewhere, or events as JSON lines."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from stagebook.events import (
    CellStarted,
    ElementsFinished,
    Event,
    Notice,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    event_to_json,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

_MARKS = {
    "done": "✔",
    "reused": "↺",
    "skipped": "⤼",
    "failed": "✘",
    "interrupted": "■",
    "not run": "-",
    "running": "▶",
    "waiting": "·",
}
_COLOURS = {
    "done": "green",
    "reused": "cyan",
    "skipped": "magenta",
    "failed": "bold red",
    "interrupted": "yellow",
    "not run": "dim",
    "running": "bold blue",
    "waiting": "dim",
}


class Progress(Protocol):
    """A listener that has to be closed."""

    def __call__(self, event: Event) -> None:
        """Show the event."""

    def close(self) -> None:
        """Leave the screen in order."""


class JsonLines:
    """Every event as one line of JSON on standard output."""

    def __call__(self, event: Event) -> None:
        """Print the event."""
        print(json.dumps(event_to_json(event), default=repr), flush=True)

    def close(self) -> None:
        """Nothing is open."""


class PlainLines:
    """A line for each stage that starts or ends: for logs and pipes."""

    def __call__(self, event: Event) -> None:
        """Print the event, if it is one that matters to a log."""
        if isinstance(event, StageStarted):
            print(f"{event.stage}: runs ({event.reason})", flush=True)
        elif isinstance(event, ElementsFinished):
            print(f"{event.stage}: {event.done} of {event.total} elements", flush=True)
        elif isinstance(event, StageFinished):
            took = f" in {event.duration:.1f} s" if event.state in ("done", "failed", "interrupted") else ""
            why = f" ({event.reason})" if event.state not in ("done",) else ""
            print(f"{event.stage}: {event.state}{took}{why}", flush=True)
        elif isinstance(event, Notice):
            print(event.message, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class _Row:
    state: str = "waiting"
    cell: str = ""
    reason: str = ""
    started: float = 0.0
    duration: float | None = None


class LiveTable:
    """A table that is redrawn four times a second: stage, state, cell n of m, seconds, why."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._rows: dict[str, _Row] = {}
        self._console = Console()
        self._live = Live(console=self._console, get_renderable=self._table, refresh_per_second=4)
        self._open = False

    def __call__(self, event: Event) -> None:
        """Take the event into the table."""
        if isinstance(event, RunStarted):
            self._rows = {stage: _Row() for stage in event.stages}
            self._live.start()
            self._open = True
        elif isinstance(event, StageStarted):
            self._rows[event.stage] = _Row("running", f"0/{event.cells}", event.reason, time.monotonic())
        elif isinstance(event, CellStarted):
            self._rows[event.stage].cell = f"{event.position}/{event.total}"
        elif isinstance(event, ElementsFinished):
            self._rows[event.stage].cell = f"{event.done}/{event.total} elements"
        elif isinstance(event, StageFinished):
            row = self._rows[event.stage]
            row.state, row.reason, row.duration = event.state, event.reason, event.duration
        elif isinstance(event, Notice):
            self._console.print(event.message, style="yellow", markup=False)
        elif isinstance(event, RunFinished):
            self.close()

    def close(self) -> None:
        """Draw the table a last time and give the screen back."""
        if self._open:
            self._open = False
            self._live.stop()

    def _table(self) -> RenderableType:
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="dim")
        for name in ("", "stage", "state", "cell", "time"):
            table.add_column(name, no_wrap=True, justify="right" if name == "time" else "left")
        table.add_column("why")  # the one column that gives way: its text, not the column, says that it is not wrapped
        for stage, row in self._rows.items():
            colour = _COLOURS[row.state]
            mark, state = Text(_MARKS[row.state], colour), Text(row.state, colour)
            why = Text(row.reason, "dim", no_wrap=True, overflow="ellipsis")
            table.add_row(mark, stage, state, row.cell, _seconds(row), why)
        return table


def _seconds(row: _Row) -> str:
    if row.state == "running":
        return f"{time.monotonic() - row.started:.1f} s"
    return "" if row.duration is None or row.state in ("waiting", "not run", "skipped") else f"{row.duration:.1f} s"


def progress_for(stream: Any, *, as_json: bool) -> Progress:
    """What fits the output: JSON if asked for, a live table in a terminal, else lines."""
    if as_json:
        return JsonLines()
    return LiveTable() if stream.isatty() else PlainLines()
