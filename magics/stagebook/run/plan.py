"""Deciding, stage by stage, whether what is stored can be used again, and saying why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from stagebook.book.graph import provider_before, relink
from stagebook.errors import CorruptBlobError, UsageError, did_you_mean
from stagebook.model import Decision, Pipeline, Plan, Selection, Stage
from stagebook.run.identity import candidate_files, fingerprint, stage_parts
from stagebook.run.job import StageResult, cells_to_json, result_from_json, result_to_json
from stagebook.store.blobs import Store
from stagebook.store.digests import digest_of, digest_of_file, digest_of_json
from stagebook.store.values import ValueRef


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a stage whose inputs are known.

    Attributes:
        key: its fingerprint.
        inputs: the content of each input.
        reason: why it can be used again, or has to run.
        result: the stored result, if it can be used again.
    """

    key: str
    inputs: Mapping[str, str]
    reason: str
    result: StageResult | None = None


@dataclass(slots=True)
class Planner:
    """Decisions about one pipeline with one set of parameters and one store.

    Attributes:
        pipeline: with the edges that earlier runs brought to light; `learn` may add more.
        parameters: values given for this run.
        store: where results are.
        changed: per stage, inputs known to be changed in place beyond what the analysis saw.
    """

    pipeline: Pipeline
    parameters: Mapping[str, Any]
    store: Store
    changed: dict[str, frozenset[str]] = field(default_factory=dict)
    _parts: dict[str, dict[str, str]] = field(default_factory=dict)
    _last: dict[str, Any] = field(default_factory=dict)
    _analysed: Pipeline | None = None

    def __post_init__(self) -> None:
        self._analysed = self.pipeline
        self._parts = stage_parts(self.pipeline, self.parameters)
        for stage in self.pipeline.stages:
            last = self.store.record(self._last_name(stage.name))
            self._last[stage.name] = last
            if last and all(last["parts"].get(part) == self._parts[stage.name][part] for part in ("code", "setup")):
                self.changed[stage.name] = frozenset(last["changed"])
        self.pipeline = relink(self.pipeline, self.changed)

    def learn(self, stage: str, changed: Iterable[str]) -> None:
        """Take note that `stage` changes these inputs in place, and link the stages anew.

        Raises:
            PipelineError: the stages then have no order; what was known stays as it was.
        """
        assert self._analysed is not None
        if self.changed.get(stage, frozenset()).issuperset(changed):
            return
        known = {**self.changed, stage: self.changed.get(stage, frozenset()) | frozenset(changed)}
        self.pipeline = relink(self._analysed, known)
        self.changed = known

    def judge(self, stage: Stage, inputs: Mapping[str, str]) -> Verdict:
        """Whether a stored result of `stage` from inputs of this content can be used again."""
        key = fingerprint(self._parts[stage.name], inputs)
        required = self.pipeline.required(stage.name)
        why = ""
        if not stage.options.cache:
            return Verdict(key, inputs, "`cache=false`")
        for record in self.store.records(f"results/{key}"):
            why = self._unusable(stage, record, required)
            if not why:
                try:
                    return Verdict(key, inputs, f"unchanged since {record['when']}", self._restored(key, record))
                except CorruptBlobError:
                    why = "what it had kept is damaged"
        return Verdict(key, inputs, why or self._difference(stage.name, inputs))

    def remember(self, verdict: Verdict, result: StageResult) -> None:
        """Keep what came of a stage: a finished result under its fingerprint, and what the next plan compares with."""
        if result.state == "done":
            record = result_to_json(result)
            record["cells"] = self.store.put(json.dumps(cells_to_json(result)).encode())
            record["when"] = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
            self.store.put_record(f"results/{verdict.key}/{digest_of_json(record['files'])}", record)
        self._note_last(verdict, result)

    def note_reuse(self, verdict: Verdict, result: StageResult) -> None:
        """Keep which result was used last, so that a later reason speaks of what has changed since."""
        last = self._last[result.stage]
        if last is None or last["key"] != verdict.key or last["state"] != "done":
            self._note_last(verdict, result)

    def _note_last(self, verdict: Verdict, result: StageResult) -> None:
        name = result.stage
        last = {
            "key": verdict.key,
            "state": result.state,
            "parts": {**self._parts[name], **{f"input:{one}": content for one, content in verdict.inputs.items()}},
            "changed": sorted(result.changed),
            "unstorable": dict(result.unstorable),
            "failure": str(result.failure) if result.failure else None,
        }
        self._last[name] = last
        self.store.put_record(self._last_name(name), last)

    def mates(self, stage: Stage, inputs: Mapping[str, tuple[str, ValueRef]]) -> dict[str, tuple[str, ValueRef]]:
        """Stored values that share objects with inputs (given with their sources), current where `stage` stands."""
        found = {}
        for source, ref in inputs.values():
            for name in ref.members:
                if name not in inputs and provider_before(self.pipeline, stage.name, name, self.changed) == source:
                    found[name] = (source, ref)
        return found

    def files(self, stage: Stage) -> tuple[str, ...]:
        """Paths the stage names, relative to the notebook: to be fingerprinted when it runs."""
        return candidate_files(stage, self.pipeline, self.parameters)

    def kept_together(self) -> list[str]:
        """Remarks on stages that share a kernel since a value between them cannot be stored, from their last run."""
        remarks = []
        for stage in self.pipeline.stages:
            for name, kind in ((self._last[stage.name] or {}).get("unstorable") or {}).items():
                takers = [taker for taker, taken in self.pipeline.inputs.items() if taken.get(name) == stage.name]
                if takers:
                    others = ", ".join(f"`{taker}`" for taker in sorted(takers))
                    remarks.append(
                        f"`{stage.name}` and {others} run in one kernel: `{name}` ({kind}) cannot be stored."
                    )
        return remarks

    def _restored(self, key: str, record: Mapping[str, Any]) -> StageResult:
        return result_from_json(key, record, json.loads(self.store.get(record["cells"])))

    def _unusable(self, stage: Stage, record: Mapping[str, Any], required: frozenset[str]) -> str:
        """Why a result under the right fingerprint cannot be used, or nothing."""
        folder = self.pipeline.notebook.parent
        for path, digest in {**record["files"], **record["written"]}.items():
            if _digest(folder / path) != digest:
                return f"file {path} changed"
        for path in self.files(stage):
            if path not in record["files"] and path in stage.options.reads:
                return f"file {path} is now among `reads`"
        if set(stage.options.writes) - record["written"].keys():
            return "`writes` names another file"
        if {metric for metric in stage.options.metrics if not _has_metric(record["metrics"], metric)}:
            return "`metrics` names another value"
        lacking = sorted(required - {*record["asked"], *record["outputs"], *record["unstorable"]})
        if lacking:
            return f"`{lacking[0]}` is now read from it, and was not kept"
        lost = [ref["name"] for ref in record["outputs"].values() if not self.store.has(ref["bundle"])]
        if lost or not self.store.has(record["cells"]):
            return f"the store has lost `{lost[0]}`" if lost else "the store has lost its cells' outputs"
        return ""

    def _difference(self, stage: str, inputs: Mapping[str, str]) -> str:
        """What has changed since the stage last ran."""
        last = self._last[stage]
        if last is None:
            return "it has not run yet"
        now = {**self._parts[stage], **{f"input:{name}": content for name, content in inputs.items()}}
        changed = sorted(part for part in now.keys() | last["parts"].keys() if now.get(part) != last["parts"].get(part))
        if "code" in changed or "setup" in changed:  # what they import or read anew goes without saying
            changed = [part for part in changed if part in now and part in last["parts"]]
        if changed:
            return "; ".join(_told(part, last["parts"].get(part), now.get(part)) for part in changed)
        return f"it failed last time: {last['failure']}" if last["failure"] else "its result is not in the store"

    def _last_name(self, stage: str) -> str:
        return f"last/{digest_of(self.pipeline.notebook.name.encode())[:12]}/{stage}"


