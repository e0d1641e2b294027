"""Deciding, stage by stage, whether what is stored can be used again, and saying why."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from stagebook.book.graph import Providers
from stagebook.book.hidden import FILE, called, is_file, is_hidden
from stagebook.book.relinking import leaves_links, relink
from stagebook.book.slices import Statement, preamble_statements
from stagebook.errors import CorruptBlobError, PipelineError
from stagebook.model import Learned, Pipeline, Stage, frozen_map
from stagebook.plan import Change
from stagebook.run.contents import met_otherwise
from stagebook.run.identity import candidate_files, fingerprint, stage_parts
from stagebook.run.imports import Imports
from stagebook.run.installed import Installed
from stagebook.run.job import StageResult, cells_to_json, result_from_json, result_to_json
from stagebook.run.kernelspecs import kernel_python
from stagebook.run.opened import content_digest, listing_digest
from stagebook.run.reasons import Source, came_out, changes_since, one_line, reason, stage_source
from stagebook.run.variables import variable_digest
from stagebook.signing import is_signed, signed
from stagebook.store.blobs import Store
from stagebook.store.digests import digest_of, digest_of_json
from stagebook.store.file_digests import FileDigests
from stagebook.store.manifests import is_loadable
from stagebook.store.references import ValueRef

_UNSIGNED = "its stored result is signed with another key, or was changed"

Piece = Literal["scatter", "element"]
"""Of a mapped stage: taking its list apart, and running its cells for one element."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a stage whose inputs are known.

    Attributes:
        key: its fingerprint.
        inputs: the content of each input.
        reason: why it can be used again, or has to run.
        result: the stored result, if it can be used again.
        changes: what the reason is made of, where parts have changed.
    """

    key: str
    inputs: Mapping[str, str]
    reason: str
    result: StageResult | None = None
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class Planner:
    """Decisions about one pipeline with one set of parameters and one store.

    Attributes:
        pipeline: with the edges that earlier runs brought to light; `learn` may add more.
        parameters: values given for this run.
        store: where results are.
        learned: per stage, what earlier runs and this one found beyond what the analysis saw.
        skipped: stages whose condition is false.
        run: id of the run that these decisions are for, empty where they are for none.
        made: per stage, the result last found or made for it, and the run that made it.
        keys: fingerprints of the results that were found or made.
        data: digests of data files.
        imports: describes modules, and knows which of them values are made of.
        installed: versions of what is installed.
    """

    pipeline: Pipeline
    parameters: Mapping[str, Any]
    store: Store
    learned: dict[str, Learned] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    run: str = ""
    made: dict[str, tuple[str, StageResult]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    data: FileDigests = field(init=False)
    imports: Imports = field(init=False)
    installed: Installed = field(init=False)
    _parts: dict[str, dict[str, str]] = field(default_factory=dict)
    _last: dict[str, Any] = field(default_factory=dict)
    _provided: tuple[Pipeline, Mapping[str, Learned], Providers] | None = None
    _preamble: tuple[Statement, ...] | None = None
    _sources: dict[str, Mapping[str, Source]] = field(default_factory=dict)
    _analysed: Pipeline | None = None

    def __post_init__(self) -> None:
        self._analysed = self.pipeline
        self.data = FileDigests(self.store.home)
        self.installed = Installed(self.store.home)
        python = kernel_python(self.pipeline.kernel)
        self.imports = Imports(self.pipeline.notebook.parent, python=python, installed=self.installed)
        self._parts = stage_parts(self.pipeline, self.parameters, self.imports)
        for stage in self.pipeline.stages:
            last = self.store.record(self._last_name(stage.name))
            self._last[stage.name] = last
        guessed = {stage: _learned(last, sure=False) for stage, last in self._last.items() if last}
        sure = {
            stage: _learned(last, sure=True)
            for stage, last in self._last.items()
            if last and all(last["parts"].get(part) == self._parts[stage][part] for part in ("code", "setup"))
        }
        try:
            self.learned = {**guessed, **sure}
            self.pipeline = relink(self.pipeline, self.learned)
        except PipelineError:  # an edit may be there to mend just that
            self.learned = sure
            self.pipeline = relink(self.pipeline, self.learned)

    def learn(self, result: StageResult) -> None:
        """Take note of what a stage turned out to change and to use, or that it is skipped; link the stages anew.

        Raises:
            PipelineError: the stages then have no order; what was known stays as it was.
        """
        assert self._analysed is not None
        stage, known = result.stage, self.learned.get(result.stage, Learned())
        skipped = self.skipped | {stage} if result.state == "skipped" else self.skipped - {stage}
        now = known | result.learned
        if skipped == self.skipped and leaves_links(self._analysed, self.learned, known, now):
            self.learned[stage] = now
            return
        learned = {**self.learned, stage: now}
        linked, was = relink(self._analysed, learned, skipped=skipped), self.pipeline
        self.learned, self.skipped = learned, skipped
        if (linked.inputs, linked.needs, linked.outputs) != (was.inputs, was.needs, was.outputs):
            self.pipeline = linked

    def judge(self, stage: Stage, inputs: Mapping[str, str], *, piece: Piece | None = None) -> Verdict:
        """Whether a stored result of `stage`, or of a piece of a mapped one, can be used again for these contents."""
        parts = self._all_parts(stage.name, inputs)
        key = fingerprint(parts if piece is None else {**parts, "piece": piece})
        required = self.pipeline.required(stage.name) | stage.options.kept if piece != "scatter" else frozenset()
        why = ""
        changes: tuple[Change, ...] = ()
        if not stage.options.cache:
            return Verdict(key, inputs, "`cache=false`")
        for name, record in self.store.records(f"results/{key}"):
            signed_here = is_signed(name, record)
            outside = self._changed_outside(record, inputs) if signed_here else ()
            judged = _bare(stage) if piece == "scatter" else stage
            other = self._unusable(judged, record, required) if signed_here and not outside else _UNSIGNED
            unusable = reason(outside, this=self.run) or other or met_otherwise(record, inputs)
            if not unusable:
                try:
                    result = replace(self._restored(key, record), stage=stage.name)  # the same code may stand twice
                    run = record.get("run", "")
                    if piece is None:
                        self.made[stage.name] = (run, result)
                    self.keys.add(key)
                    return Verdict(
                        key, inputs, f"unchanged since {f'run {run}' if run else 'it ran in the notebook'}", result
                    )
                except CorruptBlobError:
                    unusable = "what it had kept is damaged"
            if not why:  # the newest has the say
                why, changes = unusable, outside
        if not why:
            why, changes = self._difference(stage.name, inputs)
        return Verdict(key, inputs, why, changes=changes)

    def remember(self, verdict: Verdict, result: StageResult, *, piece: bool = False) -> None:
        """Keep what came of a stage, or of a piece of one: a finished result under its fingerprint.

        Of a whole stage, what the next plan compares with is kept as well.
        """
        if result.state in ("done", "skipped"):
            record = result_to_json(result)
            record["cells"] = self.store.put(json.dumps(cells_to_json(result)).encode())
            record["run"] = self.run
            name = f"results/{verdict.key}/{digest_of_json([record['files'], record['environment']])}"
            self.store.put_record(name, signed(name, record))
        self.keys.add(verdict.key)
        self.imports.note(result)
        if not piece:
            self.made[result.stage] = (self.run, result)
            self._note_last(verdict, result)

    def note_reuse(self, verdict: Verdict, result: StageResult) -> None:
        """Keep which result was used last, so that a later reason speaks of what has changed since."""
        last = self._last[result.stage]
        if last is None or last["key"] != verdict.key or last["state"] != result.state:
            self._note_last(verdict, result)

    def _note_last(self, verdict: Verdict, result: StageResult) -> None:
        name, known = result.stage, result.learned
        last = {
            "run": self.run,
            "key": verdict.key,
            "state": result.state,
            "started": result.started,
            "duration": result.duration,
            "memory": result.memory,
            "metrics": dict(result.metrics),
            "sources": self._source(name),
            "origins": dict(self.pipeline.inputs[name]),
            "parts": self._all_parts(name, verdict.inputs),
            "changed": sorted(known.changed),
            "used": sorted(known.used),
            "tied": sorted(known.tied),
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
                if name not in inputs and self._providers().of(name, stage.name) == source:
                    found[name] = (source, ref)
        return found

    def _providers(self) -> Providers:
        """Who provides what, as is known now."""
        known = self._provided
        if known is None or known[0] is not self.pipeline or known[1] is not self.learned:
            known = self._provided = (self.pipeline, self.learned, Providers(self.pipeline, self.learned))
        return known[2]

    def current(self, stage: Stage, makers: Set[str]) -> set[str]:
        """The names that hold what these stages have made of them when the notebook comes to `stage`."""
        found = self._providers().provided_by(makers, stage.name) if makers else set()
        return {name for name in found if not is_hidden(name)}

    def files(self, stage: Stage) -> tuple[str, ...]:
        """Paths the stage names, relative to the notebook: to be fingerprinted when it runs."""
        return candidate_files(stage, self.pipeline, self.parameters)

    def modules(self, stage: Stage, inputs: Mapping[str, str]) -> tuple[str, ...]:
        """Files of the user's own modules that the stage stands on, as they are found on the import path."""
        parts = self._all_parts(stage.name, inputs)
        return tuple(part.removeprefix("module:") for part in parts if part.startswith("module:"))

    def imports_package(self, stage: str, package: str) -> bool:
        """Whether a stage, its setup or the user's own modules that they import name a package."""
        named = any(package in cell.source for cell in self.pipeline.stage(stage).cells)
        return named or f"package:{package}" in self._parts[stage]

    def _all_parts(self, stage: str, inputs: Mapping[str, str]) -> dict[str, str]:
        """The parts of a stage's fingerprint, given the contents of its inputs."""
        made_of = self.imports.parts_of(inputs)
        return {**made_of, **self._parts[stage], **{f"input:{name}": content for name, content in inputs.items()}}

    def hidden_flow(self) -> list[str]:
        """Remarks on stages in an order that no name of the notebook shows, as earlier runs found it."""
        remarks = []
        for target, taken in self.pipeline.inputs.items():
            for name, source in taken.items():
                if is_hidden(name):
                    remarks.append(f"`{target}` goes on from `{source}`: {called(name)}.")
        return sorted(remarks)

    def kept_together(self) -> list[str]:
        """Remarks on stages that share a kernel since a value between them cannot be stored, from their last run."""
        remarks = []
        for stage in self.pipeline.stages:
            for name, kind in ((self._last[stage.name] or {}).get("unstorable") or {}).items():
                takers = [taker for taker, taken in self.pipeline.inputs.items() if taken.get(name) == stage.name]
                what = called(name) if is_hidden(name) else f"`{name}` ({kind})"
                if takers:
                    others = ", ".join(f"`{taker}`" for taker in sorted(takers))
                    remarks.append(f"`{stage.name}` and {others} run in one kernel: {what} cannot be stored.")
        return remarks

    def _restored(self, key: str, record: Mapping[str, Any]) -> StageResult:
        result = result_from_json(key, record, json.loads(self.store.get(record["cells"])))
        self.imports.note(result)
        return result

    def _unusable(self, stage: Stage, record: Mapping[str, Any], required: frozenset[str]) -> str:
        """Why a result under the right fingerprint, whose files are as they were, cannot be used, or nothing."""
        if record["state"] == "skipped":
            return "" if self.store.has(record["cells"]) else "the store has lost its cells' outputs"
        for path in self.files(stage):
            if path not in record["files"] and path in stage.options.reads:
                return f"file {path} is now among `reads`"
        if set(stage.options.writes) - record["written"].keys():
            return "`writes` names another file"
        if {metric for metric in stage.options.metrics if not _has_metric(record["metrics"], metric)}:
            return "`metrics` names another value"
        lacking = sorted(
            name
            for name in required
            if not is_file(name)
            and not any(name in record[kept] for kept in ("asked", "outputs", "tied", "unstorable"))
        )
        if lacking:
            return f"{called(lacking[0])} is now read from it, and was not kept"
        refs = (*record["outputs"].values(), *record["tied"].values(), *record["elements"])
        lost = [ref["name"] for ref in refs if not is_loadable(self.store, ref["bundle"])]
        if lost or not self.store.has(record["cells"]):
            return f"the store has lost `{lost[0]}`" if lost else "the store has lost its cells' outputs"
        return ""

    def _changed_outside(self, record: Mapping[str, Any], inputs: Mapping[str, str]) -> tuple[Change, ...]:
        """What the stage read, or was to write, outside of its names, and is not as it was then, nor as it left it.

        Files that it takes from other stages are among its inputs.
        """
        files = {path: digest for path, digest in record["files"].items() if f"{FILE}{path}" not in inputs}
        files |= record["written"]
        were = {f"{FILE}{path}": digest for path, digest in files.items()}
        now = {f"{FILE}{path}": self._now(path) for path in files}
        made = {f"{FILE}{path}": digest for path, digest in record["left"].items()}
        were |= {f"environment:{name}": digest for name, digest in record["environment"].items()}
        now |= {f"environment:{name}": variable_digest(os.environ.get(name)) for name in record["environment"]}
        return tuple(
            Change(part, before, now[part], record.get("run"))
            for part, before in sorted(were.items())
            if now[part] not in (before, made.get(part, before))
        )

    def _digest(self, path: Path) -> str | None:
        return content_digest(path) if path.is_dir() else self.data.digest(path)

    def _now(self, path: str) -> str | None:
        """What a file, or the list of files in a folder, is now."""
        place = self.pipeline.notebook.parent / path
        return listing_digest(place) if path.endswith("/") else self._digest(place)

    def _difference(self, stage: str, inputs: Mapping[str, str]) -> tuple[str, tuple[Change, ...]]:
        """What has changed since the stage last ran."""
        last = self._last[stage]
        if last is None:
            return "it has not run yet", ()
        parts = self._all_parts(stage, inputs)

        def came(name: str) -> str:
            source = self.pipeline.inputs[stage].get(name)
            made, _ = self.made.get(source or "", ("", None))
            return came_out(source, last.get("origins", {}).get(name), made, this=self.run)

        changes = changes_since(last, parts, self._source(stage), came)
        if changes:
            return reason(changes, this=self.run), changes
        if last["state"] == "interrupted":
            return f"it was interrupted in run {last.get('run')}", ()
        if last["failure"]:
            return f"it failed in run {last.get('run')}: {one_line(last['failure'])}", ()
        return "its result is not in the store", ()

    def _source(self, stage: str) -> Mapping[str, Source]:
        """The stage's code and setup as text; worked out only where there is something to tell or to keep."""
        if self._preamble is None:
            self._preamble = preamble_statements(self.pipeline)
        if stage not in self._sources:
            self._sources[stage] = stage_source(self.pipeline.stage(stage), self._preamble)
        return self._sources[stage]

    def save_memories(self) -> None:
        """Keep what spares later runs work."""
        self.data.save()
        self.installed.save()

    def packages(self, stage: str | None = None, inputs: Mapping[str, str] = frozen_map()) -> dict[str, str]:
        """Versions of the packages that a stage imports, or that these contents are made of; of all stages' imports."""
        of = self._parts.values() if stage is None else [self._all_parts(stage, inputs)]
        parts = {part: content for parts in of for part, content in parts.items()}
        return {part[8:]: parts[part] for part in sorted(parts) if part.startswith("package:")}

    def last(self, stage: str) -> Mapping[str, Any] | None:
        """What is kept of the stage's last run, None where there was none: `run`, `state`, `started` and so on."""
        return self._last[stage]  # type: ignore[no-any-return] # a record, as JSON has it

    def _last_name(self, stage: str) -> str:
        return f"last/{notebook_key(self.pipeline.notebook)}/{stage}"


def notebook_key(notebook: Path) -> str:
    """What records of a notebook's runs are kept under."""
    return digest_of(notebook.name.encode())[:12]


def _learned(last: Mapping[str, Any], *, sure: bool) -> Learned:
    """What a stage was found to do when it last ran; where its code is another now, hidden state is a good guess."""
    names = frozenset(last["changed"])
    if not sure:
        return Learned(frozenset(filter(is_hidden, names)), frozenset(last["used"]))
    return Learned(names, frozenset(last["used"]), frozenset(map(tuple, last["tied"])))


def _bare(stage: Stage) -> Stage:
    """The stage without what its cells are to bring about."""
    return replace(stage, options=replace(stage.options, metrics=(), writes=()))


def _has_metric(metrics: Mapping[str, float], name: str) -> bool:
    return any(metric == name or metric.startswith(f"{name}.") for metric in metrics)
