"""What a target is: a way to run a notebook, whose results are compared with those of its cells run from top to bottom.

A third party's is an entry point `stagebook.target`, whose name is the target's; it names an object shaped as `Target`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from stagebook.errors import StagebookError
from stagebook.registry import names, plugin
from stagebook.verify.results import Told
from stagebook.verify.work import Work


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a target leaves: what it tells of stages by itself, or the store of a run, which is looked into later.

    Attributes:
        told: by stage.
        store: the folder of a run's store, with the run in it.
    """

    told: Told = field(default_factory=dict)
    store: Path | None = None


class Target(Protocol):
    """A way to run a notebook.

    Attributes:
        says: what it is, in a few words.
        asked: whether it is taken only where somebody names it.
        by_name: whether the notebook's functions and classes have another form in it, so that they are told by name.
    """

    says: str
    asked: bool
    by_name: bool

    def lacks(self) -> str:
        """What has to be installed first, as a sentence; empty where nothing has."""

    def run(self, work: Work) -> Outcome:
        """Run the notebook's copy.

        Raises:
            TargetError: it could not be run to its end.
            StagebookError: it refuses the notebook; the message says where and why.
        """


def targets() -> dict[str, Target]:
    """Those that there are, by name."""
    return {name: target_named(name) for name in sorted(names("target"), key=_place)}


def target_named(name: str) -> Target:
    """The target of this name.

    Raises:
        StagebookError: there is none, or its package cannot be loaded.
    """
    try:
        found: Target = plugin("target", name)
    except ImportError as error:
        raise StagebookError(f"Target `{name}` cannot be loaded: {error}. Install its package anew.") from error
    return found


_ORDER = ("local", "papermill", "dask", "prefect", "python", "kedro", "image")


def _place(name: str) -> tuple[int, str]:
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def lacking(modules: Iterable[str], remedy: str) -> str:
    """A sentence where one of the modules is not installed."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    return f"`{missing[0]}` is not installed: {remedy}" if missing else ""
