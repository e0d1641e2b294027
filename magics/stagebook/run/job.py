"""The unit that travels: a stage job in, a stage result out. Both are plain values that JSON can hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from stagebook.book.hidden import FILE
from stagebook.model import Foreach, Learned, frozen_map
from stagebook.store.references import ValueRef


@dataclass(frozen=True, slots=True)
class JobCell:
    """A cell to execute.

    Attributes:
        number: its number in the notebook, 0 for a cell that Papermill injected.
        source: what the kernel is given.
        code: digest of the code without comments and layout: finds the cell's outputs again when it has moved.
    """

    number: int
    source: str
    code: str


@dataclass(frozen=True, slots=True)
class StageJob:
    """All that is needed to run one stage anywhere.

    Attributes:
        stage: its name.
        kernel: name of the kernel to run it in.
        folder: working directory: the notebook's folder.
        store: root of the store.
        preamble: parameters and setup cells, run first.
        cells: the stage's cells.
        inputs: stored values to start from, by name.
        mates: stored values that share objects with inputs and are not read: a change of one is a change of both.
        held: names that live in the kernel of `session` since they cannot be stored.
        session: the kernel to go on in, by the stage that started it; None for a kernel of its own.
        outputs: names to keep afterwards.
        required: those of them that other stages wait for; if one cannot be stored, the kernel is kept.
        watched: names whose objects the code may change in place without the analysis seeing it.
        metrics: names of numbers to report.
        modules: files of the user's own modules that the code imports by name, relative to where they are found.
        files: paths that may be read, relative to `folder`, to be fingerprinted.
        writes: files that must be there afterwards.
        when: a condition; where it is false, the cells are not run.
        closing: code that is run when the cells are done, its outputs those of the last of them.
        scatter: instead of running cells, keep the elements of this list by themselves.
        timeout: seconds for all cells together.
        retries: how often to try again.
        threads: how many numerical libraries use; None for as many as they like.
        resources: what the stage asks for, and how much of it.
        secrets: names of secret parameters, each with the texts of its value as far as it is known before it runs.
        is_test: whether the cells are a test of the stage: asserts tell what they compare, and nothing is kept.
    """

    stage: str
    kernel: str
    folder: str
    store: str
    preamble: tuple[JobCell, ...]
    cells: tuple[JobCell, ...]
    inputs: Mapping[str, ValueRef] = field(default_factory=frozen_map)
    mates: Mapping[str, ValueRef] = field(default_factory=frozen_map)
    held: tuple[str, ...] = ()
    session: str | None = None
    outputs: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    watched: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    when: str | None = None
    closing: str | None = None
    scatter: Foreach | None = None
    timeout: float | None = None
    retries: int = 0
    threads: int | None = None
    resources: tuple[tuple[str, float], ...] = ()
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=frozen_map)
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class CellRecord:
    """What came of one cell: nbformat outputs, execution count, when it started (ISO 8601, UTC), seconds.

    `number` is the cell's in the notebook that was run, 0 if it has none.
    """

    code: str
    outputs: list[dict[str, Any]]
    execution_count: int | None
    started: str
    duration: float
    failed: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage failed: the exception, the cell (its number; 0 where no cell is to blame), and what to do.

    Then the line of the cell (0 where that is not known) and, of a test, what that called, to where it was raised.
    """

    name: str
    message: str
    cell: int = 0
    remedy: str = ""
    line: int = 0
    trail: tuple[str, ...] = ()

    def __str__(self) -> str:
        line = f", line {self.line}" if self.line else ""
        where = f"cell {self.cell}{line}: " if self.cell else ""
        return f"{where}{self.name}: {self.message}".rstrip(": ") + (f" {self.remedy}" if self.remedy else "")


PhaseName = Literal["start", "imports", "load", "compute", "verify", "save", "record"]


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of a stage's time: what was done, when it began (POSIX seconds), and for how many seconds."""

    name: PhaseName
    began: float
    seconds: float


