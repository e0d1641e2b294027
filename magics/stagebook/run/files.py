"""Writing files so that a reader, or a crash, never meets half of one."""

from __future__ import annotations

import uuid
from pathlib import Path

from stagebook.errors import StoreError, UsageError


def write_text(path: Path, text: str) -> None:
    """Write `text` to a temporary file beside `path` and rename it into place.

    Raises:
        StoreError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def writable_folder(path: Path) -> Path:
    """`path`, made if need be.

    Raises:
        UsageError: it cannot be made or written to.
    """
    probe = path / f".{uuid.uuid4().hex[:8]}"
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"The folder {path} cannot be written to: {error.strerror or error}.") from error
    return path
