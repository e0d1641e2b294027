"""The runs of a notebook as a table: sorted by any column, some of them beside one another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anywidget  # noqa: TID253 - the class is made of it; the magics import this module only where a table is wanted
import traitlets

from stagebook.commands.comparing import compared
from stagebook.comparetext import side_by_side_sections
from stagebook.errors import StagebookError
from stagebook.run.history import Facts, metrics_of, runs_of
from stagebook.run.request import home_for
from stagebook.text import counted, moment, runs_shown, seconds
from stagebook.widgets.front import module_of, style_of
from stagebook.widgets.showing import with_text

_MOST = 200
_MOST_METRICS = 12


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its head, what stands in it, and by what it is sorted; None where there is nothing, which comes last.

    Attributes:
        number: whether it holds numbers, of which one wants the largest first.
    """

    head: str
    texts: tuple[str, ...]
    keys: tuple[Any, ...]
    number: bool = False

    def places(self) -> list[int | None]:
        """Where each row stands in the column's order; the same for the same key."""
        known = sorted({key for key in self.keys if key is not None})
        return [None if key is None else known.index(key) for key in self.keys]


def runs_table(notebook: Path, *, store: str | Path | None = None) -> RunsTable:
    """The runs of a notebook, the newest first.

    Args:
        notebook: its path.
        store: where its results are kept; `.stagebook` beside it by default.

    Raises:
        StagebookError: there is no such notebook.
    """
    return RunsTable(notebook, store=store)


class RunsTable(anywidget.AnyWidget):
    """See `runs_table`.

    Attributes:
        title: the notebook's name, and how many runs there are.
        heads: of the columns: `text`, and whether it holds numbers.
        rows: `id`, `state`, `texts`, and `places`, each row's in each column's order.
        beside: sections of the comparison of runs that were chosen.
        trouble: why they cannot be compared.
    """

    _esm = module_of("dom.js", "kernel.js", "runs.js")
    _css = style_of("theme.css", "runs.css")

    title = traitlets.Unicode().tag(sync=True)
    heads = traitlets.List(traitlets.Dict()).tag(sync=True)
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    beside = traitlets.List(traitlets.Dict()).tag(sync=True)
    trouble = traitlets.Unicode().tag(sync=True)

    def __init__(self, notebook: Path, *, store: str | Path | None) -> None:
        self._notebook, self._store = notebook, store
        self._runs = runs_of(notebook, store=store)
        super().__init__(**self._shown())
        self.on_msg(self._answer)

    def refresh(self) -> None:
        """Read the runs anew.

        Raises:
            StagebookError: there is no such notebook any more.
        """
        self._runs = runs_of(self._notebook, store=self._store)
        with self.hold_sync():
            for name, value in self._shown().items():
                setattr(self, name, value)

    def compare(self, runs: Sequence[str]) -> None:
        """Show runs beside one another below the table.

        Args:
            runs: their ids, two or more; the oldest is what the others are compared with.

        Raises:
            StagebookError: there is no such run, or one only.
        """
        home = home_for(self._notebook.resolve(), self._store)
        found = compared(sorted(runs), store=home, notebook=self._notebook.name)
        self.beside = [asdict(section) for section in side_by_side_sections(found)]

    def as_text(self) -> str:
        """The runs as text."""
        return runs_shown(self._runs, self._notebook.name, limit=_MOST).text

    def _shown(self) -> dict[str, Any]:
        runs = self._runs[:_MOST]
        columns = columns_of(runs)
        places = [column.places() for column in columns]
        return {
            "title": f"{self._notebook.name}: {counted(len(self._runs), 'run') if self._runs else 'no run yet'}",
            "heads": [{"text": column.head, "number": column.number} for column in columns],
            "rows": [
                {
                    "id": run["id"],
                    "state": run["state"],
                    "texts": [column.texts[at] for column in columns],
                    "places": [place[at] for place in places],
                }
                for at, run in enumerate(runs)
            ],
        }

    def _answer(self, _: Any, content: Mapping[str, Any], __: Any) -> None:
        try:
            self.trouble = ""
            if content.get("do") == "hello":
                self.send({"about": "alive"})
            elif content.get("do") == "refresh":
                self.refresh()
            elif content.get("do") == "compare":
                self.compare([str(run) for run in content.get("runs", ())])
        except StagebookError as error:
            self.trouble = str(error)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        shown = runs_shown(self._runs, self._notebook.name, limit=_MOST)
        return with_text(super()._repr_mimebundle_(**options), {"text/plain": shown.text, "text/html": shown.html})


def columns_of(runs: Sequence[Facts]) -> list[Column]:
    """What the table says of these runs: parameters as far as they differ, metrics."""
    if not runs:
        return []
    ran = [sum(stage["state"] not in ("reused", "not run") for stage in run["stages"]) for run in runs]
    given = [name for name in runs[0]["parameters"] if len({repr(run["parameters"].get(name)) for run in runs}) > 1]
    numbers = [metrics_of(run) for run in runs]
    metrics = list(dict.fromkeys(name for one in numbers for name in one))[:_MOST_METRICS]
    return [
        Column("run", tuple(run["id"] for run in runs), tuple(run["id"] for run in runs)),
        Column("started", tuple(moment(run["started"]) for run in runs), tuple(run["started"] for run in runs)),
        Column("state", tuple(run["state"] for run in runs), tuple(run["state"] for run in runs)),
        _numbers("took", [run["duration"] for run in runs], [seconds(run["duration"]) for run in runs]),
        _numbers("ran", ran, [f"{some} of {len(run['stages'])}" for some, run in zip(ran, runs, strict=True)]),
        *(_parameter(name, [run["parameters"].get(name) for run in runs]) for name in given),
        *(_numbers(name, [one.get(name) for one in numbers]) for name in metrics),
    ]


def _numbers(head: str, values: Sequence[float | None], texts: Sequence[str] | None = None) -> Column:
    """A column of numbers; what is none of them has no place in its order."""
    keys = tuple(None if value is None or math.isnan(value) else value for value in values)
    shown = ["" if value is None else f"{value:.6g}" for value in values] if texts is None else texts
    return Column(head, tuple(shown), keys, number=True)


def _parameter(name: str, values: Sequence[Any]) -> Column:
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        return _numbers(name, values)
    texts = tuple("" if value is None else str(value) for value in values)
    return Column(name, texts, tuple(text or None for text in texts))
