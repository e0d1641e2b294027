"""Why a stage would run, or need not: its own changes line by line, and those of the stages that it waits for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stagebook.book.pipeline import load_pipeline
from stagebook.errors import UsageError, did_you_mean
from stagebook.plan import Change
from stagebook.run.status import StageStatus, notebook_status

_AROUND = 2
"""Lines that are shown around changed ones."""
_TEXTS = frozenset({"code", "setup"})


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a stage stands and why.

    Attributes:
        stage: how it stands.
        lines: of its code and the setup that it uses, where they have changed, the lines: ` `, `-` or `+` first.
        before: the same of the stages before it that would run, in the order in which they do.
    """

    stage: StageStatus
    lines: Mapping[str, tuple[str, ...]]
    before: tuple[Explanation, ...] = ()


def explained(
    notebook: Path, stage: str, *, parameters: Mapping[str, Any] | None = None, store: str | Path | None = None
) -> Explanation:
    """Why a run with these parameters would run the stage, or would not; nothing is run or written.

    Raises:
        StagebookError: there is no such stage, or the notebook or a parameter is not in order.
    """
    pipeline = load_pipeline(notebook)
    names = [one.name for one in pipeline.stages]
    if stage not in names:
        raise UsageError(f"There is no stage `{stage}` in {notebook.name}.{did_you_mean(stage, names)}")
    found = {one.stage: one for one in notebook_status(notebook, parameters=parameters, store=store).stages}
    upstream = pipeline.upstream(stage)
    waiting = [name for name in names if name in upstream and found[name].state not in ("fresh", "skipped")]
    before = tuple(Explanation(found[name], _lines(found[name].changes)) for name in waiting)
    return Explanation(found[stage], _lines(found[stage].changes), before)


def _lines(changes: tuple[Change, ...]) -> dict[str, tuple[str, ...]]:
    return {one.part: _difference(one) for one in changes if one.part in _TEXTS and one.before is not None}


def _difference(change: Change) -> tuple[str, ...]:
    before, now = (text.splitlines() for text in (change.before or "", change.now or ""))
    steps = difflib.unified_diff(before, now, lineterm="", n=_AROUND)
    return tuple(line for line in steps if not line.startswith(("---", "+++", "@@")))
