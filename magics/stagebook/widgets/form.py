"""A form made of the parameters cell: values are chosen, and a run with them is followed below."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets  # noqa: TID253 - the class is made of it; the magics import this module only where a form is wanted

from stagebook.book.bounds import bounds_in
from stagebook.book.pipeline import load_pipeline
from stagebook.book.secrets import shown_values
from stagebook.errors import StagebookError, UsageError
from stagebook.model import Pipeline
from stagebook.run.background import run_words
from stagebook.widgets.fields import Field, message, tell
from stagebook.widgets.pipeline import PipelineView, pipeline_view
from stagebook.widgets.showing import with_text

_PIXELS = 8
"""A letter's width, about."""


def parameter_form(
    notebook: Path, *, store: str | Path | None = None, shell: Any = None, track: bool = True
) -> ParameterForm:
    """A form for a notebook's parameters, as the notebook was last saved; for the arguments see `pipeline_view`.

    Raises:
        StagebookError: the notebook cannot be read, is no pipeline that can run, or has no parameters.
    """
    return ParameterForm(notebook, store=store, shell=shell, track=track)


class ParameterForm(ipywidgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """See `parameter_form`.

    Attributes:
        fields: by name.
        view: the graph in which a run is followed; None before the first.
    """

    def __init__(self, notebook: Path, *, store: str | Path | None, shell: Any, track: bool) -> None:
        self._notebook = notebook
        self._where: dict[str, Any] = {"store": store, "shell": shell, "track": track}
        self._pipeline = load_pipeline(notebook)
        if not self._pipeline.parameters:
            raise UsageError(f"{notebook.name} has no parameters. Tag the cell that binds them `parameters`.")
        self.fields = fields_of(self._pipeline)
        self.view: PipelineView | None = None
        self._button = ipywidgets.Button(description="Run with these values", button_style="primary")
        self._button.layout.width = "auto"
        self._button.on_click(lambda _: self.run())
        self._trouble = message("0px")
        indent = f"8px 0 8px calc({name_width(self._pipeline)} + 6px)"
        below = ipywidgets.HBox([self._button, self._trouble], layout={"margin": indent, "align_items": "center"})
        self._above = [*self.fields.values(), below]
        super().__init__(self._above)

    def run(self) -> None:
        """Start a run with what the fields say; where something is wrong with that, it is said below them."""
        if {field.check() for field in self.fields.values()} != {True}:
            return
        try:
            if self.view is None:
                self.view = pipeline_view(self._notebook, **self._where)
                self.children = [*self._above, self.view]
            self.view.start(self.words(), self.environment())
        except StagebookError as error:
            tell(self._trouble, str(error))
        else:
            tell(self._trouble, "")

    def words(self) -> list[str]:
        """The run's command, without `--json`.

        Raises:
            UsageError: what a field says is no value for its parameter.
        """
        given = {name: text for name, field in self.fields.items() if (text := field.given()) is not None}
        words = run_words(self._notebook, parameters=given)
        return [*words, *(word for name in self._secrets() for word in ("--secret", name))]

    def environment(self) -> dict[str, str]:
        """The variables in which the run's process is given secrets."""
        return {name.upper(): text for name, text in self._secrets().items()}

    def _secrets(self) -> dict[str, str]:
        return {name: text for name, field in self.fields.items() if (text := field.secret()) is not None}

    def as_text(self) -> str:
        """The parameters with their defaults, and how to run with others."""
        values = shown_values(self._pipeline.parameters, {})
        lines = [
            f"  {one.name} = {values[one.name]!r}{f'   # {one.help}' if one.help else ''}"
            for one in self._pipeline.parameters
        ]
        first = self._pipeline.parameters[0].name
        return "\n".join([f"Parameters of {self._notebook.name}:", *lines, f"stagebook run ... -p {first} VALUE"])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        return with_text(super()._repr_mimebundle_(**options), {"text/plain": self.as_text()})


def fields_of(pipeline: Pipeline) -> dict[str, Field]:
    """A field for each parameter, by name."""
    bounds, width = bounds_in(pipeline.cells), name_width(pipeline)
    return {
        one.name: Field(one, bounds.get(one.name), notebook=pipeline.notebook.name, width=width)
        for one in pipeline.parameters
    }


def name_width(pipeline: Pipeline) -> str:
    """Room for the names of all parameters, as CSS has it."""
    longest = max((len(one.name) for one in pipeline.parameters), default=0)
    return f"{min(max(90, _PIXELS * longest + 12), 260)}px"
