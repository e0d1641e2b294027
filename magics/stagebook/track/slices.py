"""The feature stages of a model as code by itself: their cells, what of setup they use, what they take from others."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from stagebook.book.cells import without_magic
from stagebook.book.slices import foundation, preamble_statements
from stagebook.book.syntax import may_be_ipython, parse
from stagebook.errors import UsageError
from stagebook.model import Pipeline

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
    for cell in cells:
        if may_be_ipython(without_magic(cell.source)):
            raise UsageError(
                f"cell {cell.number} of `features` holds a magic or a shell line, which runs in IPython only"
            )
    preamble = preamble_statements(pipeline)
    founded = [foundation(stage, preamble) for stage in members]
    used = {id(node) for base in founded for node in base.setup}
    setup = [one.node for one in preamble if id(one.node) in used and not _loads_extension(one.node)]
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
        "setup": "\n".join([*(f"{name} = {value!r}" for name, value in given.items()), *map(ast.unparse, setup)]),
        "code": "\n".join(ast.unparse(parse(without_magic(cell.source))) for cell in cells),
        "taken": taken,
        "made": {name: content for name, content in made.items() if "#" in content and ":" not in name},
        "rows": rows,
    }


def _loads_extension(node: ast.stmt) -> bool:
    """Whether it is a magic, as `%load_ext`: they are calls of IPython here."""
    return "get_ipython" in ast.unparse(node)
