"""Runs and stages in MLflow, recorded beside the run by a thread of its own, so that no stage waits for a server."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.events import Event, RunFinished, RunStarted, StageFinished
from stagebook.run.job import StageResult
from stagebook.run.record import Run

if TYPE_CHECKING:
    from mlflow import MlflowClient

STATUS = {"done": "FINISHED", "reused": "FINISHED", "skipped": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""So that a server that is down costs seconds, not minutes, and nothing is reported to third parties."""


def tracking_uri(home: Path) -> str:
    """Where runs are recorded: `MLFLOW_TRACKING_URI` if it is set, else a sqlite file in the folder `home`."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home / 'mlflow.db'}"


@dataclass(frozen=True, slots=True)
class Within:
    """The recorded sweep that a run belongs to.

    Attributes:
        thread: where all that is recorded of it is done, so that no two of its runs race for a new store.
        place: gives the client, the experiment and the sweep's own run; raises if they could not be had.
        name: what the run is called.
        tags: more tags for the run.
    """

    thread: ThreadPoolExecutor
    place: Callable[[], tuple[MlflowClient, str, str]]
    name: str
    tags: Mapping[str, str]


class RunRecorder:
    """Records one run; a listener.

    Args:
        notebook: the source notebook.
        home: the folder beside the notebook in which runs are recorded.
        within: the sweep that the run belongs to.
        variables: in place of the environment's, those that name the experiment.
        began: when the run began, in milliseconds, if that is long ago.
    """

    def __init__(
        self,
        notebook: Path,
        home: Path,
        *,
        within: Within | None = None,
        variables: Mapping[str, str] | None = None,
        began: int | None = None,
    ) -> None:
        self.uri = tracking_uri(home)
        self._notebook = notebook
        self._home = home
        self._within = within
        self._variables = variables
        self._began = began
        self._thread = within.thread if within else recording_thread()
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
            wait(self._work)
            self._raise_what_failed()
            if self._began is None and self._within is None:
                self._later(_record_others, self._home)

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
        wait(self._work)
        if self._within is None:
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
                raise ConnectionError(
                    f"MLflow at {self.uri} does not record this run, run.json does ({cause_of(error)})."
                )

    def _start(self, event: RunStarted) -> None:
        if self._within is None:
            name, more = f"{self._notebook.stem} {event.run}", {}
            self._client, self._experiment = place_for(self._notebook, self._home, self._variables)
        else:
            self._client, self._experiment, sweep = self._within.place()
            name, more = self._within.name, {**self._within.tags, "mlflow.parentRunId": sweep}
        tags = {**run_tags(name, self._notebook), **more, "stagebook.run": event.run}
        self._parent = self._client.create_run(self._experiment, self._began, tags=tags).info.run_id
        for name, value in event.parameters.items():
            self._client.log_param(self._parent, name, value)

    def _child(self, stage: str) -> str:
        assert self._client is not None, "the run could not be started"
        if stage not in self._children:
            tags = {**run_tags(stage, self._notebook), "mlflow.parentRunId": self._parent, "stagebook.stage": stage}
            self._children[stage] = self._client.create_run(self._experiment, self._began, tags=tags).info.run_id
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
        client.set_terminated(child, STATUS[event.state], self._began)

    def _finish(self, run: Run) -> None:
        client = self._client
        assert client is not None, "the run could not be started"
        if run.output is not None:
            client.log_artifact(self._parent, str(run.output))
        client.log_artifact(self._parent, str(run.folder / "run.json"))
        client.log_metric(self._parent, "duration_seconds", run.duration)
        ended = None if self._began is None else self._began + int(run.duration * 1000)
        client.set_terminated(self._parent, STATUS[run.state], ended)
        self._finished = True


def recording_thread() -> ThreadPoolExecutor:
    """A thread in which MLflow is called, one call after another."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="stagebook-mlflow")


def place_for(notebook: Path, home: Path, variables: Mapping[str, str] | None = None) -> tuple[MlflowClient, str]:
    """A client for where runs are recorded, and the experiment for this notebook, made if need be.

    Args:
        notebook: the source notebook.
        home: the folder beside it in which runs are recorded.
        variables: those that name the experiment; the environment's by default.
    """
    variables = os.environ if variables is None else variables
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    import logging

    for noisy in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=tracking_uri(home))
    given = variables.get("MLFLOW_EXPERIMENT_ID")
    if given:
        return client, given
    name = variables.get("MLFLOW_EXPERIMENT_NAME") or notebook.stem
    found = client.get_experiment_by_name(name)
    if found is not None:
        return client, str(found.experiment_id)
    ours = "MLFLOW_TRACKING_URI" not in os.environ
    artifacts = (home / "mlartifacts").as_uri() if ours else None
    return client, str(client.create_experiment(name, artifact_location=artifacts))


def _record_others(home: Path) -> None:
    """Record earlier runs that are still to be."""
    from stagebook.track.unrecorded import record_unrecorded  # it records as this file does

    record_unrecorded(home)


def run_tags(name: str, notebook: Path) -> dict[str, str]:
    """The tags that every run of ours has."""
    return {
        "mlflow.runName": name,
        "mlflow.source.name": str(notebook),
        "mlflow.source.type": "NOTEBOOK",
        "mlflow.user": _user(),
        "stagebook.notebook": notebook.name,
    }


def cause_of(error: BaseException) -> str:
    """An error in one line."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


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
