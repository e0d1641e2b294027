"""`%pipeline run`, `sweep`, `cancel`, `wait`: runs in processes of their own, while the prompt stays free."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stagebook.errors import UsageError
from stagebook.widgets.showing import has_front_end, show

if TYPE_CHECKING:
    from stagebook.model import Pipeline


class Job(Protocol):
    """A run or a sweep in the background: a plain one, or one that a widget follows."""

    @property
    def is_running(self) -> bool:
        """Whether its end has not been told yet."""

    def cancel(self) -> None:
        """Have it end as after Ctrl-C."""

    @property
    def outcome(self) -> str:
        """How it ended, where it has not printed that."""

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until its end has been told; False if that takes longer than `seconds`."""


_under_way: list[Job] = []


def start_run(words: Sequence[str], asked: dict[str, Any]) -> None:
    """Start a run, and show how it goes on: in the live graph, or line by line.

    Args:
        words: as they stand after `%pipeline run`.
        asked: what the command makes of them.

    Raises:
        StagebookError: the notebook cannot run so.
    """
    from stagebook.book.parameters import checked
    from stagebook.commands.options import selection
    from stagebook.run.decisions import selected_stages

    pipeline = _checked(asked)
    selected_stages(pipeline, selection(asked))
    checked(pipeline.parameters, dict(asked["parameters"]), notebook=asked["notebook"].name)
    line = _command("run", words, asked)
    if not has_front_end():
        _start_plain(line, asked["notebook"])
        return
    from stagebook.live.here import the_shell
    from stagebook.widgets.pipeline import pipeline_view

    view = pipeline_view(asked["notebook"], store=asked["store"], shell=the_shell())
    show(view)
    view.start(line)
    _note(view)


def start_sweep(words: Sequence[str], asked: dict[str, Any]) -> None:
    """Start a sweep, and show its points as they are done; arguments and errors are those of `start_run`."""
    from stagebook.run.axes import read_axes

    pipeline, name = _checked(asked), asked["notebook"].name
    read_axes(pipeline.parameters, asked["parameters"], notebook=name, search=asked["search"] is not None)
    line = _command("sweep", words, asked)
    if not has_front_end():
        _start_plain(line, asked["notebook"])
        return
    from stagebook.widgets.points import PointsTable

    table = PointsTable()
    show(table)
    table.start(line)
    _note(table)


def cancel() -> str:
    """End what runs in the background, and say so."""
    running = [one for one in _under_way if one.is_running]
    for one in running:
        one.cancel()
    return "It is being ended; what is done is kept." if running else "Nothing runs in the background."


def wait() -> str:
    """Wait until nothing runs in the background; what has come of what ran, a line each, where no line told it yet."""
    if not _under_way:
        return "Nothing runs in the background."
    told = []
    try:
        for one in list(_under_way):
            one.wait()
            told.append(one.outcome)
            _under_way.remove(one)
    except KeyboardInterrupt:
        told.append("No longer waiting; what runs goes on. End it: %pipeline cancel")
    return "\n".join(filter(None, told))


def _checked(asked: dict[str, Any]) -> Pipeline:
    """The pipeline; what is wrong with it is told here, and not by a process."""
    from stagebook.book.pipeline import load_pipeline

    pipeline = load_pipeline(asked["notebook"])
    secret = {one.name for one in pipeline.parameters if one.secret}
    shown = next((name for name, _ in asked["parameters"] if name in secret), None)
    if shown is not None:
        raise UsageError(f"`{shown}` is a secret, and a notebook keeps what stands in its cells. {_hand_over(shown)}")
    for name in asked["secrets"]:
        if name in secret and not os.environ.get(name.upper()):
            raise UsageError(f"The variable {name.upper()} is not set in this kernel. {_hand_over(name)}")
    return pipeline


def _hand_over(secret: str) -> str:
    return f"Use %pipeline form, or set {secret.upper()} before Jupyter starts, and say --secret {secret}."


def _command(verb: str, words: Sequence[str], asked: dict[str, Any]) -> list[str]:
    named = [word for word in words if word != "--json"]
    notebook = str(asked["notebook"])
    return [verb, *(named if notebook in named else [notebook, *named])]


def _start_plain(line: Sequence[str], notebook: Path) -> None:
    from stagebook.run.background import Background

    _note(Background(line, printed=lambda text: print(text, flush=True), ended=_ended))
    print(f"`stagebook {line[0]} {notebook.name}` runs in the background. End it: %pipeline cancel")


def _note(job: Job) -> None:
    _under_way[:] = [*(one for one in _under_way if one.is_running), job]


def _ended(_: int, errors: str) -> None:
    if errors:
        print(errors.removeprefix("stagebook: "), flush=True)
