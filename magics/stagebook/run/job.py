"""The unit that travels: a stage job in, a stage result out. Both are plain values that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from stagebook.model import frozen_map
from stagebook.store.values import ValueRef


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
        files: paths that may be read, relative to `folder`, to be fingerprinted.
        writes: files that must be there afterwards.
        timeout: seconds for all cells together.
        retries: how often to try again.
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
    files: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    timeout: float | None = None
    retries: int = 0


@dataclass(frozen=True, slots=True)
class CellRecord:
    """What came of one cell: nbformat outputs, execution count, when it started (ISO 8601, UTC), seconds."""

    code: str
    outputs: list[dict[str, Any]]
    execution_count: int | None
    started: str
    duration: float
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a stage failed: the exception, the cell (its number; 0 where no cell is to blame), and what to do."""

    name: str
    message: str
    cell: int = 0
    remedy: str = ""

    def __str__(self) -> str:
        where = f"cell {self.cell}: " if self.cell else ""
        return f"{where}{self.name}: {self.message}".rstrip(": ") + (f" {self.remedy}" if self.remedy else "")


StageState = Literal["done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class StageResult:
    """What came of a stage.

    Attributes:
        stage: its name.
        state: done, failed, or interrupted by the user.
        key: the stage's fingerprint, under which a finished result is kept.
        asked: the names that were to be kept; one that the code did not bind is in neither of the next two.
        outputs: the kept values.
        unstorable: names that could not be stored, each with what it is.
        changed: names of inputs that turned out to be changed in place.
        metrics: numbers, by name; a dict's entries as `name.key`.
        files: files that were read and their digests (None: looked for and not there).
        written: files declared in `writes`, and their digests.
        cells: the executed cells, the preamble's among them.
        started: ISO 8601, UTC.
        duration: seconds from the kernel's being ready to the last value's being kept.
        failure: set where the state is not done.
    """

    stage: str
    state: StageState
    key: str = ""
    asked: tuple[str, ...] = ()
    outputs: Mapping[str, ValueRef] = field(default_factory=frozen_map)
    unstorable: Mapping[str, str] = field(default_factory=frozen_map)
    changed: frozenset[str] = frozenset()
    metrics: Mapping[str, float] = field(default_factory=frozen_map)
    files: Mapping[str, str | None] = field(default_factory=frozen_map)
    written: Mapping[str, str | None] = field(default_factory=frozen_map)
    cells: tuple[CellRecord, ...] = ()
    started: str = ""
    duration: float = 0.0
    failure: Failure | None = None


def result_to_json(result: StageResult) -> dict[str, Any]:
    """A result without its cells, for a record."""
    return {
        "stage": result.stage,
        "asked": list(result.asked),
        "outputs": {name: ref.to_json() for name, ref in result.outputs.items()},
        "unstorable": dict(result.unstorable),
        "changed": sorted(result.changed),
        "metrics": dict(result.metrics),
        "files": dict(result.files),
        "written": dict(result.written),
        "started": result.started,
        "duration": result.duration,
    }


def result_from_json(key: str, record: Mapping[str, Any], cells: list[dict[str, Any]]) -> StageResult:
    """A finished result from its fingerprint, its record and its cells."""
    return StageResult(
        stage=record["stage"],
        state="done",
        key=key,
        asked=tuple(record["asked"]),
        outputs=frozen_map({name: ValueRef.from_json(ref) for name, ref in record["outputs"].items()}),
        unstorable=frozen_map(record["unstorable"]),
        changed=frozenset(record["changed"]),
        metrics=frozen_map(record["metrics"]),
        files=frozen_map(record["files"]),
        written=frozen_map(record["written"]),
        cells=tuple(CellRecord(**cell) for cell in cells),
        started=record["started"],
        duration=record["duration"],
    )


def cells_to_json(result: StageResult) -> list[dict[str, Any]]:
    """The result's cells, for a blob of their own: outputs can be large, and planning does not need them."""
    return [asdict(cell) for cell in result.cells]
