"""What a pipeline and its stages are called in what is made of them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Set

from stagebook.book.headings import headings_in, outline
from stagebook.book.notebook import Document, source_of
from stagebook.model import Pipeline, Stage


def title_of(pipeline: Pipeline, document: Document) -> str:
    """The notebook's first heading; its name where it has none."""
    for index, cell in enumerate(document["cells"]):
        if cell["cell_type"] == "markdown":
            for heading in headings_in(source_of(cell), index):
                return heading.text
        elif cell["cell_type"] == "code":
            break
    return pipeline.notebook.stem


def headings_of(pipeline: Pipeline, document: Document) -> dict[str, str]:
    """By stage, the heading that its first cell stands under; empty where there is none."""
    paths = outline(document)
    found = {}
    for stage in pipeline.stages:
        path = paths[stage.cells[0].index]
        found[stage.name] = path[-1].text if path else ""
    return found


def function_names(pipeline: Pipeline, taken: Set[str]) -> dict[str, str]:
    """By stage, a name for a function that is like the stage's.

    Args:
        pipeline: the pipeline.
        taken: names that stand for something else.
    """
    names: dict[str, str] = {}
    for stage in pipeline.stages:
        name = stage.name.replace("-", "_")
        while name in taken or name in names.values() or keyword.iskeyword(name):
            name += "_stage"
        names[stage.name] = name
    return names


def cells_of(stage: Stage) -> str:
    """`cell 3`, or `cells 3, 4 and 6`."""
    numbers = [str(cell.number) for cell in stage.cells]
    return f"cell {numbers[0]}" if len(numbers) == 1 else f"cells {', '.join(numbers[:-1])} and {numbers[-1]}"


def module_name(stem: str) -> str:
    """A name by which a notebook's module can be imported."""
    name = re.sub(r"\W+", "_", stem).strip("_") or "pipeline"
    return f"_{name}" if name[0].isdigit() or keyword.iskeyword(name) else name
