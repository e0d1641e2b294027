"""What MLflow is to be told of: kept in a folder until it has been, and told by a process of its own.

To import MLflow takes longer than many runs do, and a server may be away. So a run or a sweep leaves what there is to
say on disk, and a process that nobody waits for says it. If that is killed, or no server answers, the next one finds
all of it there; what MLflow knows already is not said twice (`track/recorder`).
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stagebook.run.files import write_text
from stagebook.signing import keyed_digest

Kind = Literal["run", "sweep"]

_FOLDER = "unrecorded"
_ENTRY = "entry.json"
_FAILED = "failed.txt"
_NOTES = ".notes"
_EXPERIMENT = ("MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")
_RECORDER = """\
import os, sys
if hasattr(os, "nice") and not sys.argv[2:]:  # nobody waits for it
    os.nice(10)
sys.path[:] = [place for place in sys.path if place]  # a notebook's folder may hold modules of any name
from stagebook.track.recorder import main
main()
"""
_recorders: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Within:
    """The sweep that a run belongs to: its id, the number of the run's point, and what the point is called."""

    sweep: str
    point: int
    name: str


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """Something that is still to be recorded.

    Attributes:
        folder: where it is kept, with all files that go with it.
        id: the run's or the sweep's.
        kind: which of the two it is.
        notebook: the source notebook.
        facts: what `run.json` or `sweep.json` says.
        within: the sweep that a run belongs to.
        variables: those of MLflow's variables that name the experiment, as they were.
        process: the process that it goes on in, and when that was known to live (POSIX seconds).
        failed: why it could not be recorded so far; nothing where nobody has tried.
    """

    folder: Path
    id: str
    kind: Kind
    notebook: Path
    facts: Mapping[str, Any]
    within: Within | None
    variables: Mapping[str, str]
    process: tuple[str, int, float]
    failed: str

    @property
    def is_over(self) -> bool:
        """Whether nothing more is going to be said of it: it has ended, or its process has."""
        if self.facts["state"] != "running":
            return True
        import psutil

        host, process, then = self.process
        try:
            return host == platform.node() and psutil.Process(process).create_time() > then
        except psutil.Error:
            return host == platform.node()

    def files(self) -> list[Path]:
        """The files that go with it."""
        own = {_ENTRY, _FAILED}
        files = (path for path in self.folder.iterdir() if path.is_file())
        return sorted(path for path in files if path.name not in own and not path.name.startswith("."))

    def note_failure(self, cause: str) -> None:
        """Keep why it could not be recorded, for the next run to tell."""
        with suppress(OSError):
            (self.folder / _FAILED).write_text(cause, encoding="utf-8")

    def forget(self) -> None:
        """It is recorded."""
        shutil.rmtree(self.folder, ignore_errors=True)


def keep_unrecorded(
    home: Path,
    name: str,
    facts: str,
    *,
    kind: Kind = "run",
    notebook: Path,
    files: Iterable[Path] = (),
    within: Within | None = None,
) -> None:
    """Keep what there is to say of a run or a sweep; of one that goes on it may be done again.

    Args:
        home: folder beside the notebook in which runs are recorded.
        name: its id.
        facts: what its `run.json` or `sweep.json` holds.
        kind: what it is.
        notebook: the source notebook.
        files: those that go with it.
        within: the sweep that a run belongs to.

    Raises:
        OSError: it cannot be kept.
    """
    place = place_of(home, name)
    new = place.with_name(f".{name}-{uuid.uuid4().hex[:8]}") if not place.exists() else place
    entry = {
        "kind": kind,
        "notebook": str(notebook),
        "where": _where(),
        "within": [within.sweep, within.point, within.name] if within else None,
        "variables": {name: os.environ[name] for name in _EXPERIMENT if name in os.environ},
        "process": [platform.node(), os.getpid(), time.time()],
    }
    try:
        new.mkdir(parents=True, exist_ok=True)
        for file in files:
            link(file, new / file.name)
        (new / _ENTRY).write_text(json.dumps(entry), encoding="utf-8")
        write_text(new / f"{kind}.json", facts)
        if new != place:
            new.rename(place)
    finally:
        if new != place:
            shutil.rmtree(new, ignore_errors=True)


