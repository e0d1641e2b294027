"""From a planner to a plan: a decision for each stage, in the order in which they can run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stagebook.errors import UsageError, did_you_mean
from stagebook.model import Pipeline, Stage
from stagebook.plan import Decision, Plan, Selection
from stagebook.run.contents import input_contents
from stagebook.run.job import StageResult
from stagebook.run.plan import Planner, Verdict


def make_plan(planner: Planner, selection: Selection) -> Plan:
    """What a run would do. A stage after one that runs is shown as running; if its inputs come out as before, it won't.

    Raises:
        UsageError: the selection leaves out a stage that it needs and whose stored result cannot be used.
    """
    judged: dict[str, _Judged] = {}
    while True:
        pipeline = planner.pipeline
        selected = selected_stages(pipeline, selection)
        decisions: list[Decision] = []
        reused: dict[str, StageResult] = {}
        for stage in pipeline.stages:
            decisions.append(_decision(planner, stage, reused, selected, selection, judged))
            if stage.name in reused:
                planner.learn(reused[stage.name])
            if planner.pipeline is not pipeline:  # it changes an input that nobody knew of: others take other values
                break
        else:
            return Plan(pipeline, tuple(decisions), (*planner.kept_together(), *planner.hidden_flow()))


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was found of a stage for these inputs, from these stages, when others took these names from it."""

    inputs: Mapping[str, str]
    sources: Mapping[str, str]
    required: frozenset[str]
    verdict: Verdict


def selected_stages(pipeline: Pipeline, selection: Selection) -> frozenset[str]:
    """The names of the selected stages; UsageError for a name that is no stage."""
    known = [stage.name for stage in pipeline.stages]
    for name in (selection.only, selection.start, selection.end):
        if name is not None and name not in known:
            raise UsageError(f"There is no stage `{name}` in {pipeline.notebook.name}.{did_you_mean(name, known)}")
    selected = selection.stages(pipeline)
    if not selected:
        raise UsageError("No stage is in all that --only, --from and --to name: they leave nothing to run.")
    return selected


def _decision(
    planner: Planner,
    stage: Stage,
    reused: dict[str, StageResult],
    selected: frozenset[str],
    selection: Selection,
    judged: dict[str, _Judged],
) -> Decision:
    pipeline = planner.pipeline
    sources = pipeline.sources(stage.name)
    for source in sorted(sources & reused.keys()):
        if reused[source].state == "skipped":
            reused[stage.name] = skipped_after(stage.name, source, reused[source])
            return Decision(stage.name, "skip", reused[stage.name].decided)
    waits = sorted(sources - reused.keys())
    if stage.name in selected and selection.force:
        return Decision(stage.name, "run", "forced")
    if waits:
        if stage.name not in selected:
            return Decision(stage.name, "skip", "not selected")
        return Decision(stage.name, "run", _waiting(pipeline, stage.name, waits))
    contents = input_contents(pipeline, stage, reused)
    known = judged.get(stage.name)
    asked = (contents, pipeline.inputs[stage.name], pipeline.required(stage.name))
    if known is None or (known.inputs, known.sources, known.required) != asked:
        judged[stage.name] = known = _Judged(*asked, planner.judge(stage, contents))
    verdict = known.verdict
    if verdict.result is not None:
        reused[stage.name] = verdict.result
        if verdict.result.state == "skipped":
            return Decision(stage.name, "skip", verdict.result.decided)
        return Decision(stage.name, "reuse", verdict.reason)
    if stage.name not in selected:
        return Decision(stage.name, "skip", f"not selected, though it would run: {verdict.reason}", verdict.changes)
    return Decision(stage.name, "run", verdict.reason, verdict.changes)


def skipped_after(stage: str, source: str, result: StageResult) -> StageResult:
    """What becomes of a stage that depends on a skipped one: it is skipped for the same reason."""
    known = " was skipped: " in result.decided
    return StageResult(
        stage, "skipped", decided=result.decided if known else f"`{source}` was skipped: {result.decided}"
    )


def _waiting(pipeline: Pipeline, stage: str, sources: list[str]) -> str:
    """Why a stage runs that waits for others: what it takes from them, or that it comes after them."""
    taken = sorted(name for name, source in pipeline.inputs[stage].items() if source in sources)
    who = ", ".join(f"`{source}`" for source in sources)
    runs = "which runs" if len(sources) == 1 else "which run"
    if not taken:
        return f"it comes after {who}, {runs}"
    names = ", ".join(f"`{name}`" for name in taken)
    return f"its input{'s' if len(taken) > 1 else ''} {names} come{'' if len(taken) > 1 else 's'} from {who}, {runs}"
