"""Files put back as they were, so that a stage that has to run again finds what it found the first time."""

from __future__ import annotations

import shutil
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from stagebook.run.job import StageResult
from stagebook.run.opened import FOLDER, content_digest
from stagebook.store.blobs import Store

LARGEST = 16 * 2**20
"""Bytes of a file that are kept before it is written to: larger ones cannot be put back."""


def keep_before(path: Path, store: Store, *, largest: float = LARGEST) -> None:
    """Keep a file's content, which is about to change, if it is not larger than that."""
    if path.is_file() and path.stat().st_size <= largest:
        store.put_file(lambda copy: bool(shutil.copyfile(path, copy)))


def is_kept(digest: str | None, store: Store) -> bool:
    """Whether a file of this content (None: no file), or a folder, can be put back."""
    return digest in (None, FOLDER) or store.has(digest)


def put_back(files: Mapping[str, str | None], folder: Path, store: Store) -> None:
    """Give files the contents of these digests again (None: remove the file), and keep what they hold now.

    Folders are made anew, and removed where nothing is left in them.

    Raises:
        StoreError: what was kept is damaged.
    """
    for path, digest in sorted(files.items(), reverse=True):  # what is in a folder comes before the folder
        place = folder / path
        keep_before(place, store, largest=float("inf"))
        if digest == FOLDER:
            place.mkdir(parents=True, exist_ok=True)
        elif digest is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(store.get(digest))
        elif place.is_dir():
            with suppress(OSError):
                place.rmdir()
        else:
            place.unlink(missing_ok=True)


def at_the_end(
    paths: Iterable[str], results: Iterable[StageResult], folder: Path, store: Store
) -> dict[str, str | None]:
    """Of files that were put back for a stage, those that a later one had left otherwise, with what it left.

    Args:
        paths: the files.
        results: of all stages, in notebook order.
        folder: the notebook's.
        store: where contents are kept.
    """
    last: dict[str, str | None] = {}
    for result in results:
        last |= result.left
    return {
        path: last[path]
        for path in paths
        if path in last and last[path] != content_digest(folder / path) and is_kept(last[path], store)
    }


def to_undo(before: StageResult, taken: Container[str], folder: Path, store: Store) -> dict[str, str | None]:
    """What a stage that has run wrote or removed, and nobody has changed since, with what it held before.

    Files that it takes from other stages, `taken`, are to be as these leave them.
    """
    return {
        path: digest
        for path, digest in before.replaced.items()
        if path not in taken and is_kept(digest, store) and content_digest(folder / path) == before.left.get(path)
    }
