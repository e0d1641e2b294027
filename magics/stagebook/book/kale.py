"""Kale's tags, read as a dialect: a notebook tagged for Kale opens as it is.

`imports` and `functions` are setup, `pipeline-parameters` are parameters, `block:NAME` and `step:NAME` are stages,
`prev:NAME` is a declared need, `skip` is exploration, an untagged cell goes on with what is tagged above it. What the
`pipeline-metrics` cell prints are the run's metrics.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

_ALONE = {"imports", "functions", "pipeline-parameters", "pipeline-metrics", "skip"}
_SETUP = {"imports", "functions"}
METRICS_STAGE = "pipeline-metrics"

Translation = tuple[tuple[str, ...], dict[str, Any], list[str]]


def is_dialect(tags_of_cells: Iterable[tuple[str, ...]]) -> bool:
    """Whether the notebook uses Kale's tags and none of Stagebook's."""
    tags = {tag for tags in tags_of_cells for tag in tags}
    if "setup" in tags or "parameters" in tags or any(tag.startswith(("stage:", "test:")) for tag in tags):
        return False
    return bool(tags & _ALONE) or any(tag.startswith(("block:", "step:")) for tag in tags)


def translator() -> Callable[[tuple[str, ...]], Translation]:
    """A function from a cell's Kale tags, given in notebook order, to our tags, options, and tags it cannot honour."""
    above: tuple[str, ...] = ()

    def translate(tags: tuple[str, ...]) -> Translation:
        nonlocal above
        ours, options, unsupported = _translated(tags)
        if ours is None:
            ours = above
        elif ours:
            above = ("setup",) if ours == ("parameters",) else ours  # Papermill knows one parameters cell
        return ours, options, unsupported

    return translate


def _translated(tags: tuple[str, ...]) -> tuple[tuple[str, ...] | None, dict[str, Any], list[str]]:
    """Our tags, or None for a cell that continues what is above it."""
    ours: tuple[str, ...] | None = None
    needs, unsupported = [], []
    for tag in tags:
        kind, colon, name = tag.partition(":")
        if tag == "skip":
            ours = ()
        elif tag in _SETUP:
            ours = ("setup",)
        elif tag == "pipeline-parameters":
            ours = ("parameters",)
        elif tag == METRICS_STAGE:
            ours = (f"stage:{METRICS_STAGE}",)
        elif colon and kind in ("block", "step") and name:
            ours = (f"stage:{name}",)
        elif colon and kind == "prev" and name:
            needs.append(name)
        elif colon and kind in ("limit", "label", "annotation", "image", "cache"):
            unsupported.append(tag)
    return ours, ({"needs": ",".join(needs)} if needs else {}), unsupported


def printed_names(tree: ast.Module) -> tuple[str, ...]:
    """The names whose values a metrics cell shows: `print(name)`, `name` alone on its line, or in an f-string."""
    shown: list[ast.expr] = []
    for statement in tree.body:
        if isinstance(statement, ast.Expr):
            value = statement.value
            prints = isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "print"
            shown += value.args if prints and isinstance(value, ast.Call) else [value]
    parts = [part for value in shown for part in (value.values if isinstance(value, ast.JoinedStr) else [value])]
    values = [part.value if isinstance(part, ast.FormattedValue) else part for part in parts]
    return tuple(dict.fromkeys(value.id for value in values if isinstance(value, ast.Name)))
