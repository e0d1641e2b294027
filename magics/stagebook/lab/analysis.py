"""How a notebook stands as it is on the screen: its stages, what flows, what is wrong, what a run would do."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast

from stagebook.book import kale
from stagebook.book.bounds import Bounds, bounds_in
from stagebook.book.cells import INJECTED, read_cells, tags_of
from stagebook.book.draw import label_of
from stagebook.book.notebook import Document, as_document, read_document, source_of
from stagebook.book.picture import MOST, Arrow, Box, svg_of
from stagebook.book.pipeline import examine
from stagebook.errors import PipelineError, StagebookError
from stagebook.lab.plain import numbers, plain
from stagebook.model import Cell, CellEdit, Finding, Fix, Parameter, Pipeline, Stage, StageOptions
from stagebook.run.status import StageStanding, StageStatus, Status, pipeline_status
from stagebook.widgets.details import details_of, run_all_text, summary_of

Facts = dict[str, Any]
"""A part of an answer, as `openapi.yaml` describes it."""

_WITHIN = "stagebook-panel-"
_ROOM = "running · cell 12 of 24 · 128 s"
"""The longest that stands in a box of the graph, as a rule."""
_KNOWN_FILES = 32


def analysis_of(
    notebook: Any, path: Path, *, parameters: Mapping[str, str] | None = None, within: str | None = None
) -> Facts:
    """What there is to say of a notebook that need not be saved as it is.

    Args:
        notebook: as nbformat has it.
        path: where its file is, or is to be.
        parameters: what a run would be given, as text.
        within: what ids in the picture begin with.

    Raises:
        StagebookError: it is no notebook, or not in Python.
    """
    document = as_document(notebook, path)
    pipeline, findings = _examined(document, path)
    cells = pipeline.cells if pipeline is not None else tuple(one.cell for one in read_cells(document)[0])
    status, trouble = _status(pipeline, findings, parameters or {})
    states = [one.state for one in status.stages if one.state]
    return {
        "title": path.name,
        "saved": _told(document) == _told_by_file(path),
        "stages": _stages(pipeline, status) if pipeline is not None else [],
        "edges": _edges(pipeline) if pipeline is not None else [],
        "parameters": parameters_of(pipeline) if pipeline is not None else [],
        "picture": _picture(pipeline, status, within or _WITHIN) if pipeline is not None else "",
        "cells": [{**_place(cell), "role": cell.role, "stage": cell.stage} for cell in cells],
        "findings": _findings(findings, cells, document),
        "summary": summary_of(states),
        "run_all": run_all_text(states),
        "last": _last(status),
        "notes": list(status.notes),
        "next": status.next,
        "trouble": trouble,
    }


def _examined(document: Document, path: Path) -> tuple[Pipeline | None, list[Finding]]:
    """As `examine`; a notebook without stages has no pipeline, and that is no error."""
    try:
        return examine(document, path)
    except PipelineError as error:
        return None, list(error.findings)


def _status(
    pipeline: Pipeline | None, findings: Sequence[Finding], parameters: Mapping[str, str]
) -> tuple[Status, str]:
    """How the stages stand, or why that cannot be told."""
    if pipeline is None:
        return Status(Path(), None, (), (), ""), ""
    unknown = cast("StageStanding", "")
    stages = tuple(StageStatus(one.name, unknown, "", (), "", "", None, {}) for one in pipeline.stages)
    nothing = Status(pipeline.notebook, None, stages, (), "")
    if any(found.severity == "error" for found in findings):
        return nothing, ""
    try:
        return pipeline_status(pipeline, parameters=parameters), ""
    except StagebookError as error:
        return nothing, str(error)


def _place(cell: Cell) -> Facts:
    return {"id": cell.id, "index": cell.index, "number": cell.number}


def _stages(pipeline: Pipeline, status: Status) -> list[Facts]:
    details = details_of(pipeline, status)
    stands = {one.stage: one for one in status.stages}
    return [_stage(stage, stands[stage.name], details[stage.name]) for stage in pipeline.stages]


def _stage(stage: Stage, stood: StageStatus, detail: Mapping[str, Any]) -> Facts:
    return {
        "name": stage.name,
        "cells": [_place(cell) for cell in stage.cells],
        "state": stood.state,
        "reason": stood.reason,
        "changes": detail["changes"],
        "duration": stood.duration,
        "started": stood.started,
        "run": stood.run,
        "reads": [{"name": name, "source": source} for name, source in detail["reads"]],
        "makes": [name for name, _ in detail["makes"]],
        "options": options_of(stage.options),
        "facts": detail["facts"],
        "metrics": numbers(stood.metrics),
        "actions": detail["actions"],
        "kept": detail["kept"],
        "values": detail["values"],
    }


def options_of(options: StageOptions) -> Facts:
    """The options that are set, each as JSON has it."""
    bare = StageOptions()
    found = {one.name: getattr(options, one.name) for one in fields(options)}
    found = {name: value for name, value in found.items() if value != getattr(bare, name)}
    if options.foreach is not None:
        found["foreach"] = str(options.foreach)
    if options.model is not None:
        found["model"] = asdict(options.model)
    if options.resources:
        found["resources"] = dict(options.resources)
    return cast("Facts", plain(found))


def _edges(pipeline: Pipeline) -> list[Facts]:
    return [
        {"source": edge.source, "target": edge.target, "names": list(edge.names), "label": label_of(edge.names)}
        for edge in pipeline.edges
    ]


def parameters_of(pipeline: Pipeline) -> list[Facts]:
    """The parameters, each with what a form needs to ask for it; nothing of a secret's value."""
    bounds = bounds_in(pipeline.cells)
    return [_parameter(one, bounds.get(one.name, Bounds())) for one in pipeline.parameters]


