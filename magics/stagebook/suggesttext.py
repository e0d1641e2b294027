"""A suggestion as text for people, as JSON, and as a diff of the cells' tags."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from stagebook.book.cells import tags_of
from stagebook.book.draw import draw
from stagebook.book.notebook import Document
from stagebook.book.suggested import SuggestedCell, Suggestion
from stagebook.sections import aligned
from stagebook.text import findings_list

_WIDEST = 44


def suggestion_text(suggestion: Suggestion, notebook: str, *, only: Collection[int] | None = None) -> str:
    """A line a cell; then the graph that would result, what would be wrong with it, and what could be better.

    Args:
        suggestion: what cells would be, and what would come of it.
        notebook: the name of the file.
        only: numbers of the chosen cells; None for all.
    """
    cells = [cell for cell in suggestion.cells if only is None or cell.number in only]
    rows = [("cell", "code", "tag", "why"), *(_row(cell) for cell in cells)]
    parts = ["\n".join(aligned([(f"{number:>4}", *rest) for number, *rest in rows]))]
    if not suggestion.new:
        parts.append(_nothing(suggestion, notebook))
    if suggestion.pipeline is not None:
        parts.append(draw(suggestion.pipeline, "text"))
    if suggestion.remaining:
        parts.append(_remaining(suggestion))
    hints = [hint for hint in suggestion.hints if only is None or hint.place.cell in only]
    if hints:
        parts.append("\n".join(["It would be better still:", *(f"  {hint.place}: {hint.text}" for hint in hints)]))
    return "\n\n".join(parts)


def _nothing(suggestion: Suggestion, notebook: str) -> str:
    """That there is nothing to tag, and why."""
    if any(cell.role == "stage" for cell in suggestion.cells):
        return f"{notebook}: nothing to suggest. Every cell has its role, or only looks."
    return f"{notebook}: nothing to suggest. No cell can be a stage: they only look, or cannot run from top to bottom."


def _row(cell: SuggestedCell) -> tuple[str, str, str, str]:
    tag = f"+{cell.new_tag}" if cell.new_tag is not None else cell.tag or ""
    measures = f"; measures {', '.join(cell.metrics)}" if cell.metrics and cell.new_tag is not None else ""
    return str(cell.number), _shortened(cell.code), tag, cell.why + measures


def _shortened(code: str) -> str:
    """The beginning of a line of code."""
    return code if len(code) <= _WIDEST else f"{code[: _WIDEST - 1]}…"


def tags_text(document: Document, suggestion: Suggestion, tags: Mapping[int, str], notebook: str) -> str:
    """What would be added to the cells' tags, in the manner of a unified diff, and the errors that remain.

    Args:
        document: the notebook.
        suggestion: what its cells would be.
        tags: the chosen ones, by the cell's position among all cells.
        notebook: the name of the file.
    """
    if not tags:
        return _nothing(suggestion, notebook)
    lines = [f"--- {notebook}", f"+++ {notebook}"]
    for cell in suggestion.cells:
        if cell.index in tags:
            lines.append(f"@@ cell {cell.number} @@ {_shortened(cell.code)}".rstrip())
            lines += [f" {tag}" for tag in tags_of(document["cells"][cell.index])]
            lines.append(f"+{tags[cell.index]}")
            lines += [f"+metrics={','.join(cell.metrics)}"] if cell.metrics else []
    return "\n".join([*lines, *(["", _remaining(suggestion)] if suggestion.remaining else [])])


def _remaining(suggestion: Suggestion) -> str:
    return f"To be mended by hand:\n{findings_list(suggestion.remaining)}"


def suggestion_json(suggestion: Suggestion, *, only: Collection[int] | None = None) -> dict[str, Any]:
    """The chosen cells and what would come of them, as JSON has it."""
    cells = [cell for cell in suggestion.cells if only is None or cell.number in only]
    edges = suggestion.pipeline.edges if suggestion.pipeline is not None else ()
    return {
        "cells": [
            {
                "number": cell.number,
                "index": cell.index,
                "role": cell.role,
                "stage": cell.stage,
                "tag": cell.tag,
                "new": cell.new_tag is not None,
                "why": cell.why,
                "metrics": list(cell.metrics),
                "code": cell.code,
            }
            for cell in cells
        ],
        "edges": [{"source": edge.source, "target": edge.target, "names": list(edge.names)} for edge in edges],
        "errors": [{"code": one.code, "message": one.message, "remedy": one.remedy} for one in suggestion.remaining],
        "hints": [{"cell": one.place.cell, "line": one.place.line, "text": one.text} for one in suggestion.hints],
    }
