"""Runs and stages in MLflow, recorded beside the run by a thread of its own, so that no stage waits for a server."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.events import Event, RunFinished, RunStarted, StageFinished
from stagebook.run.job import StageResult
from stagebook.run.record import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

_STATUS = {"done": "FINISHED", "reused": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""So that a server that is down costs seconds, not minutes, and nothing is reported to third parties."""


def tracking_uri(store: Path) -> str:
    """Where runs are recorded: `MLFLOW_TRACKING_URI` if it is set, else a sqlite file in the store."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{store / 'mlflow.db'}"


class RunRecorder:
    """Records one run; a listener.

    Args:
        notebook: the source notebook.
        store: the store's folder.
    """

    def __init__(self, notebook: Path, store: Path) -> None:
        self.uri = tracking_uri(store)
        self._notebook = notebook
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stagebook-mlflow")
        self._work: list[Future[Any]] = []
        self._client: MlflowClient | None = None
        self._experiment = ""
        self._parent = ""
        self._children: dict[str, str] = {}
        self._finished = False

    def __call__(self, event: Event) -> None:
        """Record the event, later; raise what went wrong with an earlier one."""
        self._raise_what_failed()
        if isinstance(event, RunStarted):
            self._later(self._start, event)
        elif isinstance(event, StageFinished) and event.result is not None:
            self._later(self._record_stage, event)
        elif isinstance(event, RunFinished):
            self._later(self._finish, event.run)
            self._thread.shutdown(wait=True)
            self._raise_what_failed()

    def environment(self, stage: str) -> Mapping[str, str]:
        """Variables with which MLflow calls in the stage's code land in the stage's run; waits until there is one."""
        try:
            child = self._later(self._child, stage).result()
        except Exception:  # it is raised, and told, by the next event; the stage can do without
            return {}
        return {
            "MLFLOW_TRACKING_URI": self.uri,
            "MLFLOW_RUN_ID": child,
            "MLFLOW_EXPERIMENT_ID": self._experiment,
            **{name: os.environ.get(name, value) for name, value in _DEFAULTS.items()},
        }

    def close(self) -> None:
        """End the thread; a run that came to no end is marked as failed."""
        if not self._finished and self._parent and self._client is not None:
            self._later(self._client.set_terminated, self._parent, "FAILED")
        self._thread.shutdown(wait=True)

    def _later(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        future = self._thread.submit(work, *arguments)
        self._work.append(future)
        return future

    def _raise_what_failed(self) -> None:
        done, self._work = [one for one in self._work if one.done()], [one for one in self._work if not one.done()]
        for future in done:
            error = future.exception()
            if error is not None:
                cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                raise ConnectionError(f"MLflow at {self.uri} does not record this run, run.json does ({cause}).")

    def _start(self, event: RunStarted) -> None:
        for name, value in _DEFAULTS.items():
            os.environ.setdefault(name, value)
        import logging

        for noisy in ("alembic", "mlflow.store.db.utils"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=self.uri)
        self._experiment = self._experiment_id(self._client)
        tags = {**self._tags(f"{self._notebook.stem} {event.run}"), "stagebook.run": event.run}
        self._parent = self._client.create_run(self._experiment, tags=tags).info.run_id
        for name, value in event.parameters.items():
            self._client.log_param(self._parent, name, value)

    def _experiment_id(self, client: MlflowClient) -> str:
        given = os.environ.get("MLFLOW_EXPERIMENT_ID")
        if given:
            return given
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or self._notebook.stem
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        ours = "MLFLOW_TRACKING_URI" not in os.environ
        artifacts = (self._store / "mlartifacts").as_uri() if ours else None
        return str(client.create_experiment(name, artifact_location=artifacts))

    def _tags(self, name: str) -> dict[str, str]:
        return {
            "mlflow.runName": name,
            "mlflow.source.name": str(self._notebook),
            "mlflow.source.type": "NOTEBOOK",
            "mlflow.user": _user(),
            "stagebook.notebook": self._notebook.name,
        }

    def _child(self, stage: str) -> str:
        assert self._client is not None, "the run could not be started"
        if stage not in self._children:
            tags = {**self._tags(stage), "mlflow.parentRunId": self._parent, "stagebook.stage": stage}
            self._children[stage] = self._client.create_run(self._experiment, tags=tags).info.run_id
        return self._children[stage]

    def _record_stage(self, event: StageFinished) -> None:
        child = self._child(event.stage)
        client, result = self._client, event.result
        assert client is not None
        for tag, value in _stage_tags(event, result).items():
            client.set_tag(child, tag, value)
        client.log_metric(child, "duration_seconds", result.duration)
        for name, number in result.metrics.items():
            client.log_metric(child, name, number)
            client.log_metric(self._parent, name, number)
        client.set_terminated(child, _STATUS[event.state])

    def _finish(self, run: Run) -> None:
        client = self._client
        assert client is not None, "the run could not be started"
        if run.output is not None:
            client.log_artifact(self._parent, str(run.output))
        client.log_artifact(self._parent, str(run.folder / "run.json"))
        client.log_metric(self._parent, "duration_seconds", run.duration)
        client.set_terminated(self._parent, _STATUS[run.state])
        self._finished = True


def _stage_tags(event: StageFinished, result: StageResult) -> dict[str, str]:
    outputs = {f"stagebook.output.{name}": ref.content for name, ref in result.outputs.items()}
    return {
        "stagebook.state": event.state,
        "stagebook.reason": event.reason,
        "stagebook.fingerprint": event.key,
        **outputs,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return "unknown"


listener = RunRecorder
