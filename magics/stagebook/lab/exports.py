"""What a pipeline can be exported as, and the files that an exporter would write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stagebook.book.notebook import read_document
from stagebook.book.pipeline import recalled_pipeline
from stagebook.export.exporter import exported_files, exporters
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
    if name not in exporters():
        raise RefusedError(404, f"There is no exporter `{name}`. Is the package that brings it installed?")
    document = read_document(notebook)
    files = exported_files(name, recalled_pipeline(document, notebook), document, given)
    return {"files": [{"path": path, "text": _text(content), "size": len(content)} for path, content in files.items()]}


def _text(content: bytes) -> str | None:
    if len(content) > _MOST_TEXT:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
