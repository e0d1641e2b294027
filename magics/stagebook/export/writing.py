"""Writing what an exporter made, and nothing over what somebody has edited since the last time.

Beside the files stands a list of them with digests, `.stagebook-export.json`. It names what is about to be written
before that is, so that a crash in between leaves no file that would pass for edited.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stagebook.errors import StagebookError, StoreError, UsageError

MANIFEST = ".stagebook-export.json"
State = Literal["new", "changed", "unchanged", "edited", "removed"]
Digests = dict[str, dict[str, list[str]]]
"""By exporter and path, the digests that a file of ours may have."""


@dataclass(frozen=True, slots=True)
class FileState:
    """A file, and what writing does to it: `edited` stands in the way, `removed` is not made any more."""

    path: str
    state: State


class EditedError(StagebookError):
    """Files that would be written over have been edited, or are not the export's; `paths` are theirs."""

    def __init__(self, folder: Path, paths: Iterable[str], *, remedy: str) -> None:
        self.paths = tuple(paths)
        named = ", ".join(self.paths)
        verb = "was" if len(self.paths) == 1 else "were"
        super().__init__(f"In {folder}, {named} {verb} not left as an export wrote it. Nothing is written. {remedy}")


def states(files: Mapping[str, bytes], folder: Path, *, exporter: str) -> tuple[FileState, ...]:
    """What writing these files would do, sorted by path; nothing is written.

    Raises:
        StagebookError: a file would be written to another folder, or one in the way cannot be read.
    """
    known = _read(folder).get(exporter, {})
    found = [FileState(path, _state(folder, path, content, known.get(path, []))) for path, content in files.items()]
    for path in known.keys() - files.keys():
        there = _content(folder, path)
        if there is not None and _digest(there) in known[path]:
            found.append(FileState(path, "removed"))
    return tuple(sorted(found, key=lambda one: one.path))


def write(
    files: Mapping[str, bytes],
    folder: Path,
    *,
    exporter: str,
    overwrite: bool = False,
    remedy: str = "Move it, or export with --force.",
) -> tuple[FileState, ...]:
    """Write the files to `folder`, each as a whole; what an earlier export wrote, and this one does not, is removed.

    Args:
        files: by their paths, relative to `folder`.
        folder: made if need be.
        exporter: the exporter's name.
        overwrite: whether edited files are written over.
        remedy: what to do where there are such.

    Raises:
        EditedError: there are such; nothing is written.
        StoreError: a file cannot be written.
    """
    found = states(files, folder, exporter=exporter)
    edited = [one.path for one in found if one.state == "edited"]
    if edited and not overwrite:
        raise EditedError(folder, edited, remedy=remedy)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _put(files, folder, exporter, found)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written to: {error.strerror or error}.") from error
    return found


def _put(files: Mapping[str, bytes], folder: Path, exporter: str, found: Iterable[FileState]) -> None:
    manifest = _read(folder)
    before = manifest.get(exporter, {})
    new = {path: [_digest(content)] for path, content in files.items()}
    both = {path: [*before.get(path, []), *new.get(path, [])] for path in {*before, *new}}
    temporary = {path: _target(folder, path).with_name(f".{uuid.uuid4().hex[:12]}.part") for path in files}
    try:
        for path, content in files.items():
            temporary[path].parent.mkdir(parents=True, exist_ok=True)
            temporary[path].write_bytes(content)
        _write_manifest(folder, {**manifest, exporter: both})
        for path, place in temporary.items():
            place.replace(_target(folder, path))
        for one in found:
            if one.state == "removed":
                _target(folder, one.path).unlink(missing_ok=True)
        _write_manifest(folder, {**manifest, exporter: new})
    finally:
        for place in temporary.values():
            with suppress(OSError):
                place.unlink(missing_ok=True)


def _state(folder: Path, path: str, content: bytes, known: list[str]) -> State:
    there = _content(folder, path)
    if there is None:
        return "new"
    if there == content:
        return "unchanged"
    return "changed" if _digest(there) in known else "edited"


def _target(folder: Path, path: str) -> Path:
    """Where a file is to stand.

    Raises:
        UsageError: a link, or a path, leads out of the folder.
    """
    target = folder / path
    if not target.parent.resolve().is_relative_to(folder.resolve()) or target.is_symlink():
        raise UsageError(f"{path} in {folder} leads elsewhere: it is a link. Remove it, or export to another folder.")
    return target


def _content(folder: Path, path: str) -> bytes | None:
    target = _target(folder, path)
    try:
        return target.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"{target} is in the way: {error.strerror or error}.") from error


def _read(folder: Path) -> Digests:
    """The list beside the files; nothing where there is none, or none that can be read."""
    try:
        found: Any = json.loads(_target(folder, MANIFEST).read_bytes())
        return {
            str(exporter): {str(path): [str(one) for one in digests] for path, digests in files.items()}
            for exporter, files in found["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _write_manifest(folder: Path, manifest: Digests) -> None:
    place = _target(folder, f".{os.getpid()}-{uuid.uuid4().hex[:8]}.part")
    place.write_text(json.dumps({"files": manifest}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    place.replace(_target(folder, MANIFEST))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def default_folder(notebook: Path, exporter: str) -> str:
    """The name of the folder beside the notebook that an exporter writes to where nobody names another."""
    return f"{notebook.stem}-{exporter}"


def listed_as(exporter: str, notebook: Path, folder: Path, *, in_repository: bool) -> str:
    """What an export's files are listed under: at a repository's root, several notebooks have some each.

    Args:
        exporter: the exporter's name.
        notebook: the notebook.
        folder: where its files go.
        in_repository: whether that is a repository's root.
    """
    if not in_repository:
        return exporter
    return f"{exporter} {Path(os.path.relpath(notebook.resolve(), folder.resolve())).as_posix()}"
