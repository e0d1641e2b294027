"""Copies of the files that stages declare in `writes`: as each stage left them, whatever is written to them later."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from stagebook.run.files import write_text
from stagebook.run.opened import FOLDER, content_digest
from stagebook.store.digests import digest_of

LARGEST = 100_000_000
"""Bytes of a file that is copied."""

_COPIES = "written"
_INDEX = "index.json"
_REFLINK = 0x40049409
"""Linux's FICLONE: the copy shares the file's blocks until one of them is written to, where the file system can."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file that a stage declares, as it left it.

    Attributes:
        path: as the stage spells it.
        digest: of its content.
        size: bytes.
        copy: the copy; None where there is none.
        why: why there is none.
    """

    path: str
    digest: str
    size: int
    copy: Path | None
    why: str = ""


def keep_written(folder: Path, stage: str, files: Mapping[str, str | None], *, base: Path) -> None:
    """Copy the files of a stage that has just ended, in place of what was kept of it.

    Args:
        folder: where what there is to say of the run is kept.
        stage: the stage's name.
        files: its files with the digests of what it left; a folder, and what is no file, is left out.
        base: the folder that paths are relative to.

    Raises:
        OSError: they cannot be copied.
        StoreError: as above.
    """
    place = folder / _COPIES / digest_of(stage.encode())
    shutil.rmtree(place, ignore_errors=True)
    wanted = [(path, digest) for path, digest in sorted(files.items()) if digest not in (None, FOLDER)]
    kept = [
        _copied(base / path, place / str(number), WrittenFile(path, str(digest), 0, None))
        for number, (path, digest) in enumerate(wanted)
    ]
    if kept:
        place.mkdir(parents=True, exist_ok=True)
        plain = [asdict(one) | {"copy": one.copy.name if one.copy else None} for one in kept]
        write_text(place / _INDEX, json.dumps({"stage": stage, "files": plain}))


def written_files(folder: Path) -> Iterator[tuple[str, tuple[WrittenFile, ...]]]:
    """What is kept of the files of a run, by stage."""
    for index in sorted((folder / _COPIES).glob(f"*/{_INDEX}")):
        found: dict[str, Any] = json.loads(index.read_text(encoding="utf-8"))
        files = (WrittenFile(**one) for one in found["files"])
        yield (
            found["stage"],
            tuple(
                WrittenFile(one.path, one.digest, one.size, index.parent / one.copy if one.copy else None, one.why)
                for one in files
            ),
        )


def _copied(source: Path, copy: Path, file: WrittenFile) -> WrittenFile:
    """The file with its copy, or with why there is none."""
    size = source.stat().st_size
    if size > LARGEST:
        return WrittenFile(file.path, file.digest, size, None, f"it is larger than {LARGEST // 10**6} MB")
    copy.parent.mkdir(parents=True, exist_ok=True)
    _copy(source, copy)
    if content_digest(copy) != file.digest:
        copy.unlink()
        return WrittenFile(file.path, file.digest, size, None, "it was written to again before it could be copied")
    return WrittenFile(file.path, file.digest, size, copy)


def _copy(source: Path, copy: Path) -> None:
    """Copy the content; at no cost where the file system can share it."""
    if sys.platform == "linux":
        import fcntl

        try:
            with source.open("rb") as read, copy.open("wb") as write:
                fcntl.ioctl(write.fileno(), _REFLINK, read.fileno())
                return
        except OSError:
            pass
    shutil.copyfile(source, copy)
