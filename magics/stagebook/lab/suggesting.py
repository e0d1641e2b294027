"""Which cells of a notebook, as it is on the screen, could be which stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stagebook.book.notebook import as_document
from stagebook.book.suggest import suggest
from stagebook.suggesttext import suggestion_json


def suggestion_of(notebook: Any, path: Path) -> dict[str, Any]:
    """What each code cell could be, and what would come of it; nothing is changed.

    Args:
        notebook: as nbformat has it.
        path: where its file is, or is to be.

    Raises:
        StagebookError: it is no notebook, or not in Python.
    """
    document = as_document(notebook, path)
    found = suggestion_json(suggest(document, path))
    for cell in found["cells"]:
        cell["id"] = str(document["cells"][cell["index"]].get("id") or f"cell-{cell['index']}")
    return found
