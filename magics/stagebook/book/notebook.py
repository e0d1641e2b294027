"""Reading a notebook file into a plain nbformat 4 document, with errors a person can act on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stagebook.errors import NotebookError

Document = dict[str, Any]


def read_document(path: Path) -> Document:
    """The notebook at `path` as nbformat 4 JSON; notebooks of nbformat 3 are upgraded in memory.

    Raises:
        NotebookError: there is no such file, or it is no notebook of nbformat 3 or 4.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotebookError(f"There is no notebook at {path}.{_neighbours(path)}") from None
    except IsADirectoryError:
        raise NotebookError(f"{path} is a folder. Name the notebook in it.{_inside(path)}") from None
    except UnicodeDecodeError:
        raise NotebookError(f"{path} is not a notebook: it is no UTF-8 text.") from None
    except OSError as error:
        raise NotebookError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        if error.pos >= len(text.rstrip()):
            cause = f"its JSON breaks off at {where}: the file is truncated" if text.strip() else "it is empty"
        else:
            cause = f"its JSON is broken at {where} ({error.msg})"
        raise NotebookError(f"{path} is not a notebook: {cause}. Restore it from a copy.") from None
    return as_document(document, path)


def as_document(document: Any, path: Path) -> Document:
    """`document` checked to be a notebook and brought to nbformat 4.

    Raises:
        NotebookError: it is no notebook, or of a format that is not understood.
    """
    if not isinstance(document, dict) or "nbformat" not in document:
        raise NotebookError(f"{path} is not a notebook: it has no `nbformat`. Was another JSON file meant?")
    major = document["nbformat"]
    if major == 3:
        import nbformat

        document = nbformat.v4.upgrade(nbformat.from_dict(document))  # type: ignore[no-untyped-call]
    elif major != 4:
        raise NotebookError(f"{path} is of nbformat {major}; 3 and 4 are understood. Save it again from Jupyter.")
    cells = document.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) and "cell_type" in cell for cell in cells):
        raise NotebookError(f"{path} is not a whole notebook: its `cells` are missing or damaged.")
    return document


def source_of(cell: Document) -> str:
    """A cell's text; nbformat allows it to be stored as a list of lines."""
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def kernel_of(document: Document) -> str:
    """The kernel that the notebook asks for, `python3` where it asks for none."""
    return str(document.get("metadata", {}).get("kernelspec", {}).get("name") or "python3")


def _neighbours(path: Path) -> str:
    return _inside(path.parent) if path.parent.is_dir() else f" There is no folder {path.parent} either."


def _inside(folder: Path) -> str:
    found = sorted(entry.name for entry in folder.glob("*.ipynb"))[:8]
    return f" In {folder} there is: {', '.join(found)}." if found else ""