StageState = Literal["done", "skipped", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class StageResult:
    """What came of a stage.

    Attributes:
        stage: its name.
        state: done, skipped as its `when` is false, failed, or interrupted by the user.
        key: the stage's fingerprint, under which a finished result is kept.
        run: of a result that was found in the store, the run that made it.
        asked: the names that were to be kept; one that the code did not bind is in neither of the next two.
        outputs: the kept values.
        unstorable: names that could not be stored, each with what it is.
        changed: names of inputs, and hidden state, that turned out to be changed in place.
        used: hidden state that the outcome may depend on; files are in `files`.
        tied: of values that share an object with inputs, these inputs as well, all of them together.
        metrics: numbers, by name; a dict's entries as `name.key`; of a series the last one.
        series: the metrics that are series of numbers, a step for each.
        files: files that were read and their digests (None: looked for and not there).
        left: files that were written or removed, with their digests at the end (None: gone).
        written: the part of them that is declared in `writes`.
        replaced: the files that the stage was seen to write or remove, with digests of what was there before.
        since: when it was first seen to (POSIX seconds).
        extended: the part of them that it appended to, or wrote to in part.
        listed: the names it saw in folders.
        environment: variables that the code read, with digests of their values (None: not set).
        decided: why the stage was skipped.
        elements: of a list that was to be scattered, each by itself.
        cells: the executed cells, the preamble's among them.
        phases: where the time went, if the stage ran in this run.
        memory: bytes by which its kernel grew, at the most; 0 where that is not known.
        widgets: state of the widget models that the cells show, by model id.
        started: ISO 8601, UTC.
        duration: seconds from the kernel's being ready to the last value's being kept.
        failure: set where the state is not done.
    """

    stage: str
    state: StageState
    key: str = ""
    run: str = ""
    asked: tuple[str, ...] = ()
    outputs: Mapping[str, ValueRef] = field(default_factory=frozen_map)
    unstorable: Mapping[str, str] = field(default_factory=frozen_map)
    changed: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    tied: Mapping[str, ValueRef] = field(default_factory=frozen_map)
    metrics: Mapping[str, float] = field(default_factory=frozen_map)
    series: Mapping[str, list[float]] = field(default_factory=frozen_map)
    files: Mapping[str, str | None] = field(default_factory=frozen_map)
    left: Mapping[str, str | None] = field(default_factory=frozen_map)
    written: Mapping[str, str | None] = field(default_factory=frozen_map)
    replaced: Mapping[str, str | None] = field(default_factory=frozen_map)
    since: Mapping[str, float] = field(default_factory=frozen_map)
    extended: frozenset[str] = frozenset()
    listed: Mapping[str, list[str]] = field(default_factory=frozen_map)
    environment: Mapping[str, str | None] = field(default_factory=frozen_map)
    decided: str = ""
    elements: tuple[ValueRef, ...] = ()
    cells: tuple[CellRecord, ...] = ()
    phases: tuple[Phase, ...] = ()
    memory: int = 0
    widgets: Mapping[str, Any] = field(default_factory=frozen_map)
    started: str = ""
    duration: float = 0.0
    failure: Failure | None = None

    @property
    def learned(self) -> Learned:
        """What the stage turned out to change and to use beyond its names."""
        return Learned(
            self.changed | {f"{FILE}{path}" for path in self.left},
            self.used | {f"{FILE}{path}" for path in self.files},
            frozenset(ref.members for ref in (*self.outputs.values(), *self.tied.values()) if len(ref.members) > 1),
        )

    def reference(self, name: str, others: Collection[str]) -> ValueRef | None:
        """The stored value of `name`, for a stage that takes `others` from this one, too."""
        if name in self.tied and not self.outputs.keys() >= set(self.tied[name].members) & set(others):
            return self.tied[name]
        return self.outputs.get(name)


OUTSIDE = ("files", "left", "written", "replaced", "since", "listed", "environment")
"""The fields of a result that tell what a stage met and left outside of its names."""


def result_to_json(result: StageResult) -> dict[str, Any]:
    """A result without its cells, for a record."""
    return {
        "stage": result.stage,
        "state": result.state,
        "asked": list(result.asked),
        "outputs": {name: ref.to_json() for name, ref in result.outputs.items()},
        "unstorable": dict(result.unstorable),
        "changed": sorted(result.changed),
        "used": sorted(result.used),
        "tied": {name: ref.to_json() for name, ref in result.tied.items()},
        "metrics": dict(result.metrics),
        "series": dict(result.series),
        "files": dict(result.files),
        "left": dict(result.left),
        "written": dict(result.written),
        "environment": dict(result.environment),
        "decided": result.decided,
        "elements": [ref.to_json() for ref in result.elements],
        "started": result.started,
        "duration": result.duration,
    }


def result_from_json(key: str, record: Mapping[str, Any], shown: Mapping[str, Any]) -> StageResult:
    """A finished result from its fingerprint, its record and what its cells showed."""
    return StageResult(
        stage=record["stage"],
        state=record["state"],
        key=key,
        run=record["run"],
        asked=tuple(record["asked"]),
        outputs=frozen_map({name: ValueRef.from_json(ref) for name, ref in record["outputs"].items()}),
        unstorable=frozen_map(record["unstorable"]),
        changed=frozenset(record["changed"]),
        used=frozenset(record["used"]),
        tied=frozen_map({name: ValueRef.from_json(ref) for name, ref in record["tied"].items()}),
        metrics=frozen_map(record["metrics"]),
        series=frozen_map(record.get("series", {})),
        files=frozen_map(record["files"]),
        left=frozen_map(record["left"]),
        written=frozen_map(record["written"]),
        environment=frozen_map(record["environment"]),
        decided=record["decided"],
        elements=tuple(ValueRef.from_json(ref) for ref in record["elements"]),
        cells=tuple(CellRecord(**cell) for cell in shown["cells"]),
        widgets=frozen_map(shown["widgets"]),
        started=record["started"],
        duration=record["duration"],
    )


def cells_to_json(result: StageResult) -> dict[str, Any]:
    """The result's cells and widgets, for a blob of their own: they can be large, and planning does not need them."""
    return {"cells": [asdict(cell) for cell in result.cells], "widgets": dict(result.widgets)}
