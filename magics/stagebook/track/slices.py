"""The feature stages of a model as code by itself: their cells, what of setup they use, what they take from others."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from stagebook.book.cells import without_magic
from stagebook.book.slices import foundation, preamble_statements
from stagebook.book.syntax import parse, syntax_tree
from stagebook.errors import UsageError
from stagebook.model import Cell, Pipeline

Facts = Mapping[str, Any]


def feature_slice(facts: Facts, pipeline: Pipeline, stages: list[str], rows: str) -> dict[str, Any]:
    """What is needed to make features of other rows than the notebook's.

    Args:
        facts: `run.json`.
        pipeline: of the run's output notebook.
        stages: the feature stages.
        rows: the table of raw rows among what they take; empty to find it.

    Returns:
        JSON: `setup` and `code`, source text; `taken` and `made`, names and contents of what the stages take from
        others and make; `rows`.

    Raises:
        UsageError: they cannot be had by themselves.
    """
    members = [stage for stage in pipeline.stages if stage.name in stages]
    cells = [cell for cell in pipeline.cells if cell.role == "stage" and cell.stage in stages]
    _refuse_magics(cells, alone=True)
    preamble = preamble_statements(pipeline)
    founded = [foundation(stage, preamble) for stage in members]
    used = {id(node) for base in founded for node in base.setup}
    standing = [one for one in preamble if id(one.node) in used and not _is_magic(one.node)]
    places = {one.cell for one in standing}
    _refuse_magics(cell for cell in pipeline.preamble if cell.number in places)
    given = {name: facts["parameters"][name] for base in founded for name in base.parameters}
    secret = sorted(one.name for one in pipeline.parameters if one.secret and one.name in given)
    if secret:
        raise UsageError(f"`features` read the secret parameter `{secret[0]}`")
    records = {stage["stage"]: stage for stage in facts["stages"]}
    taken = {
        name: records[edge["target"]]["inputs"][name]
        for edge in facts["edges"]
        if edge["target"] in stages and edge["source"] not in stages
        for name in edge["names"]
        if ":" not in name and "#" in records[edge["target"]]["inputs"].get(name, "")
    }
    made = {name: content for stage in reversed(members) for name, content in records[stage.name]["outputs"].items()}
    return {
        "setup": "\n".join(
            [*(f"{name} = {value!r}" for name, value in given.items()), *(ast.unparse(one.node) for one in standing)]
        ),
        "code": "\n".join(ast.unparse(parse(without_magic(cell.source))) for cell in cells),
        "taken": taken,
        "made": {name: content for name, content in made.items() if "#" in content and ":" not in name},
        "rows": rows,
    }


def _refuse_magics(cells: Iterable[Cell], *, alone: bool = False) -> None:
    """Refuse cells that are no plain Python; with `alone` also where magics stand by themselves."""
    for cell in cells:
        lines = without_magic(cell.source).splitlines()
        kept = lines if alone else [line for line in lines if not line.lstrip().startswith(("%", "!"))]
        try:
            syntax_tree("\n".join(kept))
        except SyntaxError:
            told = f"cell {cell.number}, which `features` need, holds a magic or a shell line, for IPython only"
            raise UsageError(told) from None


def _is_magic(node: ast.stmt) -> bool:
    """Whether it stands for a magic or a shell line by itself, as `%load_ext` does: what it does is for notebooks."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.JoinedStr)
