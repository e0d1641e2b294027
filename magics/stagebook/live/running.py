"""`%pipeline run`, `sweep` and `cancel`: runs in processes of their own, while the prompt stays free."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stagebook.errors import UsageError
from stagebook.live.here import shows_widgets

if TYPE_CHECKING:
    import click


class _UnderWay(Protocol):
    """What can be ended: a view that has started a run, or a process."""

    @property
    def is_running(self) -> bool: ...

    def cancel(self) -> None: ...

    def wait(self, seconds: float | None = None) -> bool: ...


_under_way: list[_UnderWay] = []


def start(command: click.Command, words: Sequence[str]) -> None:
    """Start a run or a sweep, and show how it goes on; a run as a picture where the front end shows widgets.

    Raises:
        StagebookError: the command does not take these words, or the notebook cannot run.
    """
    from stagebook.book.parameters import checked
    from stagebook.book.pipeline import load_pipeline
    from stagebook.commands.options import selection
    from stagebook.live.verbs import parsed
    from stagebook.run.decisions import selected_stages

    asked = parsed(command, words)
    if asked["secrets"]:
        raise UsageError("A secret stands in no cell: set its variable and run `stagebook run`, or use %pipeline form.")
    notebook: Path = asked["notebook"]
    pipeline = load_pipeline(notebook)  # what is wrong is told here, and not by a process
    if command.name == "run":
        selected_stages(pipeline, selection(asked))
        checked(pipeline.parameters, dict(asked["parameters"]), notebook=notebook.name)
    named = [word for word in words if word != "--json"]
    line = [str(command.name), *(named if str(notebook) in named else [str(notebook), *named])]
    _under_way[:] = [one for one in _under_way if one.is_running]
    if shows_widgets():
        view = _view(str(command.name), notebook, asked["store"])
        view.start(line)
        _under_way.append(view)
        return
    from stagebook.run.background import Background

    _under_way.append(Background(line, printed=lambda text: print(text, flush=True), ended=_ended))
    print(f"`stagebook {command.name} {notebook.name}` runs in the background. End it: %pipeline cancel")


def _view(name: str, notebook: Path, store: str | None) -> Any:
    """A picture of a run, or of a sweep, that is shown already and starts what it is told to."""
    if name == "run":
        from stagebook.widgets.pipeline import pipeline_view, show

        view: Any = pipeline_view(notebook, store=store)
        show(view)
        return view
    from IPython.display import display

    from stagebook.widgets.sweep import sweep_view

    view = sweep_view(notebook, store=store)
    display(view)  # type: ignore[no-untyped-call] # IPython's
    return view


def cancel() -> str:
    """End what runs in the background, and say so."""
    running = [one for one in _under_way if one.is_running]
    for one in running:
        one.cancel()
    _under_way[:] = running
    return "It is being ended; what is done is kept." if running else "Nothing runs in the background."


def wait(seconds: float | None = None) -> bool:
    """Wait for what runs in the background, for each up to `seconds`; False if something goes on."""
    for one in list(_under_way):
        one.wait(seconds)
    return not any(one.is_running for one in _under_way)


def _ended(_: int, errors: str) -> None:
    if errors:
        print(errors.removeprefix("stagebook: "), flush=True)
