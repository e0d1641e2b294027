"""What a pipeline can be exported as, the files that an exporter would write, and writing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stagebook.commands.exporting import files_for
from stagebook.export.exporter import exporters
from stagebook.export.writing import EditedError, listed_as, write
from stagebook.lab.plain import plain
from stagebook.lab.refusals import RefusedError

_MOST_TEXT = 200_000
"""Bytes of a file that is shown."""


def exporters_answer() -> dict[str, Any]:
    """The exporters that are installed."""
    return {
        "exporters": [
            {
                "name": name,
                "title": one.title,
                "says": one.says,
                "options": [plain(asdict(option)) for option in one.options],
            }
            for name, one in exporters().items()
        ]
    }


def export_preview(notebook: Path, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The files that an exporter would write; of what is no text, the size alone.

    Raises:
        StagebookError: the notebook, or what the exporter is told, is not in order.
        RefusedError: there is no such exporter.
    """
    files = _files(notebook, name, given)
    return {"files": [{"path": path, "text": _text(content), "size": len(content)} for path, content in files.items()]}


def export_written(
    notebook: Path, name: str, given: Mapping[str, Any], folder: Path, *, root: Path, overwrite: bool
) -> dict[str, Any]:
    """Write the files that an exporter makes, and say what became of each.

    Args:
        notebook: the notebook.
        name: the exporter's.
        given: what the exporter is told.
        folder: where they are written to.
        root: the server's root directory.
        overwrite: whether files that were edited since are written over.

    Raises:
        StagebookError: the notebook, or what the exporter is told, is not in order, or nothing can be written there.
        RefusedError: there is no such exporter, or a file would be written over that was edited.
    """
    files = _files(notebook, name, given)
    remedy = "Move it, or press *Overwrite*."
    in_repository = bool(getattr(exporters()[name], "in_repository", False))
    listed = listed_as(name, notebook, folder, in_repository=in_repository)
    try:
        states = write(files, folder, exporter=listed, overwrite=overwrite, remedy=remedy)
    except EditedError as error:
        raise RefusedError(409, str(error).replace(str(folder), folder.name)) from error
    shown = folder.relative_to(root.resolve()).as_posix()
    return {"folder": "" if shown == "." else shown, "files": [plain(asdict(one)) for one in states]}


def _files(notebook: Path, name: str, given: Mapping[str, Any]) -> Mapping[str, bytes]:
    if name not in exporters():
        raise RefusedError(404, f"There is no exporter `{name}`. Is the package that brings it installed?")
    return files_for(name, notebook, given)


def _text(content: bytes) -> str | None:
    if len(content) > _MOST_TEXT:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
