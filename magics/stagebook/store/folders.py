"""Where a store's files are: a folder of this machine, read and written in place."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_ABSENT = (FileNotFoundError, NotADirectoryError)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a store: its name with slashes, its size in bytes, when it was written (POSIX seconds)."""

    name: str
    size: int
    modified: float


class Folder(Protocol):
    """A place for files under names with slashes.

    All that goes wrong in it is an `OSError`; of what is not there, a `FileNotFoundError` or `NotADirectoryError`.

    Attributes:
        location: what `Store.at` finds it by.
        shown: what it is called in messages.
        root: the folder on this machine that holds the blobs, or copies of them, to be mapped.
        home: the folder on this machine for what is no part of the store's content: locks and memories.
        is_local: whether others than this machine's processes can be kept off.
    """

    location: str
    shown: str
    root: Path
    home: Path
    is_local: bool

    def new_file(self) -> AbstractContextManager[Path]:
        """A path on this machine to write to, gone afterwards unless it was placed."""

    def place(self, file: Path, name: str) -> None:
        """Put a finished new file under a name, at once and whole, in place of what is there."""

    def read(self, name: str) -> bytes:
        """The content of a file."""

    def fetch(self, name: str, *, anew: bool) -> Path:
        """A blob's file on this machine; `anew` where the copy that was there turned out to be damaged."""

    def has(self, name: str) -> bool:
        """Whether there is such a file."""

    def files(self, under: str) -> Iterator[StoredFile]:
        """All files whose names begin with `under/`."""

    def remove(self, name: str, *, unless_since: float) -> None:
        """Remove a file, unless it was written after a moment; nothing is done where there is none."""


class LocalFolder:
    """A folder of this machine. Everything is written to a unique temporary file and renamed into place.

    Args:
        root: made when first written to.
    """

    is_local = True

    def __init__(self, root: Path) -> None:
        self.root = self.home = root
        self.location = self.shown = str(root)

    @contextmanager
    def new_file(self) -> Iterator[Path]:
        """A path below the folder, on the same disk."""
        folder = self.root / "tmp"
        file = folder / uuid.uuid4().hex
        try:
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
                (self.root / ".gitignore").write_text("*\n", encoding="utf-8")
            yield file
        finally:
            with suppress(OSError):  # no such folder, say: then the error above tells it
                file.unlink()

    def place(self, file: Path, name: str) -> None:
        """Rename."""
        target = self.root / name
        for _ in range(9):
            target.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # the folder was empty, and removed just now
                file.replace(target)
                return
        file.replace(target)

    def read(self, name: str) -> bytes:
        """Read."""
        return (self.root / name).read_bytes()

    def fetch(self, name: str, *, anew: bool) -> Path:  # noqa: ARG002 - there is no copy that could be stale
        """The file itself."""
        return self.root / name

    def has(self, name: str) -> bool:
        """Look."""
        return (self.root / name).exists()

    def files(self, under: str) -> Iterator[StoredFile]:
        """Walk; what is removed meanwhile is left out."""
        for folder, _, names in os.walk(self.root / under):
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):
                    status = path.stat()
                    yield StoredFile(path.relative_to(self.root).as_posix(), status.st_size, status.st_mtime)

    def remove(self, name: str, *, unless_since: float) -> None:
        """Unlink, the folder too if nothing else is in it."""
        path = self.root / name
        with suppress(*_ABSENT):
            if path.stat().st_mtime < unless_since:
                path.unlink()
                if name.count("/") > 1:
                    with suppress(OSError):  # not empty
                        path.parent.rmdir()
