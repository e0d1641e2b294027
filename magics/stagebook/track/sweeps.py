"""Sweeps in MLflow: a run for the sweep, below it a run for each point, below that the stages."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.events import Event, SweepFinished, SweepStarted
from stagebook.run.sweep import Sweep, given_text
from stagebook.track.runs import (
    STATUS,
    RunRecorder,
    Within,
    cause_of,
    place_for,
    recording_thread,
    run_tags,
    tracking_uri,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

_FILES = ("sweep.json", "sweep.csv", "sweep.svg")


class SweepRecorder:
    """Records one sweep; a listener.

    Args:
        notebook: the source notebook.
        home: the folder beside the notebook in which runs are recorded.
    """

    def __init__(self, notebook: Path, home: Path) -> None:
        self.uri = tracking_uri(home)
        self._notebook = notebook
        self._home = home
        self._thread = recording_thread()
        self._id = ""
        self._started: Future[tuple[MlflowClient, str, str]] | None = None
        self._ended = False

    def __call__(self, event: Event) -> None:
        """Record the event; raise what went wrong."""
        if isinstance(event, SweepStarted):
            self._id = event.sweep
            self._started = self._thread.submit(self._start, event)
        elif isinstance(event, SweepFinished):
            try:
                self._thread.submit(self._finish, event.sweep).result()
            except Exception as error:
                message = f"MLflow at {self.uri} does not record this sweep, sweep.json does ({cause_of(error)})."
                raise ConnectionError(message) from error

    def for_point(self, number: int, name: str) -> Callable[[], RunRecorder]:
        """What makes the recorder of a point's run."""
        tags = {"stagebook.sweep": self._id, "stagebook.point": str(number)}
        within = Within(self._thread, self._place, name, tags)
        return lambda: RunRecorder(self._notebook, self._home, within=within)

    def close(self) -> None:
        """End the thread; a sweep that came to no end is marked as failed."""
        if self._started is not None and not self._ended:
            self._thread.submit(self._give_up)
        self._thread.shutdown(wait=True)

    def _place(self) -> tuple[MlflowClient, str, str]:
        assert self._started is not None, "a sweep starts before its points do"
        return self._started.result()

    def _start(self, event: SweepStarted) -> tuple[MlflowClient, str, str]:
        client, experiment = place_for(self._notebook, self._home)
        tags = {**run_tags(f"sweep {event.sweep}", self._notebook), "stagebook.sweep": event.sweep}
        if event.metric is not None:
            tags["stagebook.objective"] = f"{event.direction} {event.metric}"
        run = client.create_run(experiment, tags=tags).info.run_id
        for name, values in event.swept.items():
            client.log_param(run, name, values)
        return client, experiment, run

    def _finish(self, sweep: Sweep) -> None:
        client, _, run = self._place()
        best = sweep.best
        if best is not None:
            client.set_tag(run, "stagebook.best.point", str(best.number))
            client.set_tag(run, "stagebook.best.run", best.run)
            for name in sweep.swept:
                client.set_tag(run, f"stagebook.best.{name}", given_text(best.parameters[name]))
            for name, value in best.metrics.items():
                client.log_metric(run, name, value)
        client.log_metric(run, "points", len(sweep.points))
        client.log_metric(run, "points_failed", sum(point.state == "failed" for point in sweep.points))
        client.log_metric(run, "duration_seconds", sweep.duration)
        for name in _FILES:
            if (sweep.folder / name).exists():
                client.log_artifact(run, str(sweep.folder / name))
        client.set_terminated(run, STATUS[sweep.state])
        self._ended = True

    def _give_up(self) -> None:
        client, _, run = self._place()
        client.set_terminated(run, "FAILED")


listener: Any = SweepRecorder
