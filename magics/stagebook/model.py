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
        maybe_reads: the part of `reads` that the code may well do without: where one is nowhere, that is no fault.
        binds: names the code binds, or may bind.
        maybe_binds: the part of `binds` that some way through the code leaves as it was (bound under an `if`, say).
        changes: names whose object from before the code it is sure to change in place: `df["x"] = 1`, `total += 1`.
        touches: names whose object the code may change in place, as far as one can see without running it. Disjoint
            from `changes`.
        deletes: names that are gone when the code has run (`del x`), each with the place.
        imports: modules imported, as dotted names (`sklearn.ensemble`).
        star_imports: what binds names that cannot be listed (`from MODULE import *`, `%run FILE`, `exec` of text made
            at run time), so that a name bound nowhere may still be bound.
    """

    reads: Mapping[str, Place] = field(default_factory=frozen_map)
    maybe_reads: frozenset[str] = frozenset()
    binds: Mapping[str, Place] = field(default_factory=frozen_map)
    maybe_binds: frozenset[str] = frozenset()
    changes: Mapping[str, Place] = field(default_factory=frozen_map)
    touches: Mapping[str, Place] = field(default_factory=frozen_map)
    deletes: Mapping[str, Place] = field(default_factory=frozen_map)
    imports: frozenset[str] = frozenset()
    star_imports: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Foreach:
    """`foreach=ITEM in SOURCE`: in the stage, `item` is one element of the list `source`; they may be one name."""

    item: str
    source: str

    def __str__(self) -> str:
        return self.source if self.item == self.source else f"{self.item} in {self.source}"


@dataclass(frozen=True, slots=True)
class ModelOption:
    """`model="VALUE.METHOD as NAME"`: a value that is a model, what predicts, its registered name (the notebook's)."""

    value: str
    method: str = "predict"
    name: str | None = None


@dataclass(frozen=True, slots=True)
class DriftOption:
    """`drift="REFERENCE:CURRENT [key=value ...] [as NAME]"`: two tables to compare when the stage's cells are done.

    Attributes:
        reference: what the data was before: a name of the notebook's, a file, or `models:/NAME@ALIAS`.
        current: what it is now, likewise.
        name: the name that gets the result.
        columns: those to compare; empty for all.
        target: the column of the labels.
        prediction: the column of the predictions.
        threshold: the score at which drift begins; None for each test's own.
        share: of drifted features, from which on the whole has drifted.
    """

    reference: str
    current: str
    name: str = "drift"
    columns: tuple[str, ...] = ()
    target: str | None = None
    prediction: str | None = None
    threshold: float | None = None
    share: float = 0.5

    @property
    def sides(self) -> tuple[str, str]:
        """Both sides, as they were written."""
        return self.reference, self.current


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
        when: an expression over earlier names; where it is false, the stage is skipped, and so is what depends on it.
        foreach: the stage runs once for each element of a list, and what it makes is gathered in lists.
        resources: what the stage uses: `cores`, `memory` in bytes, and whatever else there is a limited number of.
        model: the value that is registered in MLflow as a model.
        features: stages that make of raw rows what the model takes; they are packed with it.
        rows: the table of raw rows among what these stages take; None to find it.
        gate: a condition on metrics (see `book/gates`); where it does not hold, nothing after the stage runs.
        drift: two tables that are compared when the stage's cells are done.
    """

    needs: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    timeout: float | None = None
    retries: int = 0
    cache: bool = True
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    when: str | None = None
    foreach: Foreach | None = None
    resources: tuple[tuple[str, float], ...] = ()
    model: ModelOption | None = None
    gate: str | None = None
    features: tuple[str, ...] = ()
    rows: str | None = None
    drift: DriftOption | None = None

    @property
    def kept(self) -> frozenset[str]:
        """Names whose values are kept for the options' sake."""
        return frozenset({self.model.value} if self.model is not None else ())


@dataclass(frozen=True, slots=True)
class Cell:
    """A code cell with its role.

    Attributes:
        id: the cell's nbformat 4.5 id, or `cell-<index>` in notebooks older than ids.
        index: position among all cells of the notebook, from 0.
        number: position among its code cells, from 1.
        role: what the cell is for.
        stage: the stage it belongs to (role `stage`) or checks (role `test`), else None.
        source: the cell's text in the notebook.
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
        secret: whether its value is never written or shown, and a mask is instead.
    """

    name: str
    value: Any
    literal: bool
    kind: str | None
    place: Place
    help: str = ""
    optional: bool = False
    secret: bool = False


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
class CellEdit:
    """A change of code cell `cell` (its number): tags that it loses and gets, and its new text, None to keep it."""

    cell: int
    remove: tuple[str, ...] = ()
    add: tuple[str, ...] = ()
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that mend what a finding tells of, and what they do, in a few words."""

    title: str
    edits: tuple[CellEdit, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something `stagebook check` has to say.

    An error keeps the pipeline from running; a warning does not. `fixes` are ways to mend it that are sure to.
    """

    code: str
    severity: Severity
    message: str
    remedy: str
    place: Place | None = None
    stage: str | None = None
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Learned:
    """What running a stage brought to light.

    Attributes:
        changed: inputs changed in place beyond what the analysis saw, and hidden state (see `book/hidden`) changed.
        used: hidden state that its outcome may depend on.
        tied: groups of names that share an object when it is done.
    """

    changed: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    tied: frozenset[tuple[str, ...]] = frozenset()

    def __or__(self, other: Learned) -> Learned:
        return Learned(self.changed | other.changed, self.used | other.used, self.tied | other.tied)


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
        outputs: per stage, the names to keep when it is done: what others look at, else all that it binds.
        segments: the stages' cells in notebook order, from which edges are inferred.
        tests: by the number of each test cell, what it does to names.
        ambient: names that a kernel has before a stage runs: builtins, parameters, setup.
        needs: per stage, those that must be done first though it takes no name from them: declared, or met in a file.
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
    tests: Mapping[int, Names] = field(default_factory=frozen_map)
    ambient: frozenset[str] = frozenset()
    needs: Mapping[str, frozenset[str]] = field(default_factory=frozen_map)
    _index: list[_Index] = field(default_factory=list, init=False, repr=False, compare=False)

    def required(self, name: str) -> frozenset[str]:
        """The names that other stages take from stage `name`."""
        return frozenset(self._found.taken.get(name, ()))

    def stage(self, name: str) -> Stage:
        """The stage called `name`; KeyError if there is none."""
        return self._found.stages[name]

    def sources(self, name: str) -> frozenset[str]:
        """The stages that `name` depends on directly."""
        return frozenset(self._found.sources.get(name, ()))

    def upstream(self, name: str) -> frozenset[str]:
        """The stages that `name` depends on, directly or not."""
        return _reach(name, self._found.sources)

    def downstream(self, name: str) -> frozenset[str]:
        """The stages that depend on `name`, directly or not."""
        return _reach(name, self._found.targets)

    @property
    def _found(self) -> _Index:
        if not self._index:
            self._index.append(_Index.of(self))
        return self._index[0]


@dataclass(frozen=True, slots=True)
class _Index:
    """What one asks a pipeline for time and again: made once, so that to ask costs nothing."""

    stages: Mapping[str, Stage]
    taken: Mapping[str, set[str]]
    sources: Mapping[str, set[str]]
    targets: Mapping[str, set[str]]

    @classmethod
    def of(cls, pipeline: Pipeline) -> _Index:
        taken: dict[str, set[str]] = {}
        sources: dict[str, set[str]] = {}
        targets: dict[str, set[str]] = {}
        for inputs in pipeline.inputs.values():
            for name, source in inputs.items():
                taken.setdefault(source, set()).add(name)
        for edge in pipeline.edges:
            sources.setdefault(edge.target, set()).add(edge.source)
            targets.setdefault(edge.source, set()).add(edge.target)
        return cls({stage.name: stage for stage in pipeline.stages}, taken, sources, targets)


def _reach(start: str, steps: Mapping[str, set[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        new = steps.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return frozenset(found)
