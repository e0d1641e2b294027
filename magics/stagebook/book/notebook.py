"""Reading a notebook file into a plain nbformat 4 document, with errors a person can act on."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path
from typing import Any

from stagebook.errors import NotebookError, did_you_mean

Document = dict[str, Any]
_MARK = "\ufeff"
"""What some editors put before UTF-8."""


def read_document(path: Path) -> Document:
    """The notebook at `path` as nbformat 4 JSON; notebooks of nbformat 3 are upgraded in memory.

    Raises:
        NotebookError: there is no such file, or it is no notebook of nbformat 3 or 4.
    """
    return document_of(text_of(path), path)


def text_of(path: Path) -> str:
    """The text of the notebook's file, letter for letter; see `read_document` for the errors."""
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise NotebookError(f"There is no notebook at {path}.{_neighbours(path)}") from None
    except IsADirectoryError:
        raise NotebookError(f"{path} is a folder. Name the notebook in it.{_inside(path)}") from None
    except UnicodeDecodeError:
        raise NotebookError(f"{path} is not a notebook: it is no UTF-8 text. Was another file meant?") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        cause = getattr(error, "strerror", None) or error
        raise NotebookError(f"{path} cannot be read: {cause}.") from error


def document_of(text: str, path: Path) -> Document:
    """The notebook whose file holds `text`; see `read_document`."""
    text = text.removeprefix(_MARK)
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise NotebookError(f"{path} is not a notebook: {_broken(text, error)}. Restore it from a copy.") from None
    except RecursionError:
        raise NotebookError(f"{path} is not a notebook: its JSON is too deeply nested.") from None
    return as_document(document, path)


def _broken(text: str, error: json.JSONDecodeError) -> str:
    where = f"line {error.lineno}, column {error.colno}"
    if not text.strip():
        return "it is empty"
    if re.search(r"^(<{7}|>{7}) ", text, flags=re.MULTILINE):
        return f"its JSON is broken at {where}: it holds the marks of a merge that was not finished"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        return f"its JSON breaks off at {where}: the file is truncated"
    return f"its JSON is broken at {where} ({error.msg})"


def as_document(document: Any, path: Path) -> Document:
    """`document` checked to be a notebook and brought to nbformat 4; every `metadata` in it is a dict.

    Raises:
        NotebookError: it is no notebook, or of a format that is not understood.
    """
    if not isinstance(document, dict) or "nbformat" not in document:
        raise NotebookError(f"{path} is not a notebook: it has no `nbformat`. Was another JSON file meant?")
    major = document["nbformat"]
    if major == 3:
        document = _upgraded(document, path)
    elif major != 4:
        raise NotebookError(f"{path} is of nbformat {major!r}; 3 and 4 are understood. Save it again from Jupyter.")
    cells = document.get("cells")
    if not isinstance(cells, list):
        raise _damaged(path, "its `cells` are missing or damaged")
    for index, cell in enumerate(cells, start=1):
        if not (
            isinstance(cell, dict) and isinstance(cell.get("cell_type"), str) and _is_source(cell.get("source", ""))
        ):
            raise _damaged(path, f"number {index} of its `cells` is damaged")
    return {**_with_metadata(document), "cells": [_with_metadata(cell) for cell in cells]}


def _upgraded(document: Document, path: Path) -> Document:
    import nbformat

    try:
        joined = nbformat.v3.nbjson.JSONReader().to_notebook(document)  # type: ignore[no-untyped-call]
        return dict(nbformat.v4.upgrade(joined))  # type: ignore[no-untyped-call]
    except Exception as error:  # nbformat trusts the document and fails as it falls
        raise _damaged(path, "it cannot be brought from nbformat 3 to 4") from error


def _damaged(path: Path, cause: str) -> NotebookError:
    return NotebookError(f"{path} is a damaged notebook: {cause}. Restore it from a copy.")


def _is_source(source: Any) -> bool:
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))


def _with_metadata(part: Document) -> Document:
    metadata = part.get("metadata")
    return {**part, "metadata": metadata if isinstance(metadata, dict) else {}}


def source_of(cell: Document) -> str:
    """A cell's text; nbformat allows it to be stored as a list of lines."""
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def kernel_of(document: Document) -> str:
    """The kernel that the notebook asks for, `python3` where it asks for none."""
    spec = document["metadata"].get("kernelspec")
    return str((spec.get("name") if isinstance(spec, dict) else None) or "python3")


def language_of(document: Document) -> str:
    """The language the notebook is in, in lower case; Python where it names none."""
    for where, key in (("kernelspec", "language"), ("language_info", "name")):
        told = document["metadata"].get(where)
        if isinstance(told, dict) and told.get(key):
            return str(told[key]).lower()
    return "python"


def require_python(document: Document, path: Path) -> None:
    """Nothing, if the notebook is in Python.

    Raises:
        NotebookError: it is in another language.
    """
    language = language_of(document)
    if language not in ("python", "ipython"):
        raise NotebookError(f"{path.name} is in {language}; stages are read from Python notebooks.")


def _neighbours(path: Path) -> str:
    if not path.parent.is_dir():
        return f" There is no folder {path.parent} either."
    stems = {entry.stem: entry.name for entry in path.parent.glob("*.ipynb")}
    close = difflib.get_close_matches(path.stem, stems, n=1)
    return f" Did you mean `{stems[close[0]]}`?" if close else _inside(path.parent)


def _inside(folder: Path) -> str:
    return did_you_mean("", sorted(entry.name for entry in folder.glob("*.ipynb"))[:8])
