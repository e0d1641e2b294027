"""From a notebook document to a `Pipeline`: roles, names, edges, and every finding on the way."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from stagebook.book import check, kale
from stagebook.book.again import analysed, merged, parsed
from stagebook.book.cells import ReadCell, read_cells, without_magic
from stagebook.book.control import control_findings, with_control
from stagebook.book.drifting import with_drift, with_drift_metric
from stagebook.book.files import files_of, orders
from stagebook.book.findings import finding
from stagebook.book.graph import AMBIENT, edges_of, in_order, link
from stagebook.book.notebook import Document, kernel_of, read_document, require_python
from stagebook.book.options import merged_options
from stagebook.book.parameters import read_parameters
from stagebook.book.places import runs_of, segments_before
from stagebook.book.registered import model_findings
from stagebook.book.secrets import secret_findings
from stagebook.book.syntax import CellSyntaxError
from stagebook.errors import PipelineError
from stagebook.model import Cell, Finding, Names, Pipeline, Place, Segment, Stage, StageOptions, frozen_map


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

    def trees_of(self, cells: Iterable[Cell]) -> list[ast.Module]:
        """The trees of these cells, as far as they could be parsed."""
        return [self.trees[cell.number] for cell in cells if cell.number in self.trees]

    @property
    def whole(self) -> bool:
        """Whether all cells that run headlessly could be parsed, so that what is not found in them is not there."""
        return all(cell.number in self.trees for cell in self.cells("parameters", "setup", "stage", "test"))


def load_pipeline(path: Path) -> Pipeline:
    """The pipeline of the notebook at `path`.

    Raises:
        NotebookError: the notebook cannot be read.
        PipelineError: it has findings that keep it from running; they are in `findings`.
    """
    return recalled_pipeline(read_document(path), path)


def recalled_pipeline(document: Document, path: Path) -> Pipeline:
    """As `pipeline_of`, without analysing again what has been before."""
    from stagebook.book.remembered import examined  # it stands on this file

    return _faultless(examined(document, path), path)


def pipeline_of(document: Document, path: Path) -> Pipeline:
    """The pipeline of a notebook document whose file is `path`; see `load_pipeline` for the errors."""
    return _faultless(examine(document, path), path)


def _faultless(found: tuple[Pipeline | None, list[Finding]], path: Path) -> Pipeline:
    pipeline, findings = found
    errors = [found for found in findings if found.severity == "error"]
    if pipeline is None or errors:
        raise PipelineError(f"{path.name} cannot run as a pipeline.", errors)
    return pipeline


def examine(document: Document, path: Path) -> tuple[Pipeline | None, list[Finding]]:
    """The pipeline, or None where its stages have no order, and all there is to say about the notebook.

    Raises:
        NotebookError: it is not in Python.
        PipelineError: it has no stages at all.
    """
    require_python(document, path)
    draft = _drafted(document, path)
    _name(draft)
    links = link(draft.segments, AMBIENT | draft.preamble.binds.keys())
    draft.findings += links.findings
    draft.findings += check.unresolved(draft, links.unresolved)
    draft.findings += check.preamble(draft)
    draft.findings += check.needs(draft.stages)
    draft.findings += control_findings(draft.stages)
    draft.findings += check.late_parameters(draft)
    needs = _needs(draft)
    edges = edges_of(links.inputs, needs)
    try:
        ordered = in_order(draft.stages, edges)
    except graphlib.CycleError as error:
        draft.findings.append(check.cycle(error.args[1], edges, draft.stages))
        return None, check.sorted_findings(draft.findings)
    outputs = check.kept_outputs(draft, links.inputs)
    parameters, found = read_parameters([(cell, draft.trees.get(cell.number)) for cell in draft.cells("parameters")])
    draft.findings += found
    draft.findings += secret_findings(parameters, draft.stages)
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
        tests=frozen_map({cell.number: draft.names[cell.number] for cell in draft.cells("test")}),
        ambient=AMBIENT | draft.preamble.binds.keys(),
        needs=needs,
    )
    draft.findings += check.unread(draft, pipeline)
    draft.findings += model_findings(pipeline)
    return pipeline, check.sorted_findings(draft.findings)


def _drafted(document: Document, path: Path) -> Draft:
    """Cells with roles, each parsed; cells that are no Python are findings."""
    read, findings = read_cells(document)
    if not any(one.cell.role == "stage" for one in read):
        remedy = "Tag a cell `stage:NAME`, start it with `%%stage NAME`, or let `suggest` propose some."
        message = f"{path.name} has no stages. {remedy}"
        raise PipelineError(message, findings)
    trees = {}
    for one in read:
        cell = one.cell
        try:
            trees[cell.number] = parsed(without_magic(cell.source))
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
    analysis = analysed(_blocks(draft, draft.cells("parameters", "setup")))
    draft.preamble, known = analysis.names, analysis.definitions
    for cell in draft.cells("exploration"):
        draft.names[cell.number] = analysed(_blocks(draft, [cell]), known=known).names
    segments, known_after = [], [known]
    for run in runs_of(draft.cells("stage")):
        analysis = analysed(_blocks(draft, run), known=known)
        known = merged(known, analysis.definitions)
        known_after.append(known)
        segments.append(Segment(str(run[0].stage), analysis.names))
    draft.segments = tuple(segments)
    for cell in draft.cells("test"):  # they may call functions that stages define
        before = segments_before(cell, draft.cells("stage"))
        draft.names[cell.number] = analysed(_blocks(draft, [cell]), known=known_after[before]).names
    options = _stage_options(draft)
    draft.segments = _controlled(draft, options)
    draft.stages = tuple(_stages(draft, options))


def _needs(draft: Draft) -> Mapping[str, frozenset[str]]:
    """Per stage, the ones it declares that it needs and those it meets in a file."""
    known = {stage.name for stage in draft.stages}
    by_files = orders([(stage.name, files_of(stage, draft.trees_of(stage.cells))) for stage in draft.stages])
    return frozen_map(
        {stage.name: frozenset(known & {*stage.options.needs} | by_files[stage.name]) for stage in draft.stages}
    )


def _blocks(draft: Draft, cells: Iterable[Cell]) -> list[tuple[int, ast.Module]]:
    return [(cell.number, draft.trees[cell.number]) for cell in cells if cell.number in draft.trees]


def _cells_by_stage(draft: Draft) -> dict[str, list[ReadCell]]:
    by_name: dict[str, list[ReadCell]] = {}
    for one in draft.read:
        if one.cell.role == "stage" and one.cell.stage is not None:
            by_name.setdefault(one.cell.stage, []).append(one)
    return by_name


def _stage_options(draft: Draft) -> dict[str, StageOptions]:
    merged = {}
    for name, read in _cells_by_stage(draft).items():
        said: list[tuple[Place, dict[str, Any]]] = [(Place(one.cell.number, 1), dict(one.options)) for one in read]
        options, found = merged_options(said, stage=name)
        draft.findings += found
        options = options if options.metrics else replace(options, metrics=_shown_metrics(draft, read))
        merged[name] = with_drift_metric(options)
    return merged


def _controlled(draft: Draft, options: Mapping[str, StageOptions]) -> tuple[Segment, ...]:
    """The segments, with what `when`, `foreach` and `drift` do to their names."""
    met: set[str] = set()
    last = {segment.stage: position for position, segment in enumerate(draft.segments)}
    segments = []
    for position, (run, segment) in enumerate(zip(runs_of(draft.cells("stage")), draft.segments, strict=True)):
        place, own = Place(run[0].number, 1), options[segment.stage]
        names = with_control(segment.names, own, first=segment.stage not in met, place=place)
        names = with_drift(names, own, last=last[segment.stage] == position, place=Place(run[-1].number, 1))
        met.add(segment.stage)
        segments.append(replace(segment, names=names))
    return tuple(segments)


def _stages(draft: Draft, options: Mapping[str, StageOptions]) -> Iterable[Stage]:
    parts: dict[str, list[Names]] = {}
    for segment in draft.segments:
        parts.setdefault(segment.stage, []).append(segment.names)
    for name, read in _cells_by_stage(draft).items():
        yield Stage(name, tuple(one.cell for one in read), options[name], _joined(parts[name]))


def _shown_metrics(draft: Draft, read: list[ReadCell]) -> tuple[str, ...]:
    """What Kale's metrics cells print."""
    trees = [draft.trees[one.cell.number] for one in read if one.shows_metrics and one.cell.number in draft.trees]
    return tuple(dict.fromkeys(name for tree in trees for name in kale.printed_names(tree)))


