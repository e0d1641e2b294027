"""The runs of a notebook that are over, as their `run.json` tells of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from stagebook.book.notebook import read_document
from stagebook.errors import UsageError, did_you_mean
from stagebook.run.request import home_for

Facts = Mapping[str, Any]
"""What `run.json` holds."""


def runs_of(
    notebook: Path, *, store: str | Path | None = None, metric: str | None = None, ascending: bool = False
) -> list[Facts]:
    """The runs of a notebook: the newest first or, by a metric, the highest first.

    Args:
        notebook: its path.
        store: where its results are kept; `.stagebook` beside it by default.
        metric: what to sort by.
        ascending: with a metric, the lowest first.

    Raises:
        StagebookError: there is no such notebook, no run has the metric, or `ascending` comes without one.
    """
    if ascending and metric is None:
        raise UsageError("--ascending goes with --sort METRIC.")
    read_document(notebook)  # a wrong path is told of as everywhere
    found = past_runs(home_for(notebook.resolve(), store), notebook.name)
    return found if metric is None else sorted_by(found, metric, ascending=ascending)


def past_runs(home: Path, notebook: str) -> list[Facts]:
    """The runs of the notebook of this name that are kept in this folder, the newest first.

    A run whose files went elsewhere, as `--out` says, is not among them.
    """
    found: list[Facts] = []
    for path in (home / "runs").glob("*/run.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):  # it is being removed, or is no run's
            facts = json.loads(path.read_text(encoding="utf-8"))
            if Path(facts["notebook"]).name == notebook:
                found.append(facts)
    return sorted(found, key=lambda facts: str(facts["id"]), reverse=True)


def latest_mark(home: Path) -> str:
    """A text that differs once a run that is kept in this folder has begun or has ended.

    It costs a look into the folder, however many runs there are.
    """
    try:
        newest = max((home / "runs").iterdir(), key=lambda path: path.name, default=None)
        return "" if newest is None else f"{newest.name} {newest.stat().st_mtime_ns}"
    except OSError:  # none has been there, or it is being removed
        return ""


def metrics_of(facts: Facts) -> dict[str, float]:
    """The metrics of all its stages."""
    return {name: value for stage in facts["stages"] for name, value in stage["metrics"].items()}


def sorted_by(runs: Sequence[Facts], metric: str, *, ascending: bool) -> list[Facts]:
    """The runs by a metric, those without it last.

    Raises:
        UsageError: no run has it.
    """
    known = {name for facts in runs for name in metrics_of(facts)}
    if runs and metric not in known:
        raise UsageError(f"No run has a metric `{metric}`.{did_you_mean(metric, known)}")

    def rank(facts: Facts) -> tuple[bool, float]:
        value = metrics_of(facts).get(metric, math.nan)
        return math.isnan(value), value if ascending else -value

    return sorted(runs, key=rank)
