"""Writing files so that a reader, or a crash, never meets half of one."""

from __future__ import annotations

import glob
import os
import re
import shutil
import time
import uuid
from contextlib import suppress
from pathlib import Path

from stagebook.errors import StoreError, UsageError


def write_text(path: Path, text: str) -> None:
    """Write `text` to a temporary file beside `path` and rename it into place.

    Raises:
        StoreError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def rewrite(path: Path, text: str, *, known: str) -> None:
    """Put `text` in the place of what the file at `path` holds, as `write_text` does, if that is still `known`.

    The file keeps its permissions, and a link to it stays one.

    Raises:
        UsageError: it has changed.
        StoreError: it cannot be written.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        if target.read_bytes() != known.encode("utf-8"):
            raise UsageError(f"{path} has changed since it was read, so nothing was written. Run the command again.")
        if not os.access(target, os.W_OK):
            raise StoreError(f"{path} cannot be written: it is write-protected.")
        temporary.write_bytes(text.encode("utf-8"))
        shutil.copymode(target, temporary)
        temporary.replace(target)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def writable_folder(path: Path) -> Path:
    """`path`, made if need be.

    Raises:
        UsageError: it cannot be made or written to.
    """
    probe = path / f".{uuid.uuid4().hex[:8]}"
    file = next((place for place in (path, *path.parents) if os.path.isfile(place)), None)  # noqa: PTH113 - never raises
    if file is not None:
        raise UsageError(f"{file} is a file, and is to be a folder.")
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"The folder {path} cannot be written to: {error.strerror or error}.") from error
    return path


def remove_leftovers(folder: Path, start: str, *, age: float = 0) -> None:
    """Remove what killed processes left in `folder`: entries called `start`, the process's number, a dash and more.

    Args:
        folder: where to look.
        start: what the names begin with.
        age: seconds since an entry was last changed; younger ones stay.
    """
    for path in folder.glob(f"{glob.escape(start)}[0-9]*-*"):
        owner = re.match(r"\d+(?=-)", path.name[len(start) :])
        with suppress(OSError):  # somebody else's, or gone by now
            if owner and not process_lives(int(owner[0])) and time.time() - path.stat().st_mtime >= age:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def process_lives(process: int) -> bool:
    """Whether there is a process of this number; where one cannot ask, there is."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
