"""How a notebook's pipeline stands: its last run, and stage by stage whether the result is up to date, and why not."""

from __future__ import annotations

import json
import os
import platform
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stagebook.book.parameters import checked
from stagebook.book.pipeline import load_pipeline
from stagebook.book.secrets import secret_names
from stagebook.errors import StoreError
from stagebook.model import Pipeline
from stagebook.plan import Change, Decision, Selection
from stagebook.run.decisions import make_plan
from stagebook.run.files import process_lives
from stagebook.run.kernelspecs import check_kernel
from stagebook.run.plan import Planner, notebook_key
from stagebook.run.record import Run
from stagebook.run.request import Request, store_for
from stagebook.store.blobs import Store

StageStanding = Literal["fresh", "stale", "never run", "failed", "interrupted", "skipped"]


@dataclass(frozen=True, slots=True)
class LastRun:
    """A notebook's last run.

    Attributes:
        id: its id.
        state: done, failed, interrupted; `running` while it is under way; `killed` where it came to no end.
        started: ISO 8601, UTC.
        duration: seconds; None where it came to no end.
        parameters: every parameter's value.
        folder: where its output notebook and `run.json` are.
    """

    id: str
    state: str
    started: str
    duration: float | None
    parameters: Mapping[str, Any]
    folder: str


@dataclass(frozen=True, slots=True)
class StageStatus:
    """How a stage stands, why, and its last result: when and in which run it was made, its seconds and metrics.

    A stage is `failed` or `interrupted` if that is how it last ended, even if it has been changed since.
    """

    stage: str
    state: StageStanding
    reason: str
    changes: tuple[Change, ...]
    run: str
    started: str
    duration: float | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Status:
    """How a pipeline stands; `last` is None where it never ran, `notes` are a plan's, `next` says what to do."""

    notebook: Path
    last: LastRun | None
    stages: tuple[StageStatus, ...]
    notes: tuple[str, ...]
    next: str


def notebook_status(
    notebook: Path, *, parameters: Mapping[str, Any] | None = None, store: str | Path | None = None
) -> Status:
    """How a notebook stands, as it was last saved; see `pipeline_status`.

    Raises:
        StagebookError: the notebook or a parameter is not in order.
    """
    return pipeline_status(load_pipeline(notebook), parameters=parameters, store=store, notebook=notebook)


def pipeline_status(
    pipeline: Pipeline,
    *,
    parameters: Mapping[str, Any] | None = None,
    store: str | Path | None = None,
    notebook: Path | None = None,
) -> Status:
    """How a pipeline stands for a run with these parameters; nothing is run, and no result is written.

    Args:
        pipeline: of a notebook that need not be saved as it is.
        parameters: values that replace defaults.
        store: where results are kept; `.stagebook` beside the notebook by default.
        notebook: what the notebook is called, where that is not its whole path.

    Raises:
        StagebookError: a parameter or the kernel is not in order.
    """
    notebook = notebook or pipeline.notebook
    values = checked(pipeline.parameters, parameters or {}, notebook=notebook.name)
    check_kernel(pipeline.kernel)
    kept = store_for(notebook, store)
    planner = Planner(pipeline, values, kept)
    plan = make_plan(planner, Selection())
    if kept.home.is_dir():  # none is made for a notebook that was never run
        planner.save_memories()
    stages = tuple(_standing(planner, decision) for decision in plan.decisions)
    last = last_run(kept, notebook)
    words = given_words(parameters or {}, secret_names(pipeline.parameters))
    return Status(pipeline.notebook, last, stages, plan.notes, _next(notebook, last, stages, given=words))


def note_start(store: Store, request: Request, values: Mapping[str, Any], *, started: str) -> None:
    """Keep that a run has begun, so that one that is killed is known of."""
    record = {
        "id": request.id,
        "started": started,
        "parameters": {name: _plain(value) for name, value in values.items()},
        "folder": str(request.folder),
        "process": os.getpid(),
        "machine": platform.node(),
    }
    _note(store, request.source, record)


def note_end(store: Store, run: Run) -> None:
    """Keep how the run ended."""
    record = {
        "id": run.id,
        "state": run.state,
        "started": run.started,
        "duration": run.duration,
        "parameters": {name: _plain(value) for name, value in run.parameters.items()},
        "folder": str(run.folder),
    }
    _note(store, run.notebook, record)


def _note(store: Store, notebook: Path, record: Mapping[str, Any]) -> None:
    with suppress(StoreError):  # a store that cannot be written to is told by the stages; the run does not end for this
        store.put_record(_name(notebook), record)


def last_run(store: Store, notebook: Path) -> LastRun | None:
    """The notebook's last run, None where there is none."""
    record = store.record(_name(notebook))
    if record is None:
        return None
    state = record.get("state")
    if state is None:
        here = record["machine"] == platform.node()
        state = "running" if not here or process_lives(record["process"]) else "killed"
    return LastRun(
        record["id"], state, record["started"], record.get("duration"), record["parameters"], record["folder"]
    )


def _standing(planner: Planner, decision: Decision) -> StageStatus:
    name, last = decision.stage, planner.last(decision.stage)
    if decision.action == "reuse":
        run, result = planner.made[name]
        return StageStatus(
            name, "fresh", decision.reason, (), run, result.started, result.duration, dict(result.metrics)
        )
    state: StageStanding = "never run" if last is None else "stale"
    if decision.action == "skip":
        state = "skipped"
    elif last is not None and last["state"] in ("failed", "interrupted"):
        state = last["state"]
    last = last or {}
    return StageStatus(
        name,
        state,
        decision.reason,
        decision.changes,
        last.get("run", ""),
        last.get("started", ""),
        last.get("duration"),
        last.get("metrics", {}),
    )


def _next(notebook: Path, last: LastRun | None, stages: tuple[StageStatus, ...], *, given: Sequence[str]) -> str:
    to_run = [stage for stage in stages if stage.state not in ("fresh", "skipped")]
    command = shlex.join(["stagebook", "run", str(notebook), *given])
    if last is not None and last.state == "running":
        return f"Run {last.id} is under way."
    if not to_run:
        return "All is up to date."
    failed = [f"`{stage.stage}`" for stage in to_run if stage.state == "failed" and not stage.changes]
    mend = f"Mend {', '.join(failed)}, then: " if failed else ""
    return f"{mend}{command}   ({len(to_run)} to run, {len(stages) - len(to_run)} to reuse)"


def given_words(values: Mapping[str, Any], secret: frozenset[str]) -> list[str]:
    """The words of a command that give parameters these values."""
    words = (("--secret", name) if name in secret else ("-p", name, str(value)) for name, value in values.items())
    return [word for some in words for word in some]


def _name(notebook: Path) -> str:
    return f"runs/{notebook_key(notebook)}"


def _plain(value: Any) -> Any:
    """The value if JSON holds it, else as Python writes it."""
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return repr(value)
    return value
