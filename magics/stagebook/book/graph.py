"""Edges from names: each read is tied to the last earlier stage, in notebook order, that binds or changes the name."""

from __future__ import annotations

import builtins
import graphlib
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stagebook.book.findings import finding
from stagebook.errors import PipelineError
from stagebook.model import Edge, Finding, Pipeline, Place, Segment, Stage, frozen_map

AMBIENT = frozenset(dir(builtins)) | {"__name__", "__doc__", "__builtins__", "get_ipython", "display", "In", "Out", "_"}
"""Names that every notebook kernel has without a cell binding them."""


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A name that a stage reads and no stage before it, and no setup cell, provides."""

    stage: str
    name: str
    place: Place
    deleted_by: str | None


@dataclass(frozen=True, slots=True)
class Links:
    """What linking found: per stage the source of each name, names without a source, and impossible interleavings."""

    inputs: Mapping[str, Mapping[str, str]]
    unresolved: tuple[Unresolved, ...]
    findings: tuple[Finding, ...]


def link(
    segments: Sequence[Segment],
    ambient: frozenset[str],
    *,
    changed: Mapping[str, frozenset[str]] | None = None,
) -> Links:
    """Tie every name that a segment takes to the stage that provides it.

    Args:
        segments: the stages' cells in notebook order.
        ambient: names that a kernel has before any stage runs: builtins, parameters, setup.
        changed: per stage, names found to be changed in place when it ran, beyond what the analysis saw.
    """
    walk = _Walk(ambient, changed or {})
    for segment in segments:
        walk.take(segment)
        walk.provide(segment)
    return Links(
        frozen_map({stage: frozen_map(taken) for stage, taken in walk.inputs.items()}),
        tuple(walk.unresolved),
        tuple(walk.findings),
    )


class _Walk:
    """One pass over the segments: who provides each name at this point of the notebook.

    A stage runs as a whole, where the notebook may have cells of others between its own. So a name must mean one thing
    in all of its cells, and what others took of it must be what it holds at its end.
    """

    def __init__(self, ambient: frozenset[str], changed: Mapping[str, frozenset[str]]) -> None:
        self.ambient = ambient
        self.changed = changed
        self.providers: dict[str, str] = {}
        self.deleted: dict[str, str] = {}
        self.written: set[tuple[str, str]] = set()
        self.taken_from: dict[tuple[str, str], str] = {}
        self.kept_ambient: set[tuple[str, str]] = set()
        self.inputs: dict[str, dict[str, str]] = {}
        self.unresolved: list[Unresolved] = []
        self.findings: list[Finding] = []

    def take(self, segment: Segment) -> None:
        stage, names = segment.stage, segment.names
        taken = self.inputs.setdefault(stage, {})
        wanted = names.reads.keys() | names.touches.keys() | names.changes.keys() | names.maybe_binds
        for name in sorted(wanted):
            provider = self.providers.get(name)
            if provider is not None and provider != stage:
                self._forbid_second_value(segment, name, provider)
                taken[name] = provider
                self.taken_from[provider, name] = stage
            elif provider is None and name in names.reads:
                if name in self.ambient:
                    self.kept_ambient.add((stage, name))
                else:
                    self.unresolved.append(Unresolved(stage, name, names.reads[name], self.deleted.get(name)))

    def provide(self, segment: Segment) -> None:
        stage, names = segment.stage, segment.names
        made = names.binds.keys() | names.changes.keys() | self.changed.get(stage, frozenset())
        for name in sorted(made | names.deletes.keys() | names.touches.keys()):
            if self.providers.get(name) == stage or name in made:
                self._forbid_late_change(segment, name)
        for name in made:
            self.providers[name] = stage
            self.written.add((stage, name))
            self.deleted.pop(name, None)
        for name in names.deletes:
            self.providers.pop(name, None)
            self.deleted[name] = stage

    def _forbid_second_value(self, segment: Segment, name: str, provider: str) -> None:
        """The stage has its own `name` from an earlier cell, or another stage's, or setup's: it cannot hold two."""
        stage = segment.stage
        other = self.inputs[stage].get(name, provider)
        if (stage, name) in self.written | self.kept_ambient or other != provider:
            self._interleaved(segment, provider, name)

    def _forbid_late_change(self, segment: Segment, name: str) -> None:
        """Another stage took `name` from an earlier cell of this stage: it would now get the later value."""
        reader = self.taken_from.get((segment.stage, name))
        if reader is not None:
            self._interleaved(segment, reader, name)

    def _interleaved(self, segment: Segment, other: str, name: str) -> None:
        stage, names = segment.stage, segment.names
        places = (names.reads, names.binds, names.changes, names.touches, names.deletes)
        place = next((found[name] for found in places if name in found), None)
        message = f"Cells of `{stage}` stand around cells of `{other}`, and `{name}` is not the same before and after."
        remedy = f"Give the later cells of `{stage}` a stage name of their own."
        self.findings.append(finding("SB206", message, remedy, place, stage=stage))


def edges_of(inputs: Mapping[str, Mapping[str, str]], needs: Mapping[str, Iterable[str]]) -> tuple[Edge, ...]:
    """The edges that taken names and declared needs make, sorted."""
    names: dict[tuple[str, str], list[str]] = {}
    for target, taken in inputs.items():
        for name, source in taken.items():
            names.setdefault((source, target), []).append(name)
    for target, sources in needs.items():
        for source in sources:
            names.setdefault((source, target), [])
    return tuple(sorted(Edge(source, target, tuple(sorted(found))) for (source, target), found in names.items()))


def in_order(stages: Sequence[Stage], edges: Iterable[Edge]) -> tuple[Stage, ...]:
    """The stages so that each comes after those it depends on; notebook order breaks ties.

    Raises:
        graphlib.CycleError: they depend on each other; its second argument is the cycle, its first stage repeated at
            the end.
    """
    position = {stage.name: index for index, stage in enumerate(stages)}
    sorter = graphlib.TopologicalSorter(dict.fromkeys(position, ()))
    for edge in edges:
        sorter.add(edge.target, edge.source)
    sorter.prepare()
    ready: list[int] = []
    ordered = []
    while sorter.is_active():
        for name in sorter.get_ready():
            heapq.heappush(ready, position[name])
        stage = stages[heapq.heappop(ready)]
        ordered.append(stage)
        sorter.done(stage.name)
    return tuple(ordered)


def provider_before(pipeline: Pipeline, stage: str, name: str, changed: Mapping[str, frozenset[str]]) -> str | None:
    """The stage whose `name` is current when the notebook, run from top to bottom, comes to `stage`."""
    provider = None
    for segment in pipeline.segments:
        if segment.stage == stage:
            break
        names = segment.names
        if name in names.binds or name in names.changes or name in changed.get(segment.stage, ()):
            provider = segment.stage
        if name in names.deletes:
            provider = None
    return provider


def relink(pipeline: Pipeline, changed: Mapping[str, frozenset[str]]) -> Pipeline:
    """The pipeline with the in-place changes that running its stages brought to light.

    Args:
        pipeline: as the analysis saw it.
        changed: per stage, the names of inputs that it changed in place.

    Raises:
        PipelineError: with these changes, no order of the stages gives what the notebook gives.
    """
    if not any(changed.values()):
        return pipeline
    links = link(pipeline.segments, pipeline.ambient, changed=changed)
    if links.findings:
        raise PipelineError(f"{pipeline.notebook.name}: {_learned(changed)}, as a run has shown.", links.findings)
    edges = edges_of(links.inputs, pipeline.needs)
    notebook_order = sorted(pipeline.stages, key=lambda stage: stage.cells[0].number)
    try:
        ordered = in_order(notebook_order, edges)
    except graphlib.CycleError as error:
        around = " -> ".join(reversed(error.args[1]))
        message = (
            f"{pipeline.notebook.name}: {_learned(changed)}, as a run has shown, so that stages depend on each other"
        )
        raise PipelineError(f"{message}: {around}. Take the need out, or move a stage up.") from error
    outputs = {
        stage: tuple(sorted({*kept, *_required(links.inputs, stage)})) for stage, kept in pipeline.outputs.items()
    }
    return replace(
        pipeline,
        stages=ordered,
        edges=edges,
        inputs=links.inputs,
        outputs=frozen_map(outputs),
    )


def _learned(changed: Mapping[str, frozenset[str]]) -> str:
    parts = [
        f"stage `{stage}` changes {', '.join(f'`{name}`' for name in sorted(names))} in place"
        for stage, names in sorted(changed.items())
        if names
    ]
    return " and ".join(parts)


def _required(inputs: Mapping[str, Mapping[str, str]], stage: str) -> set[str]:
    return {name for taken in inputs.values() for name, source in taken.items() if source == stage}
