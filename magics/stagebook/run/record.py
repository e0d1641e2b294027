"""What a run leaves behind: a `Run`, kept as `run.json` beside the output notebook."""

from __future__ import annotations

import json
import platform
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from stagebook.book.registered import registered_name
from stagebook.model import Edge, Pipeline, Stage
from stagebook.run.files import write_text
from stagebook.run.installed import Installed
from stagebook.run.job import StageResult
from stagebook.run.plan import Planner
from stagebook.run.provenance import Provenance
from stagebook.run.settled import Outcome
from stagebook.store.blobs import Store

RunState = Literal["done", "failed", "rejected", "interrupted", "running"]


@dataclass(frozen=True, slots=True)
class CellTime:
    """When a cell was run: its number, its start (ISO 8601, UTC), seconds, and whether it failed."""

    number: int
    started: str
    duration: float
    failed: bool


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage in `run.json`: what became of it and why, its fingerprint and artifacts, its numbers, its seconds.

    Attributes:
        origin: the run that made what is reused.
        series: the metrics that are series of numbers, a step for each.
        cells: the stage's own cells, where they were run in this run.
        packages: versions of the packages that the stage imports, and that its inputs are made of.
        gate: what its gate said: `condition`, `passed`, `told`.
        model: the model that it makes: `value` and `method` in the notebook, `name` in the registry, `features` and
            `rows` where stages are packed with it.
        written: the files that it declares in `writes`, with digests of what it left.
    """

    stage: str
    state: str
    reason: str
    fingerprint: str
    started: str
    duration: float
    metrics: Mapping[str, float]
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    unstorable: Mapping[str, str]
    files: Mapping[str, str | None]
    origin: str = ""
    series: Mapping[str, list[float]] = field(default_factory=dict)
    cells: tuple[CellTime, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a pipeline, as it ended.

    Attributes:
        id: unique, and sorts by time.
        state: `done` if every selected stage has a result, `failed` if one failed or could not be run, `rejected` if
            nothing but a gate kept it from that; `running` in what is recorded of a run that goes on.
        notebook: the source notebook.
        output: the output notebook; None where nobody asked for one.
        folder: where `run.json` is.
        store: where its results are kept: a folder or a URL.
        home: folder beside the notebook in which runs are recorded.
        parameters: every parameter's value.
        stages: in the order in which they can run.
        started: ISO 8601, UTC.
        duration: seconds.
        versions: of Python, the operating system and the packages that did the work, those that stages import included.
        edges: as they turned out to be.
        provenance: where its code stands.
    """

    id: str
    state: RunState
    notebook: Path
    output: Path | None
    folder: Path
    store: str
    home: Path
    parameters: Mapping[str, Any]
    stages: tuple[StageRecord, ...]
    started: str
    duration: float
    versions: Mapping[str, str]
    edges: tuple[Edge, ...] = ()
    provenance: Provenance = Provenance()  # noqa: RUF009 - frozen

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of all stages."""
        return {name: value for stage in self.stages for name, value in stage.metrics.items()}

    def save(self) -> Path:
        """Write `run.json` into the run's folder and return its path."""
        path = self.folder / "run.json"
        write_text(path, self.text())
        return path

    def text(self) -> str:
        """What `run.json` holds."""
        plain = asdict(self) | {"notebook": str(self.notebook), "output": str(self.output or "")}
        plain["store"] = Store.at(self.store).shown  # without a password
        del plain["folder"], plain["home"]
        return json.dumps(plain, indent=2, default=repr) + "\n"


def new_run_id() -> str:
    """An id such as `20261123-153000-9f3ac7`: the local time to the 65,536th of a second, and a random byte.

    Ids sort by time, also those of runs that reuse everything and begin in one second.
    """
    now = datetime.now()
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond * 2**16 // 10**6:04x}{secrets.token_hex(1)}"


def stage_records(planner: Planner, outcome: Outcome) -> tuple[StageRecord, ...]:
    """What became of every stage."""
    records = []
    pipeline = planner.pipeline
    for stage in pipeline.stages:
        settled = outcome.settled.get(stage.name)
        reason = outcome.reasons.get(stage.name, "")
        if settled is None:
            records.append(StageRecord(stage.name, "not run", reason, "", "", 0.0, {}, {}, {}, {}, {}))
            continue
        state = "reused" if settled.reused and settled.result.state == "done" else settled.result.state
        verdict = settled.verdict
        record = stage_record(settled.result, state, reason, key=verdict.key, inputs=verdict.inputs)
        gate = outcome.gates.get(stage.name)
        records.append(
            replace(
                record,
                packages=planner.packages(stage.name, verdict.inputs),
                gate=asdict(gate) if gate is not None else {},
                model=_model(stage, pipeline),
            )
        )
    return tuple(records)


def _model(stage: Stage, pipeline: Pipeline) -> dict[str, str]:
    option, name = stage.options.model, registered_name(stage, pipeline)
    if option is None or name is None:
        return {}
    found = {"value": option.value, "method": option.method, "name": name}
    if stage.options.features:
        found |= {"features": ",".join(stage.options.features), "rows": stage.options.rows or ""}
    return found


def stage_record(
    result: StageResult, state: str, reason: str, *, key: str, inputs: Mapping[str, str] | None = None
) -> StageRecord:
    """What became of a stage that has a result."""
    ran = state != "reused"
    own = [cell for cell in result.cells if ran and cell.number and cell.started >= result.started]
    return StageRecord(
        result.stage,
        state,
        reason,
        key,
        result.started,
        result.duration,
        dict(result.metrics),
        dict(inputs or {}),
        {name: ref.content for name, ref in result.outputs.items()},
        dict(result.unstorable),
        dict(result.files),
        result.run if state == "reused" else "",
        dict(result.series),
        tuple(CellTime(cell.number, cell.started, cell.duration, cell.failed) for cell in own),
        written=dict(result.written),
    )


def run_state(records: tuple[StageRecord, ...], selected: frozenset[str], *, interrupted: bool) -> RunState:
    """The state of a run with these stages."""
    of_selected = [record for record in records if record.stage in selected]
    states = {record.state for record in of_selected}
    if interrupted or "interrupted" in states:
        return "interrupted"
    if any(record.state == "failed" and record.gate.get("passed", True) for record in of_selected):
        return "failed"
    closed = any(record.gate and not record.gate["passed"] for record in of_selected)
    return "rejected" if closed else "failed" if "not run" in states else "done"


def versions(packages: Mapping[str, str], installed: Installed) -> dict[str, str]:
    """Of Python, the platform, the packages that run notebooks, and `packages`, those that the stages import."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    ours = ("stagebook", "papermill", "nbclient", "ipykernel", "pandas", "pyarrow")
    return {**found, **installed.versions(ours), **packages}


def utc_now() -> str:
    """Now, ISO 8601, UTC."""
    return datetime.now(timezone.utc).isoformat()
