"""The notebooks that a request may speak of: those below the server's root directory, and no hidden ones."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from stagebook.lab.refusals import RefusedError

_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
_LONGEST = 4096


def notebook_at(root: Path, path: str, *, hidden: bool = False, is_saved: bool = True) -> Path:
    """The notebook that `path` names.

    Args:
        root: the server's root directory.
        path: relative to it, with slashes.
        hidden: whether the server shows hidden files.
        is_saved: whether it has to be there; else its folder has to be.

    Raises:
        RefusedError: it is none, it is not there, or it lies outside of the root directory, links followed.
    """
    parts = PurePosixPath(path).parts
    if not path or "\0" in path or len(path) > _LONGEST:
        raise RefusedError(400, "`path` names no notebook. Give its path relative to the server's root directory.")
    if path.startswith("/") or "\\" in path or ".." in parts or Path(path).drive:
        raise RefusedError(403, f"{path} leaves the server's root directory. Give a path below it.")
    if not path.endswith(".ipynb"):
        raise RefusedError(400, f"{path} is no notebook: its name does not end in .ipynb.")
    top = root.resolve()
    try:
        found = (top / path).resolve()
        there = found.is_file() if is_saved else found.parent.is_dir() and not found.is_dir()
    except (OSError, RuntimeError, ValueError):  # a name that is too long, links in a circle
        raise RefusedError(404, f"There is no notebook {path}.") from None
    if not found.is_relative_to(top):
        raise RefusedError(403, f"{path} leads out of the server's root directory. Move the notebook into it.")
    named = (*parts, *found.relative_to(top).parts)
    if not there or (not hidden and any(part.startswith(".") for part in named)):
        raise RefusedError(404, f"There is no notebook {path}. Was it moved, or renamed?")
    return found


def folder_at(root: Path, notebook: Path, folder: str, *, hidden: bool = False) -> Path:
    """The folder that `folder` names, which need not be there.

    Args:
        root: the server's root directory.
        notebook: the notebook that it belongs to.
        folder: relative to the notebook's folder, with slashes.
        hidden: whether the server shows hidden files.

    Raises:
        RefusedError: it is none, or it lies outside of the root directory, links followed.
    """
    if not folder.strip() or "\0" in folder or len(folder) > _LONGEST:
        raise RefusedError(400, "`folder` names no folder. Give its path relative to the notebook's folder.")
    if folder.startswith("/") or "\\" in folder or Path(folder).drive:
        raise RefusedError(403, f"{folder} leaves the server's root directory. Give a path below it.")
    top = root.resolve()
    try:
        found = (notebook.parent / folder).resolve()
        is_file = found.exists() and not found.is_dir()
    except (OSError, RuntimeError, ValueError):  # a name that is too long, links in a circle
        raise RefusedError(400, f"{folder[:80]} cannot be a folder. Give another name.") from None
    if not found.is_relative_to(top):
        raise RefusedError(403, f"{folder} leads out of the server's root directory. Give a path below it.")
    if not hidden and any(part.startswith(".") for part in found.relative_to(top).parts):
        raise RefusedError(403, f"{folder} is hidden, and this server keeps away from hidden folders. Give another.")
    if is_file:
        raise RefusedError(400, f"{folder} is a file. Give another name.")
    return found


def checked_id(text: str, *, what: str) -> str:
    """The id of a run or a job, which becomes part of a path.

    Raises:
        RefusedError: it is none.
    """
    if not _ID.fullmatch(text):
        raise RefusedError(400, f"`{text[:80]}` is no {what}'s id, which is such as 20261130-101526-020f93.")
    return text
