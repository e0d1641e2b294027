"""`%pipeline run`, `sweep` and `cancel`: runs in processes of their own, while the prompt stays free."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from stagebook.errors import UsageError

if TYPE_CHECKING:
    import click

    from stagebook.run.background import Background


_under_way: list[Background] = []


def start(command: click.Command, words: Sequence[str]) -> None:
    """Start a run or a sweep, and print how it goes on.

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
        raise UsageError("A secret stands in no cell: set its variable and run `stagebook run`, in a terminal.")
    notebook: Path = asked["notebook"]
    pipeline = load_pipeline(notebook)  # what is wrong is told here, and not by a process
    if command.name == "run":
        selected_stages(pipeline, selection(asked))
        checked(pipeline.parameters, dict(asked["parameters"]), notebook=notebook.name)
    named = [word for word in words if word != "--json"]
    line = [str(command.name), *(named if str(notebook) in named else [str(notebook), *named])]
    _under_way[:] = [one for one in _under_way if one.is_running]
    from stagebook.run.background import Background

    _under_way.append(Background(line, printed=lambda text: print(text, flush=True), ended=_ended))
    print(f"`stagebook {command.name} {notebook.name}` runs in the background. End it: %pipeline cancel")


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
