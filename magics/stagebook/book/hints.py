"""What would make a suggested pipeline better, and only a person can do: move lines from cell to cell."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from stagebook.book.doings import names_bound
from stagebook.book.roles import listed
from stagebook.book.sketch import Sketch
from stagebook.book.suggested import Hint, SuggestedCell
from stagebook.book.verbs import Known
from stagebook.model import Pipeline, Place


def hints_of(
    sketches: Sequence[Sketch], cells: Sequence[SuggestedCell], pipeline: Pipeline | None, known: Known
) -> tuple[Hint, ...]:
    """The hints, in notebook order."""
    found: list[Hint] = []
    has_parameters = any(cell.role == "parameters" for cell in cells)
    rebound = Counter(name for sketch in sketches for name in sketch.makes)
    for sketch, cell in zip(sketches, cells, strict=True):
        if sketch.tree is None:
            continue
        if cell.role == "stage" and pipeline is not None:
            found += _carried(sketch, cell, pipeline, known)
            found += [] if has_parameters else _fixed(sketch, rebound)
        elif cell.role == "setup":
            found += _installing(sketch)
            found += [] if has_parameters else _settings(sketch, sketches, known)
    return tuple(found)


def _carried(sketch: Sketch, cell: SuggestedCell, pipeline: Pipeline, known: Known) -> Iterator[Hint]:
    """Imports and definitions in a stage's cell that other stages take from it."""
    assert sketch.tree is not None
    bound = names_bound(sketch.tree.body, ("import", "definition"), known)
    takers = {
        name: [stage for stage, inputs in pipeline.inputs.items() if inputs.get(name) == cell.stage] for name in bound
    }
    taken = {name: bound[name] for name, stages in takers.items() if stages}
    if taken:
        stages = sorted({stage for name in taken for stage in takers[name]})
        told = f"`{'`, `'.join(stages)}` {'takes' if len(stages) == 1 else 'take'} {listed(taken)} from `{cell.stage}`"
        remedy = "In a cell above the stages, tagged `setup`, it would be there without being carried."
        yield Hint(Place(cell.number, min(taken.values())), f"{told}. {remedy}")


def _fixed(sketch: Sketch, rebound: Mapping[str, int]) -> Iterator[Hint]:
    """Numbers that a cell that trains sets for itself, and nobody else sets."""
    assert sketch.tree is not None
    if "train" not in sketch.doings.verbs:
        return
    numbers = {
        node.targets[0].id: node.lineno
        for node in sketch.tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_number(node.value)
    }
    numbers = {name: line for name, line in numbers.items() if rebound[name] == 1 and name not in sketch.names.changes}
    if numbers:
        text = f"In a cell above the stages, tagged `parameters`, {listed(numbers)} could be set for each run."
        yield Hint(Place(sketch.cell.number, min(numbers.values())), text)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _installing(sketch: Sketch) -> Iterator[Hint]:
    for kind, line in sketch.doings.kinds:
        if kind == "install":
            text = "Setup runs in every kernel, and this line installs or fetches. Give it a cell of its own, untagged."
            yield Hint(Place(sketch.cell.number, line), text)
            return


def _settings(sketch: Sketch, sketches: Sequence[Sketch], known: Known) -> Iterator[Hint]:
    """Plain values beside imports: in a cell of their own they could be set from outside."""
    assert sketch.tree is not None
    literal = names_bound(sketch.tree.body, ("literal",), known)
    others = [other for other in sketches if other is not sketch]
    read = {name: line for name, line in literal.items() if any(name in other.wanted for other in others)}
    if read and not sketch.doings.only("literal"):
        text = f"In a cell of their own, tagged `parameters`, {listed(read)} could be set for each run."
        yield Hint(Place(sketch.cell.number, min(read.values())), text)
