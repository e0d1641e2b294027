"""Test cells: which there are, and where the values come from that each one reads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from stagebook.book.cells import without_magic
from stagebook.book.graph import Providers
from stagebook.book.hidden import is_file, is_hidden, is_process
from stagebook.book.places import segments_before
from stagebook.errors import UsageError, did_you_mean
from stagebook.model import Names, Pipeline
from stagebook.run.footing import Footing


@dataclass(frozen=True, slots=True)
class CellTest:
    """A cell with the role `test`.

    Attributes:
        stage: the stage whose results it looks at.
        cell: its number.
        title: the comment that it begins with, else `cell 7`.
        source: its text in the notebook.
        names: what it does to names.
        position: how many of the pipeline's segments come before it.
    """

    stage: str
    cell: int
    title: str
    source: str
    names: Names
    position: int


def cell_tests(pipeline: Pipeline, stages: Collection[str] = ()) -> tuple[CellTest, ...]:
    """The test cells of these stages, of all where none is named, in notebook order.

    Raises:
        UsageError: there is no such stage, or no test cell of one.
    """
    known = [stage.name for stage in pipeline.stages]
    for name in stages:
        if name not in known:
            raise UsageError(f"There is no stage `{name}` in {pipeline.notebook.name}.{did_you_mean(name, known)}")
    found = tuple(
        CellTest(
            str(cell.stage),
            cell.number,
            _title(cell.source) or f"cell {cell.number}",
            cell.source,
            pipeline.tests[cell.number],
            segments_before(cell, pipeline.cells),
        )
        for cell in pipeline.cells
        if cell.role == "test" and (not stages or cell.stage in stages)
    )
    for name in stages:
        if name not in {test.stage for test in found}:
            raise UsageError(f"No cell of {pipeline.notebook.name} tests `{name}`. Tag one `test:{name}`.")
    if not found:
        raise UsageError(f"{pipeline.notebook.name} has no test cells. Tag one `test:NAME`, with a stage's name.")
    return found


def _title(source: str) -> str:
    """The text of the comment that the cell begins with."""
    first = next((line.strip() for line in without_magic(source).splitlines() if line.strip()), "")
    return first.lstrip("#!%").strip() if first.startswith("#") else ""


def sources_of(test: CellTest, footing: Footing) -> dict[str, str]:
    """By name, the stage whose value a test gets: the tested one's, of what it does not make the one that it took.

    Of other names it gets what they hold where the notebook, run from top to bottom, comes to the test. Names that no
    stage provides are left out.
    """
    pipeline, learned = footing.planner.pipeline, footing.planner.learned
    names, stage = test.names, pipeline.stage(test.stage)
    wanted = {*names.reads, *names.touches, *names.changes, *names.maybe_binds}
    providers = Providers(pipeline, learned)
    if names.star_imports:
        wanted |= {name for name in providers.names if not is_hidden(name)}
    own = stage.names.binds.keys() | stage.names.changes.keys()
    if stage.name in footing.results:
        own |= footing.results[stage.name].changed
    found: dict[str, str | None] = {}
    for name in sorted(wanted - stage.names.deletes.keys()):
        taken = stage.name if name in own else pipeline.inputs[stage.name].get(name)
        found[name] = taken or providers.after(name, test.position)
    return {name: source for name, source in found.items() if source is not None}


def hidden_sources(stage: str, footing: Footing) -> dict[str, str]:
    """The same of random state and settings: as the stage left them, or found them where it left them alone."""
    taken = footing.planner.pipeline.inputs[stage]
    left = dict.fromkeys(footing.results[stage].outputs, stage)
    return {
        name: source
        for name, source in {**taken, **left}.items()
        if is_hidden(name) and not is_file(name) and not is_process(name) and source in footing.results
    }