def place_of(home: Path, name: str) -> Path:
    """The folder in which what there is to say of a run or a sweep is kept."""
    return home / _FOLDER / name


def unrecorded(home: Path) -> Iterator[Unrecorded]:
    """What is kept in this folder and is to be recorded where this process records: sweeps, then runs, by age."""
    here = _where()
    found = []
    for folder in (home / _FOLDER).glob("[!.]*"):
        with suppress(OSError, ValueError, KeyError, TypeError):  # it has just been recorded, or is none
            entry = json.loads((folder / _ENTRY).read_text(encoding="utf-8"))
            kind = entry["kind"]
            facts = json.loads((folder / f"{kind}.json").read_text(encoding="utf-8"))
            failed = (folder / _FAILED).read_text(encoding="utf-8") if (folder / _FAILED).exists() else ""
            within = Within(*entry["within"]) if entry["within"] else None
            if entry["where"] == here:
                found.append(
                    Unrecorded(
                        folder,
                        folder.name,
                        kind,
                        Path(entry["notebook"]),
                        facts,
                        within,
                        entry["variables"],
                        tuple(entry["process"]),
                        failed,
                    )
                )
    yield from sorted(found, key=lambda one: (one.kind != "sweep", one.id))


def waiting_elsewhere(home: Path) -> int:
    """How much is kept in this folder that is to be recorded where this process does not record."""
    kept = {folder.name for folder in (home / _FOLDER).glob("[!.]*") if (folder / _ENTRY).exists()}
    return len(kept - {one.id for one in unrecorded(home)})


def lock_of(home: Path) -> Path:
    """The file that is locked by who records what is kept in this folder."""
    return home / _FOLDER / ".lock"


def leave_note(home: Path, text: str) -> None:
    """Have a person told, by whatever tells next, of what went wrong where nobody looks."""
    (home / _FOLDER / _NOTES).mkdir(parents=True, exist_ok=True)
    write_text(home / _FOLDER / _NOTES / f"{time.time_ns()}-{uuid.uuid4().hex[:8]}.txt", text)


def take_notes(home: Path) -> list[str]:
    """What is to be told; it is not told again."""
    found = []
    for path in sorted((home / _FOLDER / _NOTES).glob("[!.]*")):
        with suppress(OSError):  # another process tells it
            text = path.read_text(encoding="utf-8")
            path.unlink()
            found.append(text)
    return found


def start_recorder(home: Path, *, wait: bool = False) -> bool:
    """Have all that is kept in this folder recorded by a process of its own.

    Args:
        home: the folder.
        wait: wait for it; so it is where that process would not outlive this one.

    Returns:
        Whether it has been waited for.

    Raises:
        OSError: it cannot be started.
    """
    apart: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    apart |= {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    _recorders[:] = [one for one in _recorders if one.poll() is None]
    wait = wait or _is_the_last()
    arguments = [str(home), *(["waited for"] if wait else [])]
    _recorders.append(subprocess.Popen([sys.executable, "-c", _RECORDER, *arguments], **apart))
    if wait:
        _recorders[-1].wait()
    return wait


def is_recording() -> bool:
    """Whether a process that this one has started is still at it."""
    return any(one.poll() is None for one in _recorders)


def _is_the_last() -> bool:
    """Whether all is over when this process ends: in a container or a service that runs it, in a CI job."""
    return 1 in (os.getpid(), os.getppid()) or bool(os.environ.get("CI"))


def shown_place() -> str:
    """Which server this process records at, without a password; empty for the file beside the notebook."""
    scheme, divider, rest = os.environ.get("MLFLOW_TRACKING_URI", "").partition("://")
    return f"{scheme}{divider}{rest.rpartition('@')[2]}"


def _where() -> str:
    """What tells where this process records, without the passwords that may be part of it."""
    uri = os.environ.get("MLFLOW_TRACKING_URI", "")
    is_relative = bool(uri) and not uri.startswith(("http://", "https://", "sqlite:////", "file:///", "/"))
    return keyed_digest(f"{uri}\0{Path.cwd() if is_relative else ''}")


def link(file: Path, name: Path) -> None:
    """The file under another name, as it is now: it may be replaced by a later run's, and is never written in place."""
    name.unlink(missing_ok=True)
    try:
        name.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, name)
