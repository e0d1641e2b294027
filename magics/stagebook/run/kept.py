"""What stages have left in the store, in the last run or in any: for who goes on from there by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stagebook.book.hidden import is_hidden
from stagebook.book.pipeline import load_pipeline
from stagebook.errors import UsageError, did_you_mean
from stagebook.model import Pipeline, Stage, frozen_map
from stagebook.plan import Selection
from stagebook.run.contents import stored_inputs
from stagebook.run.decisions import make_plan
from stagebook.run.history import Facts, past_runs
from stagebook.run.job import StageResult, result_from_json
from stagebook.run.plan import Planner
from stagebook.run.references import side_of
from stagebook.run.request import home_for, store_for
from stagebook.signing import is_signed
from stagebook.store.blobs import Store
from stagebook.store.references import ValueRef

_GOOD = ("done", "reused")


@dataclass(frozen=True, slots=True)
class KeptValues:
    """Values of a run, as references into its store.

    Attributes:
        run: the run's id.
        parameters: what the run was given, and the defaults of the rest.
        store: where the values are.
        values: by name, hidden state among them (see `book/hidden`).
        sources: the stage that each comes from.
        unstorable: names that could not be stored, each with what it is.
        unread: names that a stage binds and that are not stored, as no other stage reads them.
        changed: what has been changed since the run, in a line; empty where nothing has.
        cells: of a stage, what its cells have put out, as nbformat has it.
    """

    run: str
    parameters: Mapping[str, Any]
    store: Store
    values: Mapping[str, ValueRef]
    sources: Mapping[str, str]
    unstorable: Mapping[str, str] = field(default_factory=frozen_map)
    unread: tuple[str, ...] = ()
    changed: str = ""
    cells: tuple[Sequence[Mapping[str, Any]], ...] = ()


def outputs_of(notebook: Path, stage: str, *, run: str | None = None, store: str | Path | None = None) -> KeptValues:
    """What a stage has made.

    Args:
        notebook: its path.
        stage: the stage's name.
        run: the run's id, folder, `last` or `last~1`; the last one that has a result of the stage by default.
        store: where results are kept; `.stagebook` beside the notebook by default.

    Raises:
        StagebookError: there is no such stage or run, the run has no result of it, or the store has lost it.
    """
    pipeline, kept = load_pipeline(notebook), store_for(notebook, store)
    known = _stage(pipeline, stage)
    facts = _run_with(pipeline, {known.name}, run=run, store=store)
    result = result_in(kept, facts, known.name)
    own = [cell for cell in result.cells if cell.started >= result.started]
    return KeptValues(
        facts["id"],
        facts["parameters"],
        kept,
        dict(result.outputs),
        dict.fromkeys(result.outputs, known.name),
        result.unstorable,
        not_stored(known, result),
        _changes(pipeline, facts, {known.name}, kept),
        tuple(cell.outputs for cell in own),
    )


def inputs_of(notebook: Path, stage: str, *, run: str | None = None, store: str | Path | None = None) -> KeptValues:
    """What a stage takes from those before it; arguments and errors as for `outputs_of`."""
    pipeline, kept = load_pipeline(notebook), store_for(notebook, store)
    pipeline = Planner(pipeline, {}, kept).pipeline
    known = _stage(pipeline, stage)
    taken = pipeline.inputs[known.name]
    sources = set(taken.values())
    facts = _run_with(pipeline, sources, run=run, store=store)
    results = {source: result_in(kept, facts, source) for source in sources}
    found = stored_inputs(pipeline, known, results)
    unstorable = {
        name: results[source].unstorable[name] for name, source in taken.items() if name in results[source].unstorable
    }
    return KeptValues(
        facts.get("id", ""),
        facts.get("parameters", {}),
        kept,
        found,
        {name: taken[name] for name in found},
        unstorable,
        changed=_changes(pipeline, facts, sources, kept) if sources else "",
    )


def last_results(pipeline: Pipeline, *, store: str | Path | None = None) -> dict[str, StageResult]:
    """By stage, what it came to in the last run that has a result of it; of those that no run has, nothing.

    Args:
        pipeline: the notebook's.
        store: where results are kept; `.stagebook` beside the notebook by default.
    """
    kept, found = store_for(pipeline.notebook, store), {}
    for name in [stage.name for stage in pipeline.stages]:
        with suppress(UsageError):
            found[name] = result_in(kept, _run_with(pipeline, {name}, run=None, store=store), name)
    return found


def not_stored(stage: Stage, result: StageResult) -> tuple[str, ...]:
    """The names that a stage binds and that its result does not hold, as no other stage reads them."""
    known = {*result.outputs, *result.unstorable}
    return tuple(sorted(name for name in stage.names.binds if name not in known and _is_plain(name)))


def _is_plain(name: str) -> bool:
    return not is_hidden(name) and not name.startswith("_")


def _stage(pipeline: Pipeline, name: str) -> Stage:
    names = [stage.name for stage in pipeline.stages]
    if name not in names:
        raise UsageError(f"There is no stage `{name}` in {pipeline.notebook.name}.{did_you_mean(name, names)}")
    return pipeline.stage(name)


def _run_with(pipeline: Pipeline, stages: Iterable[str], *, run: str | None, store: str | Path | None) -> Facts:
    """The run that is named, or the last one that has results of these stages; nothing where they are none."""
    wanted = sorted(stages)
    home, name = home_for(pipeline.notebook, store), pipeline.notebook.name
    if run is not None:
        facts = side_of(run, store=store or home, notebook=name).run
        if facts is None:
            raise UsageError(f"{run} is a notebook, and a run is asked for. Name its id, its folder, or `last`.")
        for stage in wanted:
            state = _states(facts).get(stage, "not in it")
            if state not in _GOOD:
                raise UsageError(f"Run {facts['id']} has no result of `{stage}`, which is {state}. Name another run.")
        return facts
    for facts in past_runs(home, name):
        if all(_states(facts).get(stage) in _GOOD for stage in wanted):
            return facts
    if not wanted:
        return {}
    told = " and ".join(f"`{stage}`" for stage in wanted)
    raise UsageError(f"No run has a result of {told}. Run it first: stagebook run {name} --to {wanted[-1]}")


def _states(facts: Facts) -> dict[str, str]:
    return {stage["stage"]: stage["state"] for stage in facts["stages"]}


def result_in(store: Store, facts: Facts, stage: str) -> StageResult:
    """What came of a stage in a run, from the store, which has signed it.

    Args:
        store: where it is.
        facts: what `run.json` says.
        stage: the stage's name.

    Raises:
        UsageError: the store has it no more.
    """
    told = next(one for one in facts["stages"] if one["stage"] == stage)
    key = told["fingerprint"]
    for name, record in store.records(f"results/{key}"):
        contents = {output: ValueRef.from_json(ref).content for output, ref in record["outputs"].items()}
        if contents == told["outputs"] and is_signed(name, record) and store.has(record["cells"]):
            return result_from_json(key, record, json.loads(store.get(record["cells"])))
    raise UsageError(
        f"What `{stage}` made in run {facts['id']} is no longer in {store.shown}. "
        f"Run it again: stagebook run {Path(facts['notebook']).name} --to {stage}"
    )


def _changes(pipeline: Pipeline, facts: Facts, stages: Set[str], store: Store) -> str:
    """Why a run with the same parameters would make these stages anew; nothing where it would not.

    Nobody can tell where there are secrets, as no run keeps their values.
    """
    if any(parameter.secret for parameter in pipeline.parameters):
        return ""
    known = {parameter.name for parameter in pipeline.parameters}
    given = {name: value for name, value in facts["parameters"].items() if name in known}
    decisions = make_plan(Planner(pipeline, given, store), Selection()).decisions
    anew = [one for one in decisions if one.stage in stages and one.action != "reuse"]
    return "; ".join(f"`{one.stage}` would run again: {one.reason}" for one in anew)
