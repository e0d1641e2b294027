"""Recording runs that are over: those that were left to a process of its own, each once."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from stagebook.events import RunFinished, RunStarted, StageFinished
from stagebook.run.job import StageResult
from stagebook.run.record import Run
from stagebook.run.unrecorded import Unrecorded, lock_of, unrecorded
from stagebook.store.references import ValueRef
from stagebook.track.runs import RunRecorder, cause_of, place_for

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PATIENCE = 600
"""Seconds that a process waits for another one that records: what is left then is its own to do."""


def record_unrecorded(home: Path, *, patience: float = 0) -> None:
    """Record what is kept in this folder; what fails stays for another time, with the reason.

    Args:
        home: the folder in which runs are recorded.
        patience: seconds to wait for another process that is at it; after that, it is left to that one.
    """
    if not any(unrecorded(home)):
        return
    try:
        with FileLock(lock_of(home), timeout=patience):
            for one in unrecorded(home):
                try:
                    _record(one, home)
                except Exception as error:  # MLflow raises what it likes
                    one.note_failure(cause_of(error))
                    return
                one.forget()
    except (Timeout, OSError):
        return


def _record(one: Unrecorded, home: Path) -> None:
    client, experiment = place_for(one.notebook, home, one.variables)
    if _is_recorded(one.run["id"], client, experiment):
        return
    run = _run(one, home)
    began = int(datetime.fromisoformat(run.started).timestamp() * 1000)
    recorder = RunRecorder(one.notebook, home, variables=one.variables, began=began)
    try:
        recorder(RunStarted(run.id, str(run.notebook), (), run.parameters, str(run.folder)))
        for stage in one.run["stages"]:
            if stage["state"] != "not run":
                recorder(_finished(stage))
        recorder(RunFinished(run))
    finally:
        recorder.close()


def _is_recorded(run: str, client: MlflowClient, experiment: str) -> bool:
    """Whether the run is there to its end; what a killed process has left of it is removed."""
    for found in client.search_runs([experiment], filter_string=f"tags.`stagebook.run` = '{run}'"):
        if found.info.status != "RUNNING":
            return True
        within = f"tags.`mlflow.parentRunId` = '{found.info.run_id}'"
        for stage in client.search_runs([experiment], filter_string=within, max_results=5000):
            client.delete_run(stage.info.run_id)
        client.delete_run(found.info.run_id)
    return False


def _run(one: Unrecorded, home: Path) -> Run:
    told = one.run
    return Run(
        id=told["id"],
        state=told["state"],
        notebook=one.notebook,
        output=one.output,
        folder=one.folder,
        store="",
        home=home,
        parameters=told["parameters"],
        stages=(),
        started=told["started"],
        duration=told["duration"],
        versions=told["versions"],
    )


def _finished(stage: dict[str, Any]) -> StageFinished:
    outputs = {name: _reference(content) for name, content in stage["outputs"].items()}
    kept: Any = "done" if stage["state"] == "reused" else stage["state"]
    result = StageResult(stage["stage"], kept, outputs=outputs, metrics=stage["metrics"], duration=stage["duration"])
    return StageFinished(
        stage["stage"], stage["state"], stage["reason"], stage["duration"], stage["fingerprint"], result=result
    )


def _reference(content: str) -> ValueRef:
    bundle, _, name = content.partition("#")
    return ValueRef(bundle, name, (), "")


def main() -> None:
    """Record what is kept in the folder that the command line names."""
    record_unrecorded(Path(sys.argv[1]), patience=_PATIENCE)
