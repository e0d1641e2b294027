"""A form for sweeps: values for each parameter, what counts, and how to look for it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets  # noqa: TID253 - the class is made of it; the magics import this module only where a form is wanted

from stagebook.book.pipeline import load_pipeline
from stagebook.errors import StagebookError, UsageError
from stagebook.model import Parameter, Pipeline
from stagebook.run.axes import read_axes
from stagebook.run.history import metrics_of, runs_of
from stagebook.run.sweep import MOST, Axis
from stagebook.text import counted
from stagebook.widgets.fields import QUIET, Field, message, tell
from stagebook.widgets.form import name_width
from stagebook.widgets.points import PointsTable
from stagebook.widgets.showing import with_text

_NUMBERS = {"grid": "4,6,8 or 1:20:2", "optuna": "1:20, 0.001:0.1:log or 4,6,8"}
_OTHERS = {"str": "a,b,c", "bool": "true,false", "list": "[1, 2],[3, 4]", "dict": '{"a": 1},{"a": 2}'}
_TRIALS = 20


def sweep_form(notebook: Path, *, store: str | Path | None = None, track: bool = True) -> SweepForm:
    """A form that starts sweeps of a notebook, as the notebook was last saved.

    Args:
        notebook: its path.
        store: where results are kept; `.stagebook` beside the notebook by default.
        track: whether sweeps are recorded in MLflow.

    Raises:
        StagebookError: the notebook cannot be read, is no pipeline that can run, or has no parameters.
    """
    return SweepForm(notebook, store=store, track=track)


class SweepForm(ipywidgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """See `sweep_form`.

    Attributes:
        values: the fields for values, by parameter.
        metric: what counts.
        direction: whether more or less of it is better.
        search: `grid` for all combinations, or `optuna`.
        trials: points of a search.
        points: the table in which a sweep is followed.
    """

    def __init__(self, notebook: Path, *, store: str | Path | None, track: bool) -> None:
        self._notebook = notebook
        self._pipeline = load_pipeline(notebook)
        if not self._pipeline.parameters:
            raise UsageError(f"{notebook.name} has no parameters. Tag the cell that binds them `parameters`.")
        self._everywhere = [*(["--store", str(store)] if store else []), *([] if track else ["--no-track"])]
        width = name_width(self._pipeline)
        self.values = {one.name: _values_field(one, width) for one in self._pipeline.parameters if not one.secret}
        self.secrets = {
            one.name: Field(one, None, notebook=notebook.name, width=width)
            for one in self._pipeline.parameters
            if one.secret
        }
        self._wrong = {name: message(width) for name in self.values}
        self.metric = ipywidgets.Combobox(
            options=known_metrics(self._pipeline, store), placeholder="none", description="metric", ensure_option=False
        )
        self.direction = ipywidgets.Dropdown(options=["maximize", "minimize"], layout={"width": "110px"})
        self.search = ipywidgets.Dropdown(
            options=[("all combinations", "grid"), ("search with optuna", "optuna")], description="points"
        )
        self.trials = ipywidgets.BoundedIntText(value=_TRIALS, min=1, max=MOST, description="trials")
        for one in (self.metric, self.search):
            one.style.description_width, one.layout.width = width, "340px"
        self.trials.style.description_width, self.trials.layout.width = "60px", "150px"
        self._button = ipywidgets.Button(description="Run the sweep", button_style="primary", layout={"width": "auto"})
        self._button.on_click(lambda _: self.run())
        self._count = ipywidgets.Label(style={"text_color": QUIET}, layout={"margin": "2px 10px"})
        self._trouble = message("0px")
        self.points = PointsTable()
        super().__init__(self._rows())
        for entry in (*self.values.values(), self.metric, self.direction, self.search, self.trials):
            entry.observe(lambda _: self.check(), "value")
        self.check()

    def check(self) -> bool:
        """Say how many points there will be, and below the fields what is wrong; whether nothing is."""
        searching = self.search.value == "optuna"
        self.trials.layout.display = "" if searching else "none"
        number, fine = 1, True
        for name, entry in self.values.items():
            entry.placeholder = self._hint(name)
            wrong = ""
            try:
                number *= self._many(name, entry.value.strip(), searching=searching)
            except UsageError as error:
                wrong, fine = str(error), False
            tell(self._wrong[name], wrong)
        self._count.value = self._told(self.trials.value if searching else number, fine=fine)
        return fine

    def run(self) -> None:
        """Start the sweep that the fields ask for; where something is wrong with that, it is said below them."""
        if not self.check():
            return
        secret = {name: text for name, field in self.secrets.items() if (text := field.secret()) is not None}
        try:
            self.points.start(self.words(), {name.upper(): text for name, text in secret.items()})
        except StagebookError as error:
            tell(self._trouble, str(error))
        else:
            tell(self._trouble, "")

    def words(self) -> list[str]:
        """The sweep's command, without `--json`."""
        words = ["sweep", str(self._notebook)]
        for name, entry in self.values.items():
            words += ["-p", name, entry.value.strip()] if entry.value.strip() else []
        for name, field in self.secrets.items():
            words += ["--secret", name] if field.secret() is not None else []
        if self.metric.value.strip():
            words += [f"--{self.direction.value}", self.metric.value.strip()]
        if self.search.value == "optuna":
            words += ["--search", "optuna", "--trials", str(self.trials.value)]
        return [*words, *self._everywhere]

    def as_text(self) -> str:
        """How to start a sweep where there is no form."""
        name = next(iter(self.values), "NAME")
        return f"stagebook sweep {self._notebook.name} -p {name} VALUES   (4,6,8 or 1:20:2; --maximize METRIC)"

    def _many(self, name: str, text: str, *, searching: bool) -> int:
        """How many values a text stands for; one where it is empty, or a range to choose from."""
        if not text:
            return 1
        axes = read_axes(self._pipeline.parameters, [(name, text)], notebook=self._notebook.name, search=searching)
        return math.prod(len(axis.values) if isinstance(axis, Axis) else 1 for axis in axes)

    def _hint(self, name: str) -> str:
        """What may be written into an empty field, and what it means if it is left so."""
        parameter = next(one for one in self._pipeline.parameters if one.name == name)
        written = _OTHERS.get(parameter.kind or "") or _NUMBERS[self.search.value]
        default = repr(parameter.value) if parameter.literal else "what the notebook says"
        return f"{written}; empty for {default}"

    def _told(self, number: int, *, fine: bool) -> str:
        """What stands beside the button."""
        self._button.disabled = True
        if not fine:
            return ""
        if number > MOST:
            return f"{number:,} points; {MOST:,} are the most."
        if self.search.value == "optuna" and not self.metric.value.strip():
            return "Name the metric that counts."
        self._button.disabled = False
        return counted(number, "point")

    def _rows(self) -> list[Any]:
        line: Callable[..., Any] = lambda *parts: ipywidgets.HBox(  # noqa: E731 - as short as it is used
            parts, layout={"flex_flow": "row wrap", "align_items": "center"}
        )
        fields = [one for name, entry in self.values.items() for one in (entry, self._wrong[name])]
        start = line(self._button, self._count, self._trouble)
        start.layout.margin = f"8px 0 8px calc({name_width(self._pipeline)} + 6px)"
        asked = [line(self.metric, self.direction), line(self.search, self.trials)]
        return [*fields, *self.secrets.values(), *asked, start, self.points]

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return with_text(super()._repr_mimebundle_(**options), {"text/plain": self.as_text()})


def known_metrics(pipeline: Pipeline, store: str | Path | None) -> list[str]:
    """The metrics that stages name, and those that the last runs have."""
    named = [name for stage in pipeline.stages for name in stage.options.metrics]
    runs: list[Mapping[str, Any]] = list(runs_of(pipeline.notebook, store=store)[:5])
    return list(dict.fromkeys([*(name for run in runs for name in metrics_of(run)), *named]))


def _values_field(parameter: Parameter, width: str) -> Any:
    entry = ipywidgets.Text(description=parameter.name, continuous_update=False, layout={"width": "460px"})
    entry.style.description_width = width
    entry.tooltip = parameter.help or parameter.name
    return entry
