"""The pipeline as a picture: text for a terminal, SVG, Mermaid, Graphviz dot, or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from stagebook.book.picture import MOST, Arrow, Box, svg_of
from stagebook.book.secrets import shown_values
from stagebook.errors import UsageError
from stagebook.model import Edge, Pipeline, Stage, frozen_map

Format = Literal["text", "svg", "mermaid", "dot", "json"]

_MOST_NAMES = 4
_MOST_LETTERS = 72


def draw(pipeline: Pipeline, format: Format = "text") -> str:  # noqa: A002 - the option's name, everywhere
    """The pipeline's stages and edges in this format.

    Raises:
        UsageError: it has too many stages for a picture.
    """
    return _DRAWERS[format](pipeline)


def text_of(pipeline: Pipeline, states: Mapping[str, str] = frozen_map()) -> str:
    """Stages by rank, from top to bottom; under each what it takes from where.

    A rank is the length of the longest way to the stage: stages of one rank can run at the same time.

    Args:
        pipeline: what is drawn.
        states: how stages stand, by name, to be shown beside them.
    """
    ranks = _ranks(pipeline)
    last = max(ranks.values(), default=-1)
    number = len(pipeline.stages)
    lines = [f"{pipeline.notebook.name}: {number} stage{'' if number == 1 else 's'}"]
    for rank in range(last + 1):
        members = [stage for stage in pipeline.stages if ranks[stage.name] == rank]
        lines += ["  │"] if rank else []
        for position, stage in enumerate(members, start=1):
            ends = rank == last and position == len(members)
            branch = "┌" if rank == 0 and position == 1 else "└" if ends else "├"
            mark = "●" if len(members) == 1 else f"{branch}─●"
            lines.append(f"  {mark} {stage.name}{_cells(stage)}{_state(stage, states)}")
            edges = [edge for edge in pipeline.edges if edge.target == stage.name]
            lines += [f"  {' ' if ends else '│'}     {_taken(edge)}" for edge in edges]
    if len(set(ranks.values())) < len(ranks):
        lines += ["", "Neighbours on branches (─●) can run at the same time."]
    return "\n".join(lines)


def _state(stage: Stage, states: Mapping[str, str]) -> str:
    return f"  {states[stage.name]}" if stage.name in states else ""


def _taken(edge: Edge) -> str:
    return f"◂─ {edge.source} ({label_of(edge.names)})" if edge.names else f"◂┄ {edge.source}, a declared need"


def _svg(pipeline: Pipeline) -> str:
    number = len(pipeline.stages)
    if number > MOST:
        told = f"{pipeline.notebook.name} has {number} stages, and {MOST} are the most that can be drawn as SVG"
        raise UsageError(f"{told}. Take --format text, or --format dot for Graphviz.")
    arrows = (Arrow(edge.source, edge.target, label_of(edge.names)) for edge in pipeline.edges)
    return svg_of(f"Stages of {pipeline.notebook.name}", [Box(stage.name) for stage in pipeline.stages], arrows)


def _mermaid(pipeline: Pipeline) -> str:
    ids = _ids(pipeline)
    lines = ["flowchart TD"]
    lines += [f'    {ids[stage.name]}["{stage.name}"]' for stage in pipeline.stages]
    for edge in pipeline.edges:
        label = label_of(edge.names)
        arrow = f'-->|"{label}"|' if label else "-.->"
        lines.append(f"    {ids[edge.source]} {arrow} {ids[edge.target]}")
    return "\n".join(lines)


_DOT_STYLE = (
    '  node [shape=box, style="rounded,filled", fillcolor="#e8f0fe", color="#3b6fb6", fontname="sans-serif"];',
    '  edge [color="#8a94a6", fontcolor="#4a5568", fontname="sans-serif", fontsize=11];',
)


def _dot(pipeline: Pipeline) -> str:
    lines = ["digraph pipeline {", *_DOT_STYLE]
    lines += [f'  "{stage.name}";' for stage in pipeline.stages]
    for edge in pipeline.edges:
        look = f'label="{label_of(edge.names)}"' if edge.names else "style=dashed"
        lines.append(f'  "{edge.source}" -> "{edge.target}" [{look}];')
    return "\n".join([*lines, "}"])


def _json(pipeline: Pipeline) -> str:
    defaults = shown_values(pipeline.parameters, {})
    picture = {
        "notebook": pipeline.notebook.name,
        "kernel": pipeline.kernel,
        "parameters": [
            {"name": one.name, "value": _plain(defaults[one.name]), "kind": one.kind} for one in pipeline.parameters
        ],
        "stages": [
            {
                "name": stage.name,
                "cells": [cell.number for cell in stage.cells],
                "reads": sorted(pipeline.inputs.get(stage.name, ())),
                "makes": sorted(stage.names.binds),
                "changes": sorted(stage.names.changes),
            }
            for stage in pipeline.stages
        ],
        "edges": [{"source": edge.source, "target": edge.target, "names": list(edge.names)} for edge in pipeline.edges],
    }
    return json.dumps(picture, indent=2)


def _plain(value: object) -> object:
    """The value as JSON has it; as Python writes it where JSON has no such value."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return repr(value)
    return value


def _ranks(pipeline: Pipeline) -> dict[str, int]:
    ranks: dict[str, int] = {}
    for stage in pipeline.stages:
        sources = [edge.source for edge in pipeline.edges if edge.target == stage.name]
        ranks[stage.name] = max((ranks[source] + 1 for source in sources), default=0)
    return ranks


def _cells(stage: Stage) -> str:
    numbers = ", ".join(str(cell.number) for cell in stage.cells)
    return f"  (cell{'s' if len(stage.cells) > 1 else ''} {numbers})"


def label_of(names: Sequence[str]) -> str:
    """The names on an edge, as many as are read at a glance."""
    shown: list[str] = []
    for name in names:
        if shown and (len(shown) == _MOST_NAMES or len(", ".join([*shown, name])) > _MOST_LETTERS):
            break
        shown.append(name)
    more = len(names) - len(shown)
    if more == 1 and len(shown) == _MOST_NAMES:
        return ", ".join(names)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _ids(pipeline: Pipeline) -> Mapping[str, str]:
    """Names as Mermaid takes them: `end` and hyphens have a meaning there."""
    return {stage.name: f"s{position}" for position, stage in enumerate(pipeline.stages)}


_DRAWERS: Mapping[str, Callable[[Pipeline], str]] = {
    "text": text_of,
    "svg": _svg,
    "mermaid": _mermaid,
    "dot": _dot,
    "json": _json,
}
