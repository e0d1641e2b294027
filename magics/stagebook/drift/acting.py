"""What follows from a window: MLflow is told, a webhook is told, the notebook is run again and its model judged."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.drift.history import History, Reported, Retrained
from stagebook.errors import StagebookError
from stagebook.track.champion import CHAMPION, version_called
from stagebook.track.place import artifacts_at, cause_of, client_for

if TYPE_CHECKING:
    from mlflow import MlflowClient

MONITOR = "stagebook.monitor"
"""Tag of a run in MLflow: the model that it is the monitor of."""
DRIFT = "stagebook.drift"
"""Tag of a model version: what was said of the last window, as JSON."""
_REJECTED = 3
_PATIENCE = 10
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Record:
    """Tells MLflow: a run for each version that is watched, a step of its metrics for each window.

    Attributes:
        home: the folder with the runs' record.
    """

    home: Path

    def __call__(self, one: Reported, history: History) -> Reported:
        """Tell it of a window.

        Raises:
            StagebookError: it cannot be asked; the window is told of next time.
        """
        from mlflow.exceptions import MlflowException

        client = client_for(self.home)
        try:
            self._tell(client, one, history)
        except (MlflowException, OSError) as error:
            told = f"MLflow cannot be told of {one.window} ({cause_of(error)})."
            raise StagebookError(f"{told} Run the monitor again: it takes up from there.") from error
        return one

    def _tell(self, client: MlflowClient, one: Reported, history: History) -> None:
        version = client.get_model_version(history.model, one.version)
        run = _run(client, history.model, one.version, artifacts_at(self.home))
        moment = int(one.window.end.timestamp() * 1000)
        step = int(one.window.end.timestamp()) // 60
        source = version.source or ""
        logged = source.removeprefix("models:/") if source.startswith("models:/m-") else None
        numbers = {"drift.rows": float(one.rows)}
        if one.share is not None:
            numbers |= {"drift.share": one.share, "drift.detected": float(one.detected)}
        numbers |= {f"drift.score.{name}": score for name, score in one.scores.items()}
        numbers |= {f"drift.performance.{name}": value for name, value in one.performance.items()}
        for name, value in numbers.items():
            client.log_metric(run, name, value, timestamp=moment, step=step, model_id=logged)
        if one.page:
            client.log_artifact(run, str(history.folder / one.page), "windows")
        client.log_artifact(run, str(history.folder / "history.html"))
        told = {"window": str(one.window), "share": one.share, "detected": one.detected, "run": run}
        client.set_model_version_tag(history.model, one.version, DRIFT, json.dumps(told))


def _run(client: MlflowClient, model: str, version: str, artifacts: str | None) -> str:
    """MLflow's id of the run that a monitor tells of a version in."""
    name = f"{model} monitor"
    experiment = client.get_experiment_by_name(name)
    identity = experiment.experiment_id if experiment is not None else client.create_experiment(name, artifacts)
    tagged = f"tags.`{MONITOR}` = '{model}' and tags.`stagebook.version` = '{version}'"
    known = client.search_runs([identity], tagged, max_results=1)
    if known:
        return str(known[0].info.run_id)
    tags = {MONITOR: model, "stagebook.version": version, "mlflow.runName": f"{model} {version}"}
    run = client.create_run(identity, tags=tags)
    client.set_terminated(run.info.run_id)  # nobody works in it: it is told of windows as they come
    return str(run.info.run_id)


@dataclass(frozen=True, slots=True)
class Tell:
    """Tells a webhook, by POST: `text` for people, the rest for programs, `id` the same if it is told again.

    Attributes:
        url: where to.
    """

    url: str

    def __call__(self, one: Reported, history: History) -> Reported:
        """Tell it of a window.

        Raises:
            StagebookError: it does not answer; it is told next time.
        """
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3.util import Retry

        told: dict[str, Any] = {
            "id": f"{history.model} {one.end}",
            "text": f"Drift of {history.model} {one.version}, {one.window}: {one.note}.",
            "model": history.model,
            "version": one.version,
            "start": one.start,
            "end": one.end,
            "rows": one.rows,
            "share": one.share,
            "drifted": list(one.drifted),
            "performance": dict(one.performance),
        }
        again = Retry(
            total=_TRIES, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None
        )
        with requests.Session() as session:
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(max_retries=again))
            try:
                session.post(self.url, json=told, timeout=_PATIENCE).raise_for_status()
            except requests.RequestException as error:
                kind = type(error).__name__  # its words hold the address, which may hold a key
                remedy = "Run the monitor again: it takes up from there."
                raise StagebookError(f"The webhook was not told of {one.window} ({kind}). {remedy}") from None
        return one


@dataclass(frozen=True, slots=True)
class Retrain:
    """Runs a notebook again, and lets its gates decide whether its model becomes the one in use.

    Attributes:
        notebook: the notebook.
        parameters: names and values; `{start}` and `{end}` in a value are the window's days.
        home: the folder with the runs' record.
    """

    notebook: Path
    parameters: Sequence[tuple[str, str]]
    home: Path

    def __call__(self, one: Reported, history: History) -> Reported:
        """Run it; what it says goes where this process's output goes."""
        days = {"{start}": f"{one.window.start:%Y-%m-%d}", "{end}": f"{one.window.end:%Y-%m-%d}"}
        words = []
        for name, value in self.parameters:
            for mark, day in days.items():
                value = value.replace(mark, day)
            words += ["-p", name, value]
        command = [sys.executable, "-m", "stagebook", "run", str(self.notebook), *words, "--promote"]
        before = self._champion(history.model)
        status = subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode
        after = self._champion(history.model)
        outcome: Retrained = "promoted" if after != before else "unchanged"
        if status:
            outcome = "rejected" if status == _REJECTED else "failed"
        note = f"{one.note}; version {after} is in use now" if outcome == "promoted" else one.note
        return replace(one, retrained=outcome, note=note)

    def _champion(self, model: str) -> str | None:
        found = version_called(client_for(self.home), model, CHAMPION)
        return None if found is None else str(found.version)
