"""What a run leaves behind: a `Run`, kept as `run.json` beside the output notebook."""

from __future__ import annotations

import json
import platform
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

from stagebook.model import Edge, Pipeline
from stagebook.run.files import write_text
from stagebook.run.installed import Installed
from stagebook.run.settled import Outcome

RunState = Literal["done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage in `run.json`: what became of it and why, its fingerprint and artifacts, its numbers, its seconds."""

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


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a pipeline, as it ended.

    Attributes:
        id: unique, and sorts by time.
        state: `done` if every selected stage has a result, `failed` if one failed or could not be run.
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

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics of all stages."""
        return {name: value for stage in self.stages for name, value in stage.metrics.items()}

    def save(self) -> Path:
        """Write `run.json` into the run's folder and return its path."""
        plain = asdict(self) | {"notebook": str(self.notebook), "output": str(self.output or "")}
        del plain["folder"], plain["store"], plain["home"]
        path = self.folder / "run.json"
        write_text(path, json.dumps(plain, indent=2, default=repr) + "\n")
        return path


def new_run_id() -> str:
    """An id such as `20261123-153000-9f3ac7`: the local time to the 65,536th of a second, and a random byte.

    Ids sort by time, also those of runs that reuse everything and begin in one second.
    """
    now = datetime.now()
    return f"{now:%Y%m%d-%H%M%S}-{now.microsecond * 2**16 // 10**6:04x}{secrets.token_hex(1)}"


def stage_records(pipeline: Pipeline, outcome: Outcome) -> tuple[StageRecord, ...]:
    """What became of every stage."""
    records = []
    for stage in pipeline.stages:
        settled = outcome.settled.get(stage.name)
        reason = outcome.reasons.get(stage.name, "")
        if settled is None:
            records.append(StageRecord(stage.name, "not run", reason, "", "", 0.0, {}, {}, {}, {}, {}))
            continue
        result = settled.result
        state = "reused" if settled.reused and result.state == "done" else result.state
        outputs = {name: ref.content for name, ref in result.outputs.items()}
        records.append(
            StageRecord(
                stage.name,
                state,
                reason,
                settled.verdict.key,
                result.started,
                result.duration,
                dict(result.metrics),
                dict(settled.verdict.inputs),
                outputs,
                dict(result.unstorable),
                dict(result.files),
            )
        )
    return tuple(records)


def run_state(records: tuple[StageRecord, ...], selected: frozenset[str], *, interrupted: bool) -> RunState:
    """The state of a run with these stages."""
    states = {record.state for record in records if record.stage in selected}
    if interrupted or "interrupted" in states:
        return "interrupted"
    return "failed" if states & {"failed", "not run"} else "done"


def versions(packages: Mapping[str, str], installed: Installed) -> dict[str, str]:
    """Of Python, the platform, the packages that run notebooks, and `packages`, those that the stages import."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    ours = ("stagebook", "papermill", "nbclient", "ipykernel", "pandas", "pyarrow")
    return {**found, **installed.versions(ours), **packages}


def utc_now() -> str:
    """Now, ISO 8601, UTC."""
    return datetime.now(timezone.utc).isoformat()
