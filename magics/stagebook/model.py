"""The frozen values that travel through Stagebook's rooms. Standard library only, no behaviour beyond properties.

Cells are numbered as a reader of the notebook sees them: `number` counts code cells from 1, which is what Jupyter
shows in `[ ]` after Restart & Run All; `index` is the position among all cells, from 0. Lines count from 1 in a cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

Key = TypeVar("Key")
Entry = TypeVar("Entry")
Role = Literal["parameters", "setup", "stage", "test", "exploration"]


def frozen_map(items: Mapping[Key, Entry] | None = None) -> Mapping[Key, Entry]:
    """A read-only copy of `items`."""
    return MappingProxyType(dict(items or {}))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a notebook: code cell `cell` (from 1), `line` of that cell (from 1)."""

    cell: int
    line: int

    def __str__(self) -> str:
        return f"cell {self.cell}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Names:
    """What a piece of code does with the notebook's global names.

    Attributes:
        reads: names whose value from before the code may be used by it, each with the first place. Builtins are
            included: whether `max` means the builtin is for the linker to say.
        binds: names the code binds, or may bind: by assignment, import, def, class, for, with, walrus, match, global.
        maybe_binds: the part of `binds` that some way through the code leaves as it was (bound under an `if`, say).
        changes: names whose object, bound before the code, the code is sure to change in place if it runs through
            (`df["x"] = 1`, `items.append(1)`, `total += 1`, directly or through an alias).
        touches: names whose object the code may change in place, as far as one can see without running it (passed to
            an unknown function, an unknown method called). Disjoint from `changes`.
        deletes: names that are gone when the code has run (`del x`), each with the place.
        imports: modules imported, as dotted names (`sklearn.ensemble`).
        star_imports: what binds names that cannot be listed: `from MODULE import *` of a module outside the standard
            library, `%run FILE`, `exec` of text made at run time. Where there is one, a name bound nowhere may still
            be bound.
    """

    reads: Mapping[str, Place] = field(default_factory=frozen_map)
    binds: Mapping[str, Place] = field(default_factory=frozen_map)
    maybe_binds: frozenset[str] = frozenset()
    changes: Mapping[str, Place] = field(default_factory=frozen_map)
    touches: Mapping[str, Place] = field(default_factory=frozen_map)
    deletes: Mapping[str, Place] = field(default_factory=frozen_map)
    imports: frozenset[str] = frozenset()
    star_imports: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StageOptions:
    """What a stage's metadata or its magic line may say.

    Attributes:
        needs: stages that must be finished first, beyond those that the data flow shows.
        metrics: names of numbers, or dicts of numbers, to record when the stage is done.
        timeout: seconds the stage may take; None for no limit.
        retries: how often to try again after a failure.
        cache: False to run the stage every time.
        reads: files, relative to the notebook, whose content the stage depends on.
        writes: files the stage writes; they must be there when it is done.
    """

    needs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    timeout: float | None = None
    retries: int = 0
    cache: bool = True
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell with its role.

    Attributes:
        id: the cell's nbformat 4.5 id, or `cell-<index>` in notebooks older than ids.
        index: position among all cells of the notebook, from 0.
        number: position among its code cells, from 1.
        role: what the cell is for.
        stage: the stage it belongs to (role `stage`) or checks (role `test`), else None.
        source: the cell's text as it stands in the notebook.
    """

    id: str
    index: int
    number: int
    role: Role
    stage: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A default from the parameters cell.

    Attributes:
        name: the parameter's name.
        value: the default, where it is a literal; else None and `literal` is False.
        literal: whether `value` is known without running the cell.
        kind: `bool`, `int`, `float`, `str`, `list`, `dict`, or None where anything goes.
        place: where the default stands.
        help: the comment behind it, as Papermill shows it.
        optional: whether it may be None, too.
    """

    name: str
    value: Any
    literal: bool
    kind: str | None
    place: Place
    help: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """Cells that share a stage name, in notebook order, with what they do to names."""

    name: str
    cells: tuple[Cell, ...]
    options: StageOptions = StageOptions()
    names: Names = Names()


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """`target` starts when `source` is done, and takes these names from it (none: a declared need)."""

    source: str
    target: str
    names: tuple[str, ...] = ()


Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something `stagebook check` has to say.

    An error keeps the pipeline from running; a warning does not.
    """

    code: str
    severity: Severity
    message: str
    remedy: str
    place: Place | None = None
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """Cells of one stage that follow each other with no other stage's cell between, and what they do to names."""

    stage: str
    names: Names


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A notebook as stages and the data flow between them.

    Attributes:
        notebook: absolute path of the source notebook.
        kernel: name of the kernel the notebook asks for.
        cells: all code cells, in order.
        preamble: the parameters and setup cells, in order: run in every kernel before a stage.
        stages: in an order in which they can run; notebook order breaks ties.
        edges: between stages, sorted.
        parameters: the defaults, in order.
        inputs: per stage, which stage each name it takes comes from.
        outputs: per stage, the names to keep when it is done: those that other stages take, tests and exploration
            cells look at, and, where nobody looks at any, what it binds.
        segments: the stages' cells in notebook order, from which edges are inferred.
        ambient: names that a kernel has before a stage runs: builtins, parameters, setup.
        needs: per stage, those that must be done first though it takes no name from them: declared, or since one of
            the two writes a file that both name.
    """

    notebook: Path
    kernel: str
    cells: tuple[Cell, ...]
    preamble: tuple[Cell, ...]
    stages: tuple[Stage, ...]
    edges: tuple[Edge, ...]
    parameters: tuple[Parameter, ...]
    inputs: Mapping[str, Mapping[str, str]]
    outputs: Mapping[str, tuple[str, ...]]
    segments: tuple[Segment, ...] = ()
    ambient: frozenset[str] = frozenset()
    needs: Mapping[str, frozenset[str]] = field(default_factory=frozen_map)

    def required(self, name: str) -> frozenset[str]:
        """The names that other stages take from stage `name`."""
        return frozenset(
            taken for sources in self.inputs.values() for taken, source in sources.items() if source == name
        )

    def stage(self, name: str) -> Stage:
        """The stage called `name`; KeyError if there is none."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def upstream(self, name: str) -> frozenset[str]:
        """The stages that `name` depends on, directly or not."""
        return _reach(name, {(edge.target, edge.source) for edge in self.edges})

    def downstream(self, name: str) -> frozenset[str]:
        """The stages that depend on `name`, directly or not."""
        return _reach(name, {(edge.source, edge.target) for edge in self.edges})


