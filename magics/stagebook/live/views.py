"""What a notebook shows of its pipeline beside text: the live graph, forms, the table of runs."""

from __future__ import annotations

from pathlib import Path

from stagebook.live.here import the_shell
from stagebook.widgets.showing import has_front_end, show


def show_pipeline(notebook: Path) -> None:
    """The live graph below the cell; in a terminal, the graph as text.

    Raises:
        StagebookError: the notebook cannot be read, or is no pipeline that can run.
    """
    from stagebook.widgets.pipeline import pipeline_view

    show(pipeline_view(notebook, shell=the_shell()))


def show_form(notebook: Path) -> None:
    """A form for the notebook's parameters.

    Raises:
        StagebookError: the notebook cannot be read, is no pipeline that can run, or has no parameters.
    """
    from stagebook.widgets.form import parameter_form

    show(parameter_form(notebook, shell=the_shell()))


def show_sweep_form(notebook: Path) -> None:
    """A form that starts sweeps; errors are those of `show_form`."""
    from stagebook.widgets.sweep import sweep_form

    show(sweep_form(notebook))


def show_runs(
    notebook: Path, *, store: str | None, metric: str | None, ascending: bool, limit: int, choosing: bool
) -> None:
    """The notebook's runs: those that are asked for or, for `choosing`, a table to sort and choose from.

    Raises:
        StagebookError: there is no such notebook, or no run has the metric.
    """
    if choosing and has_front_end():
        from stagebook.widgets.runs import runs_table

        show(runs_table(notebook, store=store))
        return
    from IPython.display import display

    from stagebook.run.history import runs_of
    from stagebook.text import runs_shown

    found = runs_of(notebook, store=store, metric=metric, ascending=ascending)
    display(runs_shown(found, notebook.name, limit=limit, metric=metric))  # type: ignore[no-untyped-call] # IPython's
