"""Edges from names: each read is tied to the last earlier stage, in notebook order, that binds or changes the name."""

from __future__ import annotations

import bisect
import builtins
import graphlib
import heapq
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from stagebook.book.findings import finding
from stagebook.book.hidden import (
    OF_THE_PROCESS,
    called,
    folder_of,
    in_folder,
    is_file,
    is_folder,
    is_hidden,
    is_process,
)
from stagebook.book.ties import Ties
from stagebook.model import Edge, Finding, Learned, Names, Pipeline, Place, Segment, Stage, frozen_map

AMBIENT = frozenset(dir(builtins)) | {"__name__", "__doc__", "__builtins__", "get_ipython", "display", "In", "Out", "_"}
"""Names that every notebook kernel has without a cell binding them."""

_BUILTINS = frozenset(dir(builtins))
_NO_MODULE = re.compile(r"%|(exec|eval|globals)\Z")


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A name that a stage reads and no stage before it, and no setup cell, provides."""

    stage: str
    name: str
    place: Place
    deleted_by: str | None


@dataclass(frozen=True, slots=True)
class Links:
    """What linking found.

    Attributes:
        inputs: per stage, the source of each name that it takes.
        unresolved: names without a source.
        findings: impossible interleavings.
        after: per stage that writes files, those that must have read them before.
    """

    inputs: Mapping[str, Mapping[str, str]]
    unresolved: tuple[Unresolved, ...]
    findings: tuple[Finding, ...]
    after: Mapping[str, frozenset[str]] = field(default_factory=frozen_map)


def link(
    segments: Sequence[Segment],
    ambient: frozenset[str],
    *,
    learned: Mapping[str, Learned] | None = None,
    skipped: frozenset[str] = frozenset(),
) -> Links:
    """Tie every name that a segment takes to the stage that provides it.

    Args:
        segments: the stages' cells in notebook order.
        ambient: names that a kernel has before any stage runs: builtins, parameters, setup.
        learned: per stage, what was found when it ran, beyond what the analysis saw.
        skipped: stages that do not run, and so leave hidden state as it is.
    """
    walk = _Walk(ambient, learned or {}, skipped)
    for segment in segments:
        walk.take(segment)
        walk.provide(segment)
    return Links(
        frozen_map({stage: frozen_map(taken) for stage, taken in walk.inputs.items()}),
        tuple(walk.unresolved),
        tuple(walk.findings),
        frozen_map({stage: frozenset(before - {stage}) for stage, before in walk.after.items()}),
    )


class _Walk:
    """One pass over the segments: who provides each name at this point of the notebook.

    A stage runs as a whole, where the notebook may have cells of others between its own. So a name must mean one thing
    in all of its cells, and what others took of it must be what it holds at its end.
    """

    def __init__(self, ambient: frozenset[str], learned: Mapping[str, Learned], skipped: frozenset[str]) -> None:
        self.ambient = ambient
        self.learned = learned
        self.skipped = skipped
        self.providers: dict[str, str] = {}
        self.of_all: set[str] = set()  # those of the provided names that concern every stage that comes later
        self.deleted: dict[str, str] = {}
        self.stars: list[str] = []
        self.imports_stars = False
        self.written: set[tuple[str, str]] = set()
        self.taken_from: dict[tuple[str, str], str] = {}
        self.kept_ambient: set[tuple[str, str]] = set()
        self.inputs: dict[str, dict[str, str]] = {}
        self.unresolved: list[Unresolved] = []
        self.findings: list[Finding] = []
        self.users: dict[str, set[str]] = {}
        self.after: dict[str, set[str]] = {}
        self.ties = Ties()

    def take(self, segment: Segment) -> None:
        stage, names = segment.stage, segment.names
        taken = self.inputs.setdefault(stage, {})
        wanted = names.reads.keys() | names.touches.keys() | names.changes.keys() | names.maybe_binds
        tied = self.ties.held_together(self._changes(segment), wanted, self.providers)
        for name in sorted(self._with_hidden(segment, wanted | tied.keys())):
            provider = tied.get(name, self.providers.get(name))
            if provider is not None and provider != stage:
                self._forbid_second_value(segment, name, provider)
                taken[name] = provider
                self.taken_from[provider, name] = stage
            elif provider is None and name in names.reads:
                if name in self.ambient:
                    self.kept_ambient.add((stage, name))
                if self.stars and name not in self.deleted and self._may_come_from_stars(name):
                    self._take_from_stars(stage, name)
                elif name not in self.ambient and name not in names.maybe_reads:
                    self.unresolved.append(Unresolved(stage, name, names.reads[name], self.deleted.get(name)))
        if names.star_imports:
            for name, provider in self.providers.items():
                if provider != stage and (stage, name) not in self.written and not is_hidden(name):
                    taken.setdefault(name, provider)

    def _changes(self, segment: Segment) -> set[str]:
        """The names whose objects the stage changes in place."""
        return {*segment.names.changes, *self.learned.get(segment.stage, Learned()).changed}

    def _may_come_from_stars(self, name: str) -> bool:
        """Builtins are rebound by star imports (`from numpy import *`), not by the rest."""
        return name not in self.ambient or (name in _BUILTINS and self.imports_stars)

    def _take_from_stars(self, stage: str, name: str) -> None:
        """Any of the stages that bind what cannot be listed may have bound `name`, and the others pass it on."""
        before = None
        for star in (star for star in self.stars if star != stage):
            if before is not None:
                self.inputs[star].setdefault(name, before)
            before = star
        if before is not None:
            self.inputs[stage][name] = before

    def _with_hidden(self, segment: Segment, wanted: Set[str]) -> set[str]:
        """With the hidden state that the stage was seen to use or to change; a folder stands for the files in it."""
        stage, names = segment.stage, segment.names
        known = self.learned.get(stage, Learned())
        found = {*wanted, *known.used, *(name for name in known.changed if is_hidden(name))}
        found |= self.of_all
        found -= {name for name in names.binds.keys() - names.maybe_binds if is_hidden(name)}
        if stage in self.skipped:
            return {name for name in found if not is_hidden(name)}
        for name in filter(is_file, tuple(found)):
            self.users.setdefault(name, set()).add(stage)
        folders = {name for name in found if is_folder(name)}
        return (found - folders).union(*(in_folder(folder, self.providers) for folder in folders))

    def provide(self, segment: Segment) -> None:
        stage, names = segment.stage, segment.names
        changes = self._changes(segment)
        made = {*names.binds, *changes, *self.ties.around(changes)}
        if stage in self.skipped:
            made = {name for name in made if not is_hidden(name)}
        for name in filter(is_file, made):
            self._wait_for_users(stage, name)
        for name in sorted(made | names.deletes.keys() | names.touches.keys()):
            if self.providers.get(name) == stage or name in made:
                self._forbid_late_change(segment, name)
        self.of_all |= {name for name in made if name in OF_THE_PROCESS or is_process(name)}
        for name in made:
            self.providers[name] = stage
            self.written.add((stage, name))
            self.deleted.pop(name, None)
        if names.star_imports:
            self.providers.update({name: stage for name in self.providers if not is_hidden(name)})
            self.stars = [*(star for star in self.stars if star != stage), stage]
            self.imports_stars |= any(_NO_MODULE.match(star) is None for star in names.star_imports)
        for name in names.deletes:
            self.providers.pop(name, None)
            self.of_all.discard(name)
            self.deleted[name] = stage
        self._tie(stage, names, changes)

    def _tie(self, stage: str, names: Names, changes: set[str]) -> None:
        """Note which names share an object from here on."""
        for name in changes:
            self.ties.tie(stage, self.ties.around([name]))
        self.ties.untie([*(names.binds.keys() - names.maybe_binds - names.changes.keys()), *names.deletes])
        for group in sorted(self.learned.get(stage, Learned()).tied, key=len):
            self.ties.tie(stage, [name for name in group if name in self.providers])

    def _wait_for_users(self, stage: str, name: str) -> None:
        """A file is not copied for each stage: who read it, or listed its folder, must be done before it changes."""
        self.after.setdefault(stage, set()).update(self.users.pop(name, ()), self.users.get(folder_of(name), ()))

    def _forbid_second_value(self, segment: Segment, name: str, provider: str) -> None:
        """The stage has its own `name` from an earlier cell, or another stage's, or setup's: it cannot hold two."""
        stage = segment.stage
        other = self.inputs[stage].get(name, provider)
        if (stage, name) in self.written or (stage, name) in self.kept_ambient or other != provider:
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
        subject = f"Cells of `{stage}` stand around cells of `{other}`"
        message = f"{subject}, and {called(name)} is not the same before and after."
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


class Providers:
    """By name, the stage whose value is current when the notebook, run from top to bottom, comes to a stage.

    One walk over the notebook answers for all of its stages.

    Args:
        pipeline: the pipeline.
        learned: per stage, what was found when it ran.
    """

    def __init__(self, pipeline: Pipeline, learned: Mapping[str, Learned]) -> None:
        walk = _Walk(pipeline.ambient, learned, frozenset())
        walk.providers = self._names = _History()
        self._begins: dict[str, int] = {}
        for position, segment in enumerate(pipeline.segments):
            self._begins.setdefault(segment.stage, position)
            self._names.position = position
            walk.take(segment)
            walk.provide(segment)

    def of(self, name: str, stage: str) -> str | None:
        """Who provides `name` where `stage` begins; None where nobody does."""
        return self.after(name, self._begins[stage])

    def after(self, name: str, segments: int) -> str | None:
        """Who provides `name` when so many segments have run; None where nobody does."""
        past = self._names.past.get(name, [])
        earlier = bisect.bisect_left(past, segments, key=lambda one: one[0])
        return past[earlier - 1][1] if earlier else None

    def provided_by(self, makers: Set[str], stage: str) -> set[str]:
        """The names that these stages provide where `stage` begins."""
        return {name for name in self.names if self.of(name, stage) in makers}

    @property
    def names(self) -> Set[str]:
        """All names that a stage provides somewhere."""
        return self._names.past.keys()


def providers_before(pipeline: Pipeline, stage: str, learned: Mapping[str, Learned]) -> Mapping[str, str]:
    """All that `Providers` knows of one stage."""
    walked = Providers(pipeline, learned)
    found = {name: walked.of(name, stage) for name in walked.names}
    return {name: provider for name, provider in found.items() if provider is not None}


class _History(dict[str, str]):
    """Who provides each name, and since which position in the notebook; None from where nobody does."""

    def __init__(self) -> None:
        super().__init__()
        self.position = 0
        self.past: dict[str, list[tuple[int, str | None]]] = {}

    def __setitem__(self, name: str, stage: str) -> None:
        self.past.setdefault(name, []).append((self.position, stage))
        super().__setitem__(name, stage)

    def update(self, stages: Mapping[str, str]) -> None:  # type: ignore[override]  # all that is asked of it here
        for name, stage in stages.items():
            self[name] = stage

    def pop(self, name: str, default: None = None) -> str | None:  # type: ignore[override]  # as above
        self.past.setdefault(name, []).append((self.position, None))
        return super().pop(name, default)


def names_taken(inputs: Mapping[str, Mapping[str, str]]) -> dict[str, set[str]]:
    """Per stage, the names that others take from it."""
    taken: dict[str, set[str]] = {}
    for sources in inputs.values():
        for name, source in sources.items():
            taken.setdefault(source, set()).add(name)
    return taken
