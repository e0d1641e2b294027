"""What tests stand on: the results of stages that a run would reuse now, and why there is none of the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from stagebook.plan import Selection
from stagebook.run.decisions import make_plan
from stagebook.run.job import StageResult
from stagebook.run.plan import Planner


@dataclass(frozen=True, slots=True)
class Missing:
    """That there is no result of a stage: it would have to run, is skipped as its condition is false, or has failed."""

    stage: str
    state: Literal["stale", "skipped", "failed"]
    reason: str


@dataclass(frozen=True, slots=True)
class Footing:
    """Results by stage, and why there is none of the others.

    Attributes:
        planner: which found them.
        results: those that a run would reuse, and those just made.
        missing: the other stages.
    """

    planner: Planner
    results: Mapping[str, StageResult]
    missing: Mapping[str, Missing]


def footing_of(planner: Planner, made: Mapping[str, StageResult], reasons: Mapping[str, str]) -> Footing:
    """What there is now.

    Args:
        planner: of the notebook, its parameters and store.
        made: results of a run that was done just for this: they count where nothing is stored (`cache=false`).
        reasons: of stages that failed in it, or were left out, why.
    """
    decisions = make_plan(planner, Selection()).decisions
    results: dict[str, StageResult] = {}
    missing: dict[str, Missing] = {}
    for decision in decisions:
        name = decision.stage
        if decision.action == "reuse":
            results[name] = planner.made[name][1]
        elif decision.action == "skip":
            missing[name] = Missing(name, "skipped", decision.reason)
        elif name in made and made[name].state == "skipped":
            missing[name] = Missing(name, "skipped", made[name].decided)
        elif name in made:
            results[name] = made[name]
        elif name in reasons:
            missing[name] = Missing(name, "failed", reasons[name])
        else:
            missing[name] = Missing(name, "stale", decision.reason)
    return Footing(planner, results, missing)


def not_kept(name: str, result: StageResult) -> bool:
    """Whether a stage may well have made a value that was not kept when it ran, since nobody asked for it then."""
    kept = (result.asked, result.outputs, result.tied, result.unstorable)
    return result.state == "done" and not any(name in names for names in kept)