def _reach(start: str, steps: set[tuple[str, str]]) -> frozenset[str]:
    found: set[str] = set()
    frontier = {start}
    while frontier:
        frontier = {to for origin, to in steps if origin in frontier} - found
        found |= frontier
    return frozenset(found)


Action = Literal["reuse", "run", "skip"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to become of a stage, and why, in words for a person."""

    stage: str
    action: Action
    reason: str


@dataclass(frozen=True, slots=True)
class Selection:
    """Which stages a run may run.

    Attributes:
        only: just this one.
        start: this one and all that depend on it.
        end: this one and all that it depends on.
        force: run the selected stages even where nothing has changed.
    """

    only: str | None = None
    start: str | None = None
    end: str | None = None
    force: bool = False

    def stages(self, pipeline: Pipeline) -> frozenset[str]:
        """The names of the selected stages."""
        selected = frozenset(stage.name for stage in pipeline.stages)
        if self.only is not None:
            selected &= {self.only}
        if self.start is not None:
            selected &= {self.start} | pipeline.downstream(self.start)
        if self.end is not None:
            selected &= {self.end} | pipeline.upstream(self.end)
        return selected


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do, stage by stage, with remarks on what shares a kernel or was learned from earlier runs."""

    pipeline: Pipeline
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...] = ()
