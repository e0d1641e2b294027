"""Samples: scripts in percent format, read as notebooks in which every code cell is a stage of its own."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stagebook.book.pipeline import examine
from stagebook.model import Pipeline

HAZARDS = Path(__file__).parent / "hazards"

_CELL = re.compile(r"^# ?%%(?P<rest>[^\n]*)\n?|^#{20,}[ ]*\n(?=#)", re.MULTILINE)
_MAGIC = re.compile(r"^# (?=(?:%[A-Za-z]|![a-z]))", re.MULTILINE)
_REFUSED = re.compile(r"^# refused: (?P<said>.+)$", re.MULTILINE)
_FILE = re.compile(r"^# file: (?P<path>\S+)\n", re.MULTILINE)

LOOK = """\
try:
    print("{name} =", told({name}))
except NameError:
    print("{name} is unbound")
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """A notebook to be run in both ways.

    Attributes:
        name: its name.
        cells: the code cells.
        files: what lies beside it.
        refusal: what Stagebook must say, since it cannot run it; empty for one that it must run.
    """

    name: str
    cells: tuple[str, ...]
    files: dict[str, str] = field(default_factory=dict)
    refusal: str = ""


def hazards() -> list[Sample]:
    """Our own samples, each made to go wrong in one way."""
    return [read_script(path) for path in sorted(HAZARDS.glob("*.py"))]


def read_script(path: Path) -> Sample:
    """A script in percent format as a sample.

    Cells of comments alone are left out. As Jupytext has it, `# %run x.py` and `# !ls` are magics and shell lines. Of
    a cell that starts with `# file: NAME`, the lines that follow, without their comment signs, are a file beside the
    notebook. A line `# refused: ...` holds a part of what Stagebook says instead of running it.
    """
    cells, files = [], {}
    whole = path.read_text(encoding="utf-8")
    for text in _blocks(whole):
        if found := _FILE.match(text):
            lines = text[found.end() :].strip("\n").splitlines()
            files[found["path"]] = "".join(line.removeprefix("#").removeprefix(" ") + "\n" for line in lines)
        elif _is_code(text):
            cells.append(_MAGIC.sub("", text.strip("\n")))
    refused = _REFUSED.search(whole)
    return Sample(path.stem, tuple(cells), files, refused["said"] if refused else "")


def notebook(cells: list[str]) -> dict[str, Any]:
    """An nbformat 4 document of these code cells; those that have a letter in their number's place are stages."""
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": [f"stage:c{number}"]},
                "source": source,
                "outputs": [],
                "execution_count": None,
            }
            for number, source in enumerate(cells, start=1)
        ],
    }


def written(sample: Sample, folder: Path) -> Path:
    """The path of the sample's notebook in `folder`, its files beside it.

    A cell is added that prints a digest of every variable, so that equal variables are equal text.

    Raises:
        PipelineError: the cells have no stages, or no order.
    """
    for name, text in sample.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    path = folder / "notebook.ipynb"
    document = notebook([*sample.cells])
    pipeline, _ = examine(document, path)
    looks = looking_cell(pipeline) if pipeline is not None else "pass"
    path.write_text(json.dumps(notebook([*sample.cells, looks])), encoding="utf-8")
    return path


def looking_cell(pipeline: Pipeline) -> str:
    """A cell that tells of every name that is bound in the end, and whether those that were deleted are gone."""
    bound: dict[str, bool] = {}
    for segment in pipeline.segments:
        for name in segment.names.binds:
            bound[name] = True
        for name in segment.names.deletes:
            bound[name] = False
    names = sorted(name for name in bound if name.isidentifier())  # the others stand for hidden state
    looks = [LOOK.format(name=name) for name in names if bound[name]]
    gone = [name for name in names if not bound[name]]
    return f"from looking import are_there, told\n\n{''.join(looks)}print('deleted:', are_there({gone!r}))\n"


def _blocks(text: str) -> list[str]:
    """The texts between cell marks; those of Markdown cells are left out."""
    blocks, start, markdown = [], 0, False
    for mark in _CELL.finditer(text):
        if not markdown:
            blocks.append(text[start : mark.start()])
        markdown = "[markdown]" in (mark["rest"] or "")
        start = mark.end()
    return blocks if markdown else [*blocks, text[start:]]


def _is_code(text: str) -> bool:
    """Whether it holds more than comments and a text that stands alone."""
    try:
        body = ast.parse(_MAGIC.sub("pass  # ", text)).body
    except SyntaxError:
        return bool(text.strip())
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)