def make_plan(planner: Planner, selection: Selection) -> Plan:
    """What a run would do. A stage after one that runs is shown as running; if its inputs come out as before, it won't.

    Raises:
        UsageError: the selection leaves out a stage that it needs and whose stored result cannot be used.
    """
    pipeline = planner.pipeline
    selected = selected_stages(pipeline, selection)
    decisions: list[Decision] = []
    reused: dict[str, StageResult] = {}
    for stage in pipeline.stages:
        decisions.append(_decision(planner, stage, reused, selected, selection))
        if stage.name in reused:
            planner.learn(stage.name, reused[stage.name].changed)
        if planner.pipeline is not pipeline:  # it changes an input that nobody knew of: later stages take other values
            return make_plan(planner, selection)
    return Plan(pipeline, tuple(decisions), tuple(planner.kept_together()))


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
    planner: Planner, stage: Stage, reused: dict[str, StageResult], selected: frozenset[str], selection: Selection
) -> Decision:
    pipeline = planner.pipeline
    waits = sorted({edge.source for edge in pipeline.edges if edge.target == stage.name} - reused.keys())
    if stage.name in selected and selection.force:
        return Decision(stage.name, "run", "forced")
    if waits:
        if stage.name not in selected:
            return Decision(stage.name, "skip", "not selected")
        return Decision(stage.name, "run", _waiting(pipeline, stage.name, waits))
    contents = input_contents(pipeline, stage, reused)
    verdict = planner.judge(stage, contents)
    if verdict.result is not None:
        reused[stage.name] = verdict.result
        return Decision(stage.name, "reuse", verdict.reason)
    if stage.name not in selected:
        return Decision(stage.name, "skip", f"not selected, though it would run: {verdict.reason}")
    return Decision(stage.name, "run", verdict.reason)


