"""Runs that are started for the panel: what is asked for, checked before anything starts; how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagebook.book.parameters import checked
from stagebook.book.pipeline import load_pipeline
from stagebook.book.secrets import secret_names
from stagebook.errors import UsageError
from stagebook.lab.refusals import RefusedError
from stagebook.model import Pipeline
from stagebook.plan import Selection
from stagebook.run.background import Told, run_words
from stagebook.run.decisions import selected_stages
from stagebook.run.detached import EventLines, Job, cancel_job, is_running, job_now, job_of, jobs_of, start_job
from stagebook.run.history import latest_mark
from stagebook.run.kernelspecs import check_kernel
from stagebook.run.request import home_for

_UNDER_WAY = "A run of {name} that was started here is under way. Wait for its end, or cancel it."


def started(notebook: Path, path: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Start the run that is asked for.

    Args:
        notebook: its path.
        path: what the panel calls it.
        asked: see `JobAsked` in `openapi.yaml`.

    Raises:
        StagebookError: the notebook, or what is asked for, is not in order.
        RefusedError: a run is under way.
    """
    if any(map(is_running, jobs_of(notebook))):
        raise RefusedError(409, _UNDER_WAY.format(name=notebook.name))
    pipeline = load_pipeline(notebook)
    given: Mapping[str, str] = asked.get("parameters") or {}
    secrets: Mapping[str, str] = asked.get("secrets") or {}
    _check(pipeline, given, secrets)
    selection = Selection(asked.get("only"), asked.get("from"), asked.get("to"), bool(asked.get("force")))
    selected_stages(pipeline, selection)
    check_kernel(pipeline.kernel)
    name = Path(notebook.name if not notebook.name.startswith("-") else f"./{notebook.name}")
    words = run_words(
        name,
        parameters=given,
        only=selection.only,
        start=selection.start,
        end=selection.end,
        force=selection.force,
    )
    words += [word for secret in secrets for word in ("--secret", secret)]
    words += [] if asked.get("track", True) else ["--no-track"]
    environment = {secret.upper(): text for secret, text in secrets.items() if text}
    return _job(start_job(notebook, words, environment=environment), path)


def _check(pipeline: Pipeline, given: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    """See that parameters exist and have values that they can have, and that those given as secrets are."""
    name = pipeline.notebook.name
    both = sorted(given.keys() & secrets.keys())
    if both:
        raise UsageError(f"Parameter `{both[0]}` is given twice. Give it as a secret alone.")
    checked(pipeline.parameters, {**given, **secrets}, notebook=name)
    others = sorted(secrets.keys() - secret_names(pipeline.parameters))
    if others:
        raise UsageError(
            f"Parameter `{others[0]}` is not secret. Annotate it: `{others[0]}: Secret`, or give it openly."
        )
    open_ones = sorted(given.keys() & secret_names(pipeline.parameters))
    if open_ones:
        raise UsageError(f"Parameter `{open_ones[0]}` is secret. Give it as a secret, so that it is written nowhere.")


def listed(notebook: Path, path: str) -> dict[str, Any]:
    """The jobs that are known, the newest first."""
    return {"jobs": [_job(job, path) for job in jobs_of(notebook)], "latest": latest_mark(home_for(notebook))}


def cancelled(notebook: Path, path: str, name: str) -> dict[str, Any]:
    """Have a job end.

    Raises:
        StagebookError: it cannot be reached.
        RefusedError: it is not known.
    """
    job = known(notebook, name)
    cancel_job(job)
    return _job(job, path)


def known(notebook: Path, name: str) -> Job:
    """The job of this id.

    Raises:
        RefusedError: it is not known.
    """
    job = job_of(notebook, name)
    if job is None:
        raise RefusedError(404, f"There is no job {name} of {notebook.name}: old ones are forgotten. Look at its runs.")
    return job


class Following:
    """What is told to one who follows a job: its events as they come, and how it ended.

    Args:
        job: the job.
        after: the number of the last event that is known.
    """

    def __init__(self, job: Job, *, after: int) -> None:
        self._job = job
        self._lines = EventLines(job, after=after)

    def look(self) -> tuple[list[tuple[int, Told]], dict[str, Any] | None]:
        """The events that have come since the last look; with the last ones, how the job ended."""
        running = is_running(self._job)  # first: what has ended by then has told all
        events = self._lines.new()
        if events or running:
            return events, None
        now = job_now(self._job)
        return [], {"state": now.state, "run": now.run, "errors": now.errors}


def _job(job: Job, path: str) -> dict[str, Any]:
    now = job_now(job)
    return {
        "job": job.id,
        "path": path,
        "running": now.state == "running",
        "run": now.run,
        "state": now.state,
        "started": job.started,
        "words": list(job.words),
    }
