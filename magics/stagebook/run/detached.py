"""Runs that go on by themselves: each a `stagebook run` in a process of its own, and a folder that tells of it.

Nobody needs to listen, and whoever comes later finds them: `.stagebook/jobs/JOB/` beside the notebook holds `job.json`,
the events as lines (`events.jsonl`) and what was said of errors (`errors.txt`). The last jobs are kept.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from stagebook.errors import StagebookError, UsageError
from stagebook.run.background import Told, command_of, event_in
from stagebook.run.files import write_text
from stagebook.run.record import new_run_id, utc_now
from stagebook.run.request import home_for

JobState = Literal["running", "done", "failed", "rejected", "interrupted", "refused", "died"]

_KEPT = 20
"""Jobs of a folder that are kept when they are over."""
_UNFINISHED = 3600.0
"""Seconds after which a folder without `job.json` is nobody's."""
_CLOCKS = 5.0
"""Seconds by which the start of a process may seem to move, as the clock is set."""
_MOST_READ = 2**18
_MOST_TOLD = 4000
_DIED = "The run's process ended without saying how: it was killed, or the machine was."
_GO_ON = "What was done is kept: run it again to go on."


@dataclass(frozen=True, slots=True)
class Job:
    """A run that was started to go on by itself.

    Attributes:
        id: sorts by time.
        folder: what tells of it.
        notebook: the notebook's file name.
        words: the command, as it was started in the notebook's folder.
        started: ISO 8601, UTC.
        process: its number, and when it began (POSIX seconds).
        machine: that it runs on.
    """

    id: str
    folder: Path
    notebook: str
    words: tuple[str, ...]
    started: str
    process: tuple[int, float]
    machine: str

    @property
    def events(self) -> Path:
        """The file of its events."""
        return self.folder / "events.jsonl"


@dataclass(frozen=True, slots=True)
class JobNow:
    """How a job stands: its run's id (empty until that has begun), its state, what there is to say of an odd end."""

    run: str
    state: JobState
    errors: str = ""


def start_job(notebook: Path, words: Sequence[str], *, environment: Mapping[str, str]) -> Job:
    """Start a run that goes on when this process has ended.

    Args:
        notebook: its path.
        words: of the command, which gets them in the notebook's folder.
        environment: variables to be set for it, secrets among them; they are written nowhere.

    Raises:
        StagebookError: it cannot be started, or nothing can be written beside the notebook.
    """
    home, name = home_for(notebook), new_run_id()
    _forget_old(home)
    folder = home / "jobs" / name
    try:
        folder.mkdir(parents=True)
        if not (home / ".gitignore").exists():
            (home / ".gitignore").write_text("*\n", encoding="utf-8")
        with (folder / "events.jsonl").open("wb") as events, (folder / "errors.txt").open("wb") as errors:
            process = subprocess.Popen(
                command_of([*words, "--json"]),
                cwd=notebook.parent,
                stdin=subprocess.DEVNULL,
                stdout=events,
                stderr=errors,
                env={**os.environ, **environment},
                start_new_session=True,
            )
    except OSError as error:
        raise UsageError(f"The run cannot be started: {error.strerror or error} ({error.filename}).") from error
    threading.Thread(target=process.wait, daemon=True).start()  # so that the system forgets it when it is over
    began = _began(process.pid) or time.time()
    job = Job(name, folder, notebook.name, tuple(words), utc_now(), (process.pid, began), platform.node())
    facts = {
        "notebook": job.notebook,
        "words": list(job.words),
        "started": job.started,
        "process": list(job.process),
        "machine": job.machine,
    }
    try:
        write_text(folder / "job.json", json.dumps(facts))
    except StagebookError:
        process.terminate()
        raise
    return job


def jobs_of(notebook: Path) -> list[Job]:
    """The jobs of a notebook that are known, the newest first."""
    found = (_read(folder) for folder in (home_for(notebook) / "jobs").glob("*"))
    return sorted((job for job in found if job and job.notebook == notebook.name), key=lambda job: job.id, reverse=True)