def input_contents(pipeline: Pipeline, stage: Stage, results: Mapping[str, StageResult]) -> dict[str, str]:
    """What identifies each input: the content of a stored value, the fingerprint behind one that cannot be stored.

    A name that its stage turned out not to bind is left out, as it would be missing in a single kernel.
    """
    contents = {}
    for name, source in pipeline.inputs[stage.name].items():
        result = results[source]
        if name in result.outputs:
            contents[name] = result.outputs[name].content
        elif name in result.unstorable:
            contents[name] = f"held:{source}:{result.key}"
    return contents


def _waiting(pipeline: Pipeline, stage: str, sources: list[str]) -> str:
    """Why a stage runs that waits for others: what it takes from them, or that it comes after them."""
    taken = sorted(name for name, source in pipeline.inputs[stage].items() if source in sources)
    who = ", ".join(f"`{source}`" for source in sources)
    runs = "which runs" if len(sources) == 1 else "which run"
    if not taken:
        return f"it comes after {who}, {runs}"
    names = ", ".join(f"`{name}`" for name in taken)
    return f"its input{'s' if len(taken) > 1 else ''} {names} come{'' if len(taken) > 1 else 's'} from {who}, {runs}"


def _digest(path: Path) -> str | None:
    return digest_of_file(path) if path.is_file() else None


def _has_metric(metrics: Mapping[str, float], name: str) -> bool:
    return any(metric == name or metric.startswith(f"{name}.") for metric in metrics)


def _told(part: str, before: str | None, now: str | None) -> str:
    """A changed part of the fingerprint in words."""
    kind, _, name = part.partition(":")
    fixed = {"code": "its code changed", "setup": "the setup code it uses changed", "python": "another Python"}
    if part in fixed:
        return fixed[part]
    what = {"parameter": "parameter", "input": "input", "package": "package", "module": "module"}[kind]
    if before is None or now is None:
        return f"{what} `{name}` is {'new' if before is None else 'gone'}"
    change = f": {before} -> {now}" if kind in ("parameter", "package") and len(before) + len(now) < 80 else ""
    return f"{what} `{name}` changed{change}"