def _joined(parts: list[Names]) -> Names:
    """What the segments of one stage do, run one after the other."""
    whole = parts[0]
    for part in parts[1:]:
        own = whole.binds.keys() - whole.maybe_binds
        sure = part.binds.keys() - part.maybe_binds
        gone = part.deletes.keys() - part.binds.keys()
        whole = Names(
            reads=_before(whole.reads, part.reads, own),
            maybe_reads=whole.maybe_reads | part.maybe_reads,
            binds=frozen_map({n: p for n, p in {**part.binds, **whole.binds}.items() if n not in gone}),
            maybe_binds=(whole.maybe_binds | part.maybe_binds) - sure - (own - part.deletes.keys()) - gone,
            changes=_before(whole.changes, part.changes, own),
            touches=_before(whole.touches, part.touches, own),
            deletes=frozen_map({**{n: p for n, p in whole.deletes.items() if n not in sure}, **part.deletes}),
            imports=whole.imports | part.imports,
            star_imports=whole.star_imports | part.star_imports,
        )
    return whole


def _before(first: Mapping[str, Place], then: Mapping[str, Place], own: Set[str]) -> Mapping[str, Place]:
    """What both do to values from before them; in between, `own` are made."""
    return frozen_map({**{name: place for name, place in then.items() if name not in own}, **first})
