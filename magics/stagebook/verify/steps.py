"""A notebook's stages as one plain kernel runs them from top to bottom: cells, and questions after each stage. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from stagebook.book.cells import tags_of, without_magic
from stagebook.book.drifting import drift_code
from stagebook.book.hidden import is_hidden
from stagebook.book.notebook import Document
from stagebook.model import Cell, Pipeline, Stage

Step = dict[str, Any]


def steps_of(pipeline: Pipeline, document: Document, values: Mapping[str, Any]) -> list[Step]:
    """Parameters, setup and stages in the notebook's order; exploration and test cells are left out.

    A stage with `when` or `foreach` is one step, where its last cell stands.

    Args:
        pipeline: the pipeline.
        document: the notebook that it was read from.
        values: parameters that are given.
    """
    injected = [_cell(0, "".join(f"{name} = {value!r}\n" for name, value in values.items()))] if values else []
    last_default = max((one.number for one in pipeline.cells if one.role == "parameters"), default=0)
    steps: list[Step] = [] if last_default else list(injected)
    for cell in pipeline.cells:
        if cell.role in ("parameters", "setup"):
            steps.append(_cell(cell.number, without_magic(cell.source)))
        elif cell.role == "stage" and cell.stage is not None:
            steps += _of_stage(cell, pipeline.stage(cell.stage), pipeline, document)
        if cell.number == last_default:
            steps += injected
    return steps


def preamble_steps(pipeline: Pipeline, document: Document, values: Mapping[str, Any]) -> list[Step]:
    """Those of parameters and setup alone."""
    return [step for step in steps_of(pipeline, document, values) if not step.get("stage")]


def _of_stage(cell: Cell, stage: Stage, pipeline: Pipeline, document: Document) -> Iterator[Step]:
    options, is_last = stage.options, cell == stage.cells[-1]
    if options.when is None and options.foreach is None:
        one = _cell(cell.number, without_magic(cell.source), tags_of(document["cells"][cell.index]))
        yield {**one, **_about(stage, pipeline), "ends": is_last}
    elif is_last:
        cells = [
            _cell(one.number, without_magic(one.source), tags_of(document["cells"][one.index])) for one in stage.cells
        ]
        mapping = None if options.foreach is None else asdict(options.foreach)
        yield {**_about(stage, pipeline), "cells": cells, "when": options.when, "foreach": mapping, "ends": True}


def _cell(number: int, source: str, tags: tuple[str, ...] = ()) -> Step:
    return {"number": number, "source": source, "tags": list(tags)}


def mapped_metrics(stage: Stage) -> tuple[str, ...]:
    """The metrics of a stage that are lists when it is done, with one for each element that it was run for."""
    return stage.options.metrics if stage.options.foreach is not None else ()


def _about(stage: Stage, pipeline: Pipeline) -> Step:
    names, options = stage.names, stage.options
    made = {*names.binds, *names.changes, *names.touches}
    seen = made if options.foreach is not None else {*made, *names.reads}
    return {
        "stage": stage.name,
        "names": sorted(name for name in seen if not is_hidden(name)),
        "makes": sorted(name for name in names.binds if not is_hidden(name)),
        "takes": sorted(name for name in names.reads if not is_hidden(name)),
        "metrics": list(options.metrics),
        "mapped": list(mapped_metrics(stage)),
        "gate": options.gate,
        "closing": None if options.drift is None else drift_code(options.drift),
        "upstream": sorted(pipeline.upstream(stage.name)),
    }
