"""Runs that go on, and what is removed from their store meanwhile, keep out of each other's way.

A run holds a lock of its own as long as its process lives, and notes which results it uses. What removes holds another
lock, for which a run that starts waits. So nothing is removed that a run has used or made since it started.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from stagebook.errors import StoreError
from stagebook.events import Event

_FOLDER = "active"
_PATIENCE = 600
"""Seconds that a run waits for a removal that goes on."""


class Presence:
    """A run's lock and notes; a context manager, and a listener, since with each event there may be more to note.

    Args:
        home: the store's folder on this machine.
        run: the run's id.
        keys: fingerprints of the results that the run has used or made; it grows.
    """

    def __init__(self, home: Path, run: str, *, keys: Set[str]) -> None:
        self._home = home
        self._keys = keys
        self._noted: set[str] = set()
        self._notes = home / _FOLDER / f"{run}.txt"
        self._lock = FileLock(home / _FOLDER / f"{run}.lock")

    def __enter__(self) -> Presence:
        try:
            self._notes.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(self._home / _FOLDER / "gc.lock", timeout=_PATIENCE):
                self._lock.acquire(timeout=0)
                self._notes.write_text(f"{os.getpid()} {time.time()}\n", encoding="utf-8")
        except Timeout as error:
            told = f"`stagebook gc` has been removing from the store {self._home} for {_PATIENCE // 60} minutes."
            raise StoreError(f"{told} Wait for it, or end it.") from error
        except OSError as error:
            raise StoreError(f"The store {self._home} cannot be written: {error.strerror or error}.") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._notes.unlink(missing_ok=True)
        self._lock.release()
        with suppress(OSError):
            Path(self._lock.lock_file).unlink(missing_ok=True)

    def __call__(self, event: Event) -> None:  # noqa: ARG002 - a listener's signature
        """Note which results have been used or made since the last event."""
        new = sorted(self._keys - self._noted)
        if new:
            with self._notes.open("a", encoding="utf-8") as file:
                file.write("".join(f"{key}\n" for key in new))
            self._noted.update(new)


@dataclass(frozen=True, slots=True)
class UnendedRun:
    """A run that has not ended: its id, process, start (POSIX seconds), and the results it has used or made."""

    id: str
    process: int
    started: float
    keys: frozenset[str]


@contextmanager
def alone(home: Path) -> Iterator[None]:
    """Nobody else removes, and no run starts, as long as this is open.

    Raises:
        StoreError: somebody else does.
    """
    (home / _FOLDER).mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home / _FOLDER / "gc.lock", timeout=5):
            yield
    except Timeout as error:
        raise StoreError(f"Another `stagebook gc` is at work in {home}. Wait for it to end.") from error


def active_runs(home: Path) -> tuple[UnendedRun, ...]:
    """The runs that go on in this store."""
    return tuple(run for run in noted_runs(home) if _is_held(home / _FOLDER / f"{run.id}.lock"))


def noted_runs(home: Path) -> tuple[UnendedRun, ...]:
    """The runs that go on in this store, and those that were killed."""
    found = []
    for notes in sorted((home / _FOLDER).glob("*.txt")):
        with suppress(OSError, ValueError):  # it has just ended, or was killed as it began
            first, *keys = notes.read_text(encoding="utf-8").splitlines()
            process, started = first.split()
            found.append(UnendedRun(notes.stem, int(process), float(started), frozenset(keys)))
    return tuple(found)


def forget(home: Path, run: str) -> None:
    """Remove what a run has left that was killed."""
    for name in (f"{run}.txt", f"{run}.lock"):
        (home / _FOLDER / name).unlink(missing_ok=True)


def _is_held(path: Path) -> bool:
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