def _parameter(parameter: Parameter, bounds: Bounds) -> Facts:
    is_told = parameter.literal and not parameter.secret
    value = parameter.value
    return {
        "name": parameter.name,
        "kind": parameter.kind,
        "default": plain(value) if is_told else None,
        "text": (value if isinstance(value, str) else repr(value)) if is_told else "",
        "literal": parameter.literal,
        "optional": parameter.optional,
        "help": parameter.help,
        "secret": parameter.secret,
        "known": parameter.secret and bool(os.environ.get(parameter.name.upper())),
        "low": bounds.low,
        "high": bounds.high,
        "low_open": bounds.low_open,
        "high_open": bounds.high_open,
        "choices": plain(bounds.choices),
        "bounds": str(bounds),
    }


def _picture(pipeline: Pipeline, status: Status, within: str) -> str:
    if len(pipeline.stages) > MOST:
        return ""
    stands = {one.stage: one.state for one in status.stages}
    boxes = tuple(Box(stage.name, stands[stage.name], room=_ROOM) for stage in pipeline.stages)
    arrows = tuple(Arrow(edge.source, edge.target, label_of(edge.names)) for edge in pipeline.edges)
    return _drawn(f"Stages of {pipeline.notebook.name}", boxes, arrows, within)


@functools.lru_cache(maxsize=64)
def _drawn(title: str, boxes: tuple[Box, ...], arrows: tuple[Arrow, ...], within: str) -> str:
    """The graph; most edits leave it as it is."""
    return svg_of(title, boxes, arrows, within=within)


def _findings(findings: Sequence[Finding], cells: Sequence[Cell], document: Document) -> list[Facts]:
    by_number = {cell.number: cell for cell in cells}
    codes = (cell for cell in document["cells"] if cell["cell_type"] == "code")
    ours = not kale.is_dialect(tags_of(cell) for cell in codes)  # Kale's tags are read in other words than they have
    return [_finding(found, by_number, document, fixes=found.fixes if ours else ()) for found in findings]


def _finding(found: Finding, cells: Mapping[int, Cell], document: Document, *, fixes: Sequence[Fix]) -> Facts:
    cell = cells.get(found.place.cell) if found.place is not None else None
    return {
        "code": found.code,
        "severity": found.severity,
        "message": found.message,
        "remedy": found.remedy,
        "cell": _place(cell) if cell is not None else None,
        "line": found.place.line if found.place is not None and cell is not None else None,
        "stage": found.stage,
        "fixes": [
            {"title": fix.title, "edits": [_edit(edit, cells[edit.cell], document) for edit in fix.edits]}
            for fix in fixes
        ],
    }


def _edit(edit: CellEdit, cell: Cell, document: Document) -> Facts:
    tags = tags_of(document["cells"][cell.index])
    changed = [*(tag for tag in tags if tag not in edit.remove), *edit.add]
    has_new_tags = bool(edit.remove or edit.add)
    return {"cell": cell.id, "index": cell.index, "tags": changed if has_new_tags else None, "source": edit.source}


def _last(status: Status) -> Facts | None:
    last = status.last
    if last is None:
        return None
    return {"id": last.id, "state": last.state, "started": last.started, "duration": last.duration}


Told = list[tuple[tuple[str, ...], str, str]]
"""What a run takes from each code cell."""


def _told(document: Document) -> Told:
    return [
        (tags_of(cell), repr(cell["metadata"].get("stagebook")), source_of(cell))
        for cell in document["cells"]
        if cell["cell_type"] == "code" and INJECTED not in tags_of(cell)
    ]


def _told_by_file(path: Path) -> Told | None:
    """The same of what is saved; None where nothing is that can be read."""
    try:
        found = path.stat()
        return _told_at(path, found.st_mtime_ns, found.st_size)
    except (OSError, StagebookError):
        return None


@functools.lru_cache(maxsize=_KNOWN_FILES)
def _told_at(path: Path, changed: int, size: int) -> Told:  # noqa: ARG001 - by them one knows that it is the same
    return _told(read_document(path))