def job_of(notebook: Path, name: str) -> Job | None:
    """The notebook's job of this id, if it is known."""
    return next((job for job in jobs_of(notebook) if job.id == name), None)


def job_now(job: Job) -> JobNow:
    """How a job stands."""
    lives = is_running(job)  # before the events are read: then they are all there
    run, end = "", ""
    for event in _events(job):
        if event["event"] == "RunStarted":
            run = event["run"]
        elif event["event"] == "RunFinished":
            end = event["state"]
    if lives:
        return JobNow(run, "running")
    if end:
        state: JobState = end  # type: ignore[assignment] # a run's states are among a job's
        return JobNow(run, state)
    if (job.folder / "cancelled").exists():
        return JobNow(run, "interrupted")
    told = _errors(job)
    if told and not run:
        return JobNow(run, "refused", told)
    return JobNow(run, "died", "\n".join(filter(None, [_DIED, told, _GO_ON])))


def cancel_job(job: Job) -> None:
    """Have it end as after Ctrl-C: stages under way are interrupted, what is done is kept.

    Raises:
        UsageError: it runs on another machine.
    """
    if not is_running(job):
        return
    if job.machine != platform.node():
        raise UsageError(f"The run goes on on {job.machine}, where process {job.process[0]} is to be ended.")
    with suppress(OSError):
        (job.folder / "cancelled").touch()
    with suppress(ProcessLookupError):
        os.kill(job.process[0], signal.SIGTERM)


class EventLines:
    """The events of a job as they come, each with the number of its line, by which one can go on later.

    Args:
        job: the job.
        after: the last line that is known.
    """

    def __init__(self, job: Job, *, after: int = 0) -> None:
        self._path = job.events
        self._after = after
        self._number = 0
        self._offset = 0

    def new(self) -> list[tuple[int, Told]]:
        """Those that have come since, as many as are read at once; none where nothing has."""
        found: list[tuple[int, Told]] = []
        while not found:
            with suppress(FileNotFoundError), self._path.open("rb") as file:
                file.seek(self._offset)
                whole, end, _ = (file.read(_MOST_READ) + file.readline()).rpartition(b"\n")
            if not end:
                return []
            self._offset += len(whole) + 1
            for line in whole.split(b"\n"):
                self._number += 1
                event = event_in(line.decode("utf-8", errors="replace"))
                if event is not None and self._number > self._after:
                    found.append((self._number, event))
        return found


def _events(job: Job) -> Iterator[Told]:
    lines = EventLines(job)
    while new := lines.new():
        yield from (event for _, event in new)


def _errors(job: Job) -> str:
    with suppress(OSError):
        return (job.folder / "errors.txt").read_text(encoding="utf-8", errors="replace").strip()[-_MOST_TOLD:]
    return ""


def _read(folder: Path) -> Job | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        facts = json.loads((folder / "job.json").read_text(encoding="utf-8"))
        process, began = facts["process"]
        return Job(
            folder.name,
            folder,
            str(facts["notebook"]),
            tuple(map(str, facts["words"])),
            str(facts["started"]),
            (int(process), float(began)),
            str(facts["machine"]),
        )
    return None


def is_running(job: Job) -> bool:
    """Whether its process goes on; of one on another machine, whether its events tell of no end."""
    if job.machine != platform.node():
        return not any(event["event"] == "RunFinished" for event in _events(job))
    number, began = job.process
    now = _began(number)
    return now is not None and abs(now - began) < _CLOCKS


def _began(process: int) -> float | None:
    """When the process of this number began; None where there is none, or it is over."""
    import psutil

    try:
        found = psutil.Process(process)
        return None if found.status() == psutil.STATUS_ZOMBIE else float(found.create_time())
    except psutil.Error:
        return None


def _forget_old(home: Path) -> None:
    """Remove what jobs have left that are over, but for the last ones."""
    over = []
    for folder in sorted((home / "jobs").glob("*"), reverse=True):
        job = _read(folder)
        if job is not None and not is_running(job):
            over.append(folder)
        elif job is None:
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > _UNFINISHED:
                    over.append(folder)
    for folder in over[_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
