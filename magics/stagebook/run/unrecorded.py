"""Runs that MLflow is to be told of when this process has ended: what is kept of them until then.

A run that only reuses what is there is over sooner than MLflow is imported. So it is recorded by a process of its own,
which nobody waits for. Until that has been done, all that it takes is in a folder: if the process is killed, or no
server answers, the next one that records finds it there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stagebook.run.record import Run
from stagebook.signing import keyed_digest

_FOLDER = "unrecorded"
_ENTRY = "entry.json"
_FAILED = "failed.txt"
_EXPERIMENT = ("MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")
_RECORDER = """\
import os, sys
if hasattr(os, "nice"):
    os.nice(10)
sys.path[:] = [place for place in sys.path if place]  # a notebook's folder may hold modules of any name
from stagebook.track.unrecorded import main
main()
"""
_recorders: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A run that is still to be recorded.

    Attributes:
        folder: where it is kept: in it `run.json` and, if there is one, the output notebook.
        notebook: the source notebook.
        run: what `run.json` says.
        variables: those of MLflow's variables that name the experiment, as they were.
        failed: why it could not be recorded so far; nothing where nobody has tried.
    """

    folder: Path
    notebook: Path
    run: Mapping[str, Any]
    variables: Mapping[str, str]
    failed: str

    @property
    def output(self) -> Path | None:
        """The output notebook, as the run left it."""
        path = self.folder / Path(self.run["output"]).name
        return path if self.run["output"] and path.is_file() else None

    def note_failure(self, cause: str) -> None:
        """Keep why it could not be recorded, for the next run to tell."""
        with suppress(OSError):
            (self.folder / _FAILED).write_text(cause, encoding="utf-8")

    def forget(self) -> None:
        """It is recorded."""
        shutil.rmtree(self.folder, ignore_errors=True)


def keep_unrecorded(run: Run) -> None:
    """Keep what it takes to record a run that has just written its `run.json`.

    Raises:
        OSError: it cannot be kept.
    """
    place = run.home / _FOLDER / run.id
    new = place.with_name(f".{run.id}-{uuid.uuid4().hex[:8]}")
    entry = {
        "notebook": str(run.notebook),
        "where": _where(),
        "variables": {name: os.environ[name] for name in _EXPERIMENT if name in os.environ},
    }
    try:
        new.mkdir(parents=True)
        for file in (run.folder / "run.json", *([run.output] if run.output is not None else [])):
            _link(file, new / file.name)
        (new / _ENTRY).write_text(json.dumps(entry), encoding="utf-8")
        new.rename(place)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def unrecorded(home: Path) -> Iterator[Unrecorded]:
    """The runs kept in this folder that are to be recorded where this process records, the oldest first."""
    here = _where()
    for folder in sorted((home / _FOLDER).glob("[!.]*")):
        with suppress(OSError, ValueError, KeyError, TypeError):  # it has just been recorded, or is none
            entry = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
            run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
            failed = (folder / _FAILED).read_text(encoding="utf-8") if (folder / _FAILED).exists() else ""
            if entry["where"] == here:
                yield Unrecorded(folder, Path(entry["notebook"]), run, entry["variables"], failed)


def lock_of(home: Path) -> Path:
    """The file that is locked by who records what is kept in this folder."""
    return home / _FOLDER / ".lock"


def start_recorder(home: Path) -> bool:
    """Have all that is kept in this folder recorded by a process of its own.

    Returns:
        Whether that has been done by now: where the process would not outlive this one, it is waited for.

    Raises:
        OSError: it cannot be started.
    """
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    apart |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    _recorders[:] = [one for one in _recorders if one.poll() is None]
    _recorders.append(subprocess.Popen([sys.executable, "-c", _RECORDER, str(home)], **apart))
    is_last = _is_the_last()
    if is_last:
        _recorders[-1].wait()
    return is_last


def _is_the_last() -> bool:
    """Whether all is over when this process ends: in a container or a service that runs it, in a CI job."""
    return 1 in (os.getpid(), os.getppid()) or bool(os.environ.get("CI"))


def _where() -> str:
    """What tells where this process records, without the passwords that may be part of it."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    is_relative = bool(uri) and not uri.startswith(("http://", "https://", "sqlite:////", "file:///", "/"))
    return keyed_digest(f"{uri}\0{Path.cwd() if is_relative else ''}")


def _link(file: Path, name: Path) -> None:
    """The file under another name, as it is now: it may be replaced by a later run's, and is never written in place."""
    try:
        name.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, name)
