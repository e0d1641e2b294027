"""Adding tags to cells: in a document, and in the text of its file, of which every other letter stays as it is."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path

from stagebook.book.cells import tags_of
from stagebook.book.json_text import (
    Edit,
    elements_of,
    is_flat,
    layout_of,
    list_of,
    members_of,
    with_element,
    with_member,
)
from stagebook.book.notebook import Document
from stagebook.book.suggested import Suggestion
from stagebook.errors import NotebookError
from stagebook.model import frozen_map


def new_tags(suggestion: Suggestion, *, only: Collection[int] | None = None) -> dict[int, str]:
    """The tags that a suggestion adds, by the cell's position among all cells.

    Args:
        suggestion: what cells would be.
        only: numbers of the cells for which it is accepted; None for all.
    """
    chosen = (cell for cell in suggestion.new if only is None or cell.number in only)
    return {cell.index: str(cell.new_tag) for cell in chosen}


def new_metrics(suggestion: Suggestion, *, only: Collection[int] | None = None) -> dict[int, tuple[str, ...]]:
    """The numbers that stages would record, by the position of the cell that is to say so; see `new_tags`."""
    return {
        cell.index: cell.metrics for cell in suggestion.new if cell.metrics and (only is None or cell.number in only)
    }


def tagged(document: Document, suggestion: Suggestion, *, only: Collection[int] | None = None) -> Document:
    """The notebook with the tags that a suggestion adds; see `new_tags`. The one that is given stays as it is."""
    tags = new_tags(suggestion, only=only)
    metrics = new_metrics(suggestion, only=only)
    cells = [
        _tagged_cell(cell, tags[index], metrics.get(index, ())) if index in tags else cell
        for index, cell in enumerate(document["cells"])
    ]
    return {**document, "cells": cells}


def _tagged_cell(cell: Document, tag: str, metrics: Collection[str]) -> Document:
    said = {"stagebook": {"metrics": list(metrics)}} if metrics else {}
    return {**cell, "metadata": {**said, **cell["metadata"], "tags": [*tags_of(cell), tag]}}


def tagged_text(
    text: str, tags: Mapping[int, str], path: Path, *, metrics: Mapping[int, Collection[str]] = frozen_map()
) -> str:
    """The text of a notebook's file with tags added to cells.

    Layout, order of keys, and all else are left alone.

    Args:
        text: of the file.
        tags: by the cell's position among all cells.
        path: of the file.
        metrics: numbers that stages record, likewise.

    Raises:
        NotebookError: it is of an older format, or a cell's metadata cannot hold a tag.
    """
    start = text.index("{")
    top = {member.key: member for member in members_of(text, start)}
    if json.loads(text[top["nbformat"].value : top["nbformat"].end]) != 4:
        raise NotebookError(f"{path} is of an older nbformat. Save it again from Jupyter, then tag it.")
    cells = elements_of(text, top["cells"].value)
    for index in sorted(tags, reverse=True):  # from the end, so that what is to come stays where it is
        cell, _ = cells[index]
        edit = _edit(text, cell, tags[index])
        if edit is None:
            raise NotebookError(f"{path}: the metadata of number {index + 1} of its cells is damaged. Mend it first.")
        text = _edited(text, edit)
        if metrics.get(index):
            text = _with_metrics(text, cell, metrics[index])
    return text


def _edited(text: str, edit: Edit) -> str:
    return text[: edit.start] + edit.text + text[edit.end :]


def _with_metrics(text: str, cell: int, names: Collection[str]) -> str:
    """The text in which the metadata of a cell, which has tags, says what its stage records, if it has no options."""
    metadata = _member(text, cell, "metadata")
    if metadata is None or _member(text, metadata, "stagebook") is not None:
        return text
    layout = layout_of(text, cell, depth=_CELL_DEPTH)
    layout = layout.flat if is_flat(text, metadata) else layout
    between = f",{layout.line(3)}" if layout.newline else layout.comma
    listed = between.join(json.dumps(name, ensure_ascii=False) for name in names)
    options = f'{{{layout.line(2)}"metrics"{layout.colon}{list_of(listed, layout, level=3)}{layout.line(1)}}}'
    return _edited(text, with_member(text, metadata, "stagebook", options, layout, level=1))


_CELL_DEPTH = 3
"""The members of a cell: inside the notebook, its `cells`, and the cell."""


def _edit(text: str, cell: int, tag: str) -> Edit | None:
    """The edit that adds a tag to the cell that begins at this place; None where its metadata holds something odd."""
    layout = layout_of(text, cell, depth=_CELL_DEPTH)
    value = json.dumps(tag, ensure_ascii=False)
    metadata = _member(text, cell, "metadata")
    if metadata is None:
        inner = f'"tags"{layout.colon}{list_of(value, layout, level=2)}'
        return with_member(text, cell, "metadata", f"{{{layout.line(1)}{inner}{layout.line(0)}}}", layout, level=0)
    if text[metadata] != "{":
        return None
    tags = _member(text, metadata, "tags")
    if tags is None:
        layout = layout.flat if is_flat(text, metadata) else layout
        return with_member(text, metadata, "tags", list_of(value, layout, level=2), layout, level=1)
    return with_element(text, tags, value, layout, level=2) if text[tags] == "[" else None


def _member(text: str, at: int, key: str) -> int | None:
    """Where the value of an object's member begins."""
    return {member.key: member.value for member in members_of(text, at)}.get(key)
