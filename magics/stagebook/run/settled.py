"""What has come of the stages of a run so far, and in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from itertools import starmap

from stagebook.book.hidden import is_hidden
from stagebook.errors import CorruptBlobError, StoreError, UnsignedBlobError
from stagebook.model import Pipeline, Stage, frozen_map
from stagebook.run.clock import Clock
from stagebook.run.gating import Gate
from stagebook.run.job import Failure, Phase, StageResult
from stagebook.run.plan import Planner, Verdict

PATIENCE = 8
"""How often a stage may run in one run."""
REFUSED = (CorruptBlobError.__name__, UnsignedBlobError.__name__)
"""Failures of a stage for which a stored value that it takes is to blame."""
SKIPPED = "skipped"
"""In place of a fingerprint: of stages that are skipped since another one is."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A stage's result and the content of the inputs that it came from."""

    verdict: Verdict
    result: StageResult
    reused: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of every stage: its state, its result where it has one, the reason for both, what its gate said."""

    settled: Mapping[str, Settled]
    reasons: Mapping[str, str]
    interrupted: bool
    gates: Mapping[str, Gate] = field(default_factory=frozen_map)


def failed(settled: Settled, failure: Failure) -> Settled:
    """The same stage, failed after all."""
    return replace(settled, result=replace(settled.result, state="failed", failure=failure))


def remembered(planner: Planner, verdict: Verdict, result: StageResult) -> StageResult:
    """The result, once it is kept; failed where it cannot be."""
    clock = Clock()
    try:
        with clock.phase("record"):
            planner.remember(verdict, result)
    except StoreError as error:
        result = replace(result, state="failed", failure=Failure("StoreError", str(error)))
    return replace(result, phases=(*result.phases, *starmap(Phase, clock.take())))


class Unchanged:
    """Which stages are settled by what they were settled by when last looked at: there is no need to look again."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[Pipeline, Settled, tuple[tuple[str, Settled], ...]]] = {}

    def note(self, stage: str, pipeline: Pipeline, settled: Mapping[str, Settled]) -> None:
        """A stage is settled, from the results of the stages that it depends on."""
        sources = tuple((source, settled[source]) for source in pipeline.sources(stage))
        self._seen[stage] = (pipeline, settled[stage], sources)

    def has(self, stage: str, pipeline: Pipeline, settled: Mapping[str, Settled], ready: set[str]) -> bool:
        """Whether all that was noted is as it was; a stage that is done, after such that are ready, is ready then."""
        seen = self._seen.get(stage)
        if seen is None or seen[0] is not pipeline or settled.get(stage) is not seen[1]:
            return False
        if any(settled.get(source) is not before for source, before in seen[2]):
            return False
        if seen[1].result.state == "done" and all(source in ready for source, _ in seen[2]):
            ready.add(stage)
        return True


def held(stage: str, pipeline: Pipeline, settled: Mapping[str, Settled]) -> dict[str, str]:
    """Names that `stage` takes and that cannot be stored, each with the stage whose kernel holds it."""
    return {
        name: source
        for name, source in pipeline.inputs[stage].items()
        if source in settled and name in settled[source].result.unstorable
    }


def has_met(
    stage: str, now: Settled, contents: Mapping[str, str], pipeline: Pipeline, *, share: Callable[[str, str], bool]
) -> bool:
    """Whether a stage has run from these contents, though it was not known then.

    That is so where all that it has come to take is the state of the kernel in which those ran that it takes it from.
    """
    before, taken = now.verdict.inputs, pipeline.inputs[stage]
    differing = {name for name in before.keys() | contents.keys() if before.get(name) != contents.get(name)}
    return all(
        name in contents and is_hidden(name) and name not in before and share(stage, taken[name]) for name in differing
    )


def unsettled(stage: Stage, pipeline: Pipeline) -> Failure:
    """The failure of a stage whose inputs come out different each time it is to be settled."""
    taken = ", ".join(f"`{name}`" for name in sorted(pipeline.inputs[stage.name]) if not is_hidden(name))
    message = f"it has run {PATIENCE} times: what it takes ({taken}) comes out different each time."
    return Failure("Unsettled", message, stage.cells[0].number, "Put the stages that share a kernel into one.")


def stages_before(stage: Stage, pipeline: Pipeline) -> list[Stage]:
    """The stages that begin above `stage` in the notebook."""
    stages = sorted(pipeline.stages, key=lambda one: one.cells[0].number)
    return stages[: stages.index(stage)]


def is_blocked(stage: str, pipeline: Pipeline, settled: Mapping[str, Settled], selected: Set[str]) -> bool:
    """Whether a stage may not run, or one that it depends on has failed or may not."""
    return stage not in selected or any(
        (name not in selected and name not in settled) or (name in settled and settled[name].result.state != "done")
        for name in pipeline.upstream(stage)
    )


def why_not_run(
    stage: str, pipeline: Pipeline, settled: Mapping[str, Settled], selected: Set[str], reasons: Mapping[str, str]
) -> str:
    """Why a stage was never started: what it waits for failed, or was left out."""
    if stage not in selected:
        return reasons.get(stage, "it is not selected")
    for name in sorted(pipeline.upstream(stage)):
        source = settled.get(name)
        if source is not None and source.result.state != "done":
            return f"`{name}` failed" if source.result.state == "failed" else f"`{name}` was interrupted"
        if source is None and name not in selected:
            why = reasons.get(name, "it is not selected")
            return f"it needs `{name}`, which has no result that can be used: {why}. Use --to {stage}."
    return "the run was interrupted"
