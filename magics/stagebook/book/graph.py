"""Edges from names: each read is tied to the last earlier stage, in notebook order, that binds or changes the name."""

from __future__ import annotations

import builtins
import graphlib
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stagebook.book.findings import finding
from stagebook.model import Edge, Finding, Names, Pipeline, Place, Segment, Stage, frozen_map

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
    for position, segment in enumerate(segments):
        walk.take(position, segment)
        walk.provide(position, segment)
    return Links(
        frozen_map({stage: frozen_map(taken) for stage, taken in walk.inputs.items()}),
        tuple(walk.unresolved),
        tuple(walk.findings),
    )


class _Walk:
    """One pass over the segments: who provides each name at this point of the notebook."""

    def __init__(self, ambient: frozenset[str], changed: Mapping[str, frozenset[str]]) -> None:
        self.ambient = ambient
        self.changed = changed
        self.providers: dict[str, tuple[str, int]] = {}
        self.deleted: dict[str, str] = {}
        self.written: dict[tuple[str, str], int] = {}
        self.taken_at: dict[tuple[str, str], tuple[str, int]] = {}
        self.inputs: dict[str, dict[str, str]] = {}
        self.unresolved: list[Unresolved] = []
        self.findings: list[Finding] = []

    def take(self, position: int, segment: Segment) -> None:
        stage, names = segment.stage, segment.names
        taken = self.inputs.setdefault(stage, {})
        wanted = {**names.touches, **names.changes, **names.reads}
        for name in sorted(wanted.keys() | names.maybe_binds):
            if name in self.providers:
                provider = self.providers[name]
                if provider[0] != stage:
                    self._forbid_shadowing(segment, name, provider)
                    taken[name] = provider[0]
                    self.taken_at[provider[0], name] = (stage, position)
            elif name in names.reads and name not in self.ambient:
                gone = self.deleted.get(name)
                self.unresolved.append(Unresolved(stage, name, names.reads[name], gone))

    def provide(self, position: int, segment: Segment) -> None:
        stage, names = segment.stage, segment.names
        for name in sorted(names.binds.keys() | names.changes.keys() | self.changed.get(stage, frozenset())):
            self._forbid_late_change(segment, name)
            self.providers[name] = (stage, position)
            self.written[stage, name] = position
            self.deleted.pop(name, None)
        for name in names.deletes:
            self.providers.pop(name, None)
            self.deleted[name] = stage

    def _forbid_shadowing(self, segment: Segment, name: str, provider: tuple[str, int]) -> None:
        """The stage has its own `name` from an earlier cell, or another stage's: it cannot hold two at once."""
        own = self.written.get((segment.stage, name))
        other = self.inputs[segment.stage].get(name, provider[0])
        if own is not None or other != provider[0]:
            self._interleaved(segment.stage, provider[0], name, segment.names)

    def _forbid_late_change(self, segment: Segment, name: str) -> None:
        """Another stage took `name` from an earlier cell of this stage: it would now get the later value."""
        reader = self.taken_at.get((segment.stage, name))
        if reader is not None and self.written.get((segment.stage, name), reader[1]) < reader[1]:
            self._interleaved(segment.stage, reader[0], name, segment.names)

    def _interleaved(self, stage: str, other: str, name: str, names: Names) -> None:
        place = names.reads.get(name) or names.binds.get(name) or names.changes.get(name)
        message = (
            f"Cells of `{stage}` stand around cells of `{other}`, and both set `{name}`: no order of the two is right."
        )
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
        graphlib.CycleError: they depend on each other; its second argument is the cycle, first stage repeated at the end.
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
    """
    if not any(changed.values()):
        return pipeline
    links = link(pipeline.segments, pipeline.ambient, changed=changed)
    edges = edges_of(links.inputs, {stage.name: stage.options.needs for stage in pipeline.stages})
    notebook_order = sorted(pipeline.stages, key=lambda stage: stage.cells[0].number)
    outputs = {
        stage: tuple(sorted({*kept, *_required(links.inputs, stage)})) for stage, kept in pipeline.outputs.items()
    }
    return replace(
        pipeline,
        stages=in_order(notebook_order, edges),
        edges=edges,
        inputs=links.inputs,
        outputs=frozen_map(outputs),
    )


def _required(inputs: Mapping[str, Mapping[str, str]], stage: str) -> set[str]:
    return {name for taken in inputs.values() for name, source in taken.items() if source == stage}
