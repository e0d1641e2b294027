"""What a run would do: the frozen values of a plan, and of what may be asked to run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stagebook.model import Pipeline

Action = Literal["reuse", "run", "skip"]


@dataclass(frozen=True, slots=True)
class Change:
    """A part of what a stage's result depends on that is not as it was.

    Attributes:
        part: `code`, `setup`, `python`, or a kind and a name: `parameter:depth`, `input:df`, `package:numpy`,
            `module:helpers/clean.py`, `file:data.csv`.
        before: what it was: code without comments and layout, or a digest of content; None where it was not there.
        now: what it is; None where it is gone.
        run: the run that `before` is of, where it is known.
        detail: what there is to say beyond that, in words: the changed lines, where an input comes from.
    """

    part: str
    before: str | None
    now: str | None
    run: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of a stage, and why, in words for a person; `changes` holds the parts of the reason."""

    stage: str
    action: Action
    reason: str
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stages a run may run.

    Attributes:
        only: just this one.
        start: this one and all that depend on it.
        end: this one and all that it depends on.
        force: run the selected stages even where nothing has changed.
    """

    only: str | None = None
    start: str | None = None
    end: str | None = None
    force: bool = False

    def stages(self, pipeline: Pipeline) -> frozenset[str]:
        """The names of the selected stages."""
        selected = frozenset(stage.name for stage in pipeline.stages)
        if self.only is not None:
            selected &= {self.only}
        if self.start is not None:
            selected &= {self.start} | pipeline.downstream(self.start)
        if self.end is not None:
            selected &= {self.end} | pipeline.upstream(self.end)
        return selected


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, stage by stage, with remarks on what shares a kernel or was learned from earlier runs."""

    pipeline: Pipeline
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...] = ()
