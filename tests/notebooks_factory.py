"""Notebooks for tests, written as lists of cells."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stagebook.book.pipeline import examine, pipeline_of
from stagebook.model import Finding, Pipeline

Cells = Iterable[tuple[str, str] | tuple[str, str, dict[str, Any]]]
HERE = Path("notebook.ipynb")


def notebook(cells: Cells, *, minor: int = 5) -> dict[str, Any]:
    """An nbformat 4 document of code cells: (tags, separated by spaces; source; options in the metadata)."""
    return {
        "nbformat": 4,
        "nbformat_minor": minor,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [_cell(index, *cell, minor=minor) for index, cell in enumerate(cells)],
    }


def _cell(index: int, tags: str, source: str, options: dict[str, Any] | None = None, *, minor: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {"tags": tags.split()} if tags else {}
    if options is not None:
        metadata["stagebook"] = options
    cell = {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    return {**cell, "id": f"id-{index}"} if minor >= 5 else cell


def written(folder: Path, cells: Cells, name: str = "notebook.ipynb") -> Path:
    """The path of a notebook of these cells in `folder`."""
    path = folder / name
    path.write_text(json.dumps(notebook(cells)), encoding="utf-8")
    return path


def pipeline(cells: Cells) -> Pipeline:
    """The pipeline of these cells; fails where they are none."""
    return pipeline_of(notebook(cells), HERE)


def findings(cells: Cells) -> list[Finding]:
    """All that there is to say about these cells."""
    return examine(notebook(cells), HERE)[1]


def codes(cells: Cells) -> list[str]:
    """The codes of the findings, in order."""
    return [found.code for found in findings(cells)]


def arrows(cells: Cells) -> dict[str, str]:
    """The edges as `{"a -> b": "x, y"}`."""
    return {f"{edge.source} -> {edge.target}": ", ".join(edge.names) for edge in pipeline(cells).edges}
