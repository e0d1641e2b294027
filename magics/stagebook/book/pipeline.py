"""From a notebook document to a `Pipeline`: roles, names, edges, and every finding on the way."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stagebook.book.names import Definitions, analyse
from stagebook.book.syntax import CellSyntaxError, parse

from stagebook.book import check
from stagebook.book.cells import ReadCell, read_cells, without_magic
from stagebook.book.findings import finding
from stagebook.book.graph import AMBIENT, edges_of, in_order, link
from stagebook.book.notebook import Document, kernel_of, read_document
from stagebook.book.options import merged_options
from stagebook.book.parameters import read_parameters
from stagebook.errors import PipelineError
from stagebook.model import Cell, Finding, Names, Pipeline, Place, Segment, Stage, frozen_map


@dataclass(slots=True)
class Draft:
    """A notebook on its way to a pipeline: what each step found, for the next step and for the checks."""

    read: list[ReadCell]
    trees: dict[int, ast.Module]
    findings: list[Finding]
    names: dict[int, Names] = field(default_factory=dict)
    preamble: Names = field(default_factory=Names)
    stages: tuple[Stage, ...] = ()
    segments: tuple[Segment, ...] = ()

    def cells(self, *roles: str) -> list[Cell]:
        """The cells that have one of these roles, in notebook order."""
        return [read.cell for read in self.read if read.cell.role in roles]


def load_pipeline(path: Path) -> Pipeline:
    """The pipeline of the notebook at `path`.

    Raises:
        NotebookError: the notebook cannot be read.
        PipelineError: it has findings that keep it from running; they are in `findings`.
    """
    return pipeline_of(read_document(path), path)


def pipeline_of(document: Document, path: Path) -> Pipeline:
    """The pipeline of a notebook document whose file is `path`; see `load_pipeline` for the errors."""
    pipeline, findings = examine(document, path)
    errors = [found for found in findings if found.severity == "error"]
    if pipeline is None or errors:
        raise PipelineError(f"{path.name} cannot run as a pipeline.", errors)
    return pipeline


def examine(document: Document, path: Path) -> tuple[Pipeline | None, list[Finding]]:
    """The pipeline, or None where its stages have no order, and all there is to say about the notebook.

    Raises:
        PipelineError: the notebook has no stages at all.
    """
    draft = _drafted(document, path)
    _name(draft)
    links = link(draft.segments, AMBIENT | draft.preamble.binds.keys())
    draft.findings += links.findings
    draft.findings += check.unresolved(draft, links.unresolved)
    draft.findings += check.preamble(draft)
    draft.findings += check.needs(draft.stages)
    known = {stage.name for stage in draft.stages}
    needs = {stage.name: [need for need in stage.options.needs if need in known] for stage in draft.stages}
    edges = edges_of(links.inputs, needs)
    try:
        ordered = in_order(draft.stages, edges)
    except graphlib.CycleError as error:
        draft.findings.append(check.cycle(error.args[1], edges, draft.stages))
        return None, check.sorted_findings(draft.findings)
    outputs = check.kept_outputs(draft, links.inputs)
    parameters, found = read_parameters([(cell, draft.trees.get(cell.number)) for cell in draft.cells("parameters")])
    draft.findings += found
    pipeline = Pipeline(
        notebook=path.resolve(),
        kernel=kernel_of(document),
        cells=tuple(read.cell for read in draft.read),
        preamble=tuple(draft.cells("parameters", "setup")),
        stages=ordered,
        edges=edges,
        parameters=parameters,
        inputs=links.inputs,
        outputs=frozen_map(outputs),
        segments=draft.segments,
        ambient=AMBIENT | draft.preamble.binds.keys(),
    )
    draft.findings += check.unread(draft, pipeline)
    return pipeline, check.sorted_findings(draft.findings)


def _drafted(document: Document, path: Path) -> Draft:
    """Cells with roles, each parsed; cells that are no Python are findings."""
    read, findings = read_cells(document)
    if not any(one.cell.role == "stage" for one in read):
        message = f"{path.name} has no stages. Tag a cell `stage:NAME`, or start it with `%%stage NAME`."
        raise PipelineError(message, findings)
    trees = {}
    for one in read:
        cell = one.cell
        try:
            trees[cell.number] = parse(without_magic(cell.source))
        except CellSyntaxError as error:
            place = Place(cell.number, error.line)
            if cell.role != "exploration":
                remedy = "Correct the line, or take the tag off the cell."
                findings.append(
                    finding("SB101", f"This is no Python: {error.message}.", remedy, place, stage=cell.stage)
                )
    return Draft(read, trees, findings)


def _name(draft: Draft) -> None:
    """Analyse the preamble, the stages and the cells around them, and fill in the draft's stages and segments."""
    analysis = analyse(_blocks(draft, draft.cells("parameters", "setup")))
    draft.preamble, known = analysis.names, analysis.definitions
    for cell in draft.cells("test", "exploration"):
        draft.names[cell.number] = analyse(_blocks(draft, [cell]), known=known).names
    runs = _runs(draft.cells("stage"))
    segments = []
    for run in runs:
        analysis = analyse(_blocks(draft, run), known=known)
        known = known.merged(analysis.definitions)
        segments.append(Segment(str(run[0].stage), analysis.names))
    draft.segments = tuple(segments)
    draft.stages = tuple(_stages(draft, known))


def _blocks(draft: Draft, cells: Iterable[Cell]) -> list[tuple[int, ast.Module]]:
    return [(cell.number, draft.trees[cell.number]) for cell in cells if cell.number in draft.trees]


def _runs(cells: list[Cell]) -> list[list[Cell]]:
    """The stage cells in runs of one stage each."""
    runs: list[list[Cell]] = []
    for cell in cells:
        if runs and runs[-1][0].stage == cell.stage:
            runs[-1].append(cell)
        else:
            runs.append([cell])
    return runs


def _stages(draft: Draft, known: Definitions) -> Iterable[Stage]:
    by_name: dict[str, list[ReadCell]] = {}
    for one in draft.read:
        if one.cell.role == "stage" and one.cell.stage is not None:
            by_name.setdefault(one.cell.stage, []).append(one)
    parts: dict[str, list[Names]] = {}
    for segment in draft.segments:
        parts.setdefault(segment.stage, []).append(segment.names)
    for name, read in by_name.items():
        said: list[tuple[Place, dict[str, Any]]] = [(Place(one.cell.number, 1), dict(one.options)) for one in read]
        options, found = merged_options(said, stage=name)
        draft.findings += found
        yield Stage(name, tuple(one.cell for one in read), options, _joined(parts[name]))


def _joined(parts: list[Names]) -> Names:
    """What the segments of one stage do, run one after the other."""
    whole = parts[0]
    for part in parts[1:]:
        own = whole.binds.keys() - whole.maybe_binds
        whole = replace(
            whole,
            reads=frozen_map({**{n: p for n, p in part.reads.items() if n not in own}, **whole.reads}),
            binds=frozen_map({**part.binds, **whole.binds}),
            maybe_binds=(whole.maybe_binds | part.maybe_binds) - (part.binds.keys() - part.maybe_binds) - own,
            changes=frozen_map({**{n: p for n, p in part.changes.items() if n not in own}, **whole.changes}),
            touches=frozen_map({**{n: p for n, p in part.touches.items() if n not in own}, **whole.touches}),
            deletes=frozen_map({**whole.deletes, **part.deletes}),
            imports=whole.imports | part.imports,
        )
    return whole
