"""What Tab offers behind `%%stage` and `%pipeline`: verbs, stages, options and their values, parameters, runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stagebook.errors import StagebookError

_STAGE_OPTIONS = ("--only", "--from", "--to")
_OF_STAGES = frozenset({"why", "load", "enter", "test"})
_OF_RUNS = frozenset({"compare", "diff"})
_LISTS_STAGES = ("needs=", "features=")
_FEW = 10
"""Runs that are offered by their ids."""


def complete(_: Any, event: Any) -> list[str]:
    """The words that may stand where the cursor is.

    Args:
        event: IPython's: `line`, `text_until_cursor`, and the `symbol` that is being typed.
    """
    before = str(event.text_until_cursor)
    words = before.split()
    if not before.endswith((" ", "\t")) and words:
        words = words[:-1]
    symbol = str(event.symbol)
    try:
        found = _after_stage(before, words) if before.lstrip().startswith("%%") else _after_pipeline(words)
    except StagebookError:  # the notebook is not in order, or not known: there is nothing to offer
        found = []
    return sorted({word for word in found if word.startswith(symbol)})


def _after_stage(before: str, words: list[str]) -> Iterable[str]:
    """Behind `%%stage`: a stage's name, then options; behind `needs=` stages again."""
    typed = before.rsplit(None, 1)[-1] if before.strip() and not before.endswith((" ", "\t")) else ""
    if len(words) < 2:
        return _stages()
    if typed.startswith(_LISTS_STAGES):
        return _stages()
    from stagebook.book.options import OPTIONS

    return [f"{name}=" for name in OPTIONS]


def _after_pipeline(words: list[str]) -> Iterable[str]:
    from stagebook.live.verbs import verbs

    if len(words) < 2:
        return verbs()
    verb, last = words[1], words[-1]
    if last in _STAGE_OPTIONS:
        return _stages()
    if last in ("-p", "--parameter"):
        return _parameters()
    offered = [*_options(verb)]
    if verb in _OF_STAGES:
        offered += _stages()
    if verb in _OF_RUNS or last == "--run":
        offered += _runs()
    return offered


def _stages() -> list[str]:
    from stagebook.book.cells import read_cells
    from stagebook.book.notebook import read_document
    from stagebook.live.here import this_notebook

    read, _ = read_cells(read_document(this_notebook()))
    return [one.cell.stage for one in read if one.cell.stage]


def _parameters() -> list[str]:
    from stagebook.book.pipeline import load_pipeline
    from stagebook.live.here import this_notebook

    return [parameter.name for parameter in load_pipeline(this_notebook()).parameters]


def _runs() -> list[str]:
    from stagebook.live.here import this_notebook
    from stagebook.run.history import past_runs
    from stagebook.run.request import home_for

    notebook = this_notebook()
    found = past_runs(home_for(notebook.resolve()), notebook.name)
    return [
        "last",
        *(f"last~{number}" for number in range(1, min(len(found), _FEW))),
        *(str(one["id"]) for one in found[:_FEW]),
    ]


def _options(verb: str) -> list[str]:
    from stagebook.commands.all import COMMANDS

    if verb in ("load", "enter"):
        return ["--run"]
    command = next((one for one in COMMANDS if one.name == verb), None)
    return [option for one in (command.params if command else ()) for option in one.opts if option.startswith("-")]
