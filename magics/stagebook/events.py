"""What happens during a run or a sweep, as frozen values. Listeners get each one; they never change what runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from stagebook.model import frozen_map

StageState = Literal["done", "reused", "skipped", "failed", "interrupted", "not run"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run begins: its id, the notebook, the stages in order, the parameters in force, where its files go."""

    run: str
    notebook: str
    stages: tuple[str, ...]
    parameters: Mapping[str, Any]
    folder: str


@dataclass(frozen=True, slots=True)
class StageStarted:
    """A stage has been given to a kernel, and why it runs."""

    stage: str
    reason: str
    cells: int


@dataclass(frozen=True, slots=True)
class CellStarted:
    """Cell `number`, the `position`th of the stage's `total`, begins."""

    stage: str
    number: int
    position: int
    total: int


@dataclass(frozen=True, slots=True)
class CellPrinted:
    """Cell `number`, which still runs, has printed `text`, which is whole lines, since the last time.

    A line that ends with a carriage return is one that the next takes the place of, as in progress bars.
    """

    stage: str
    number: int
    text: str


@dataclass(frozen=True, slots=True)
class CellFinished:
    """Cell `number` is done, after `duration` seconds."""

    stage: str
    number: int
    duration: float


@dataclass(frozen=True, slots=True)
class ElementsFinished:
    """Of a mapped stage's `total` elements, `done` have a result."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class StageFinished:
    """A stage is settled, for now: it may run again if a stage before it turns out to change what it read.

    `result` is the `StageResult`, None for a stage that was not run; `key` its fingerprint.
    """

    stage: str
    state: StageState
    reason: str
    duration: float
    key: str = ""
    metrics: Mapping[str, float] = field(default_factory=frozen_map)
    result: Any = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should know and that stops nothing: an unreachable server, stages that share a kernel."""

    message: str
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run is over; `run` is the `Run`."""

    run: Any


@dataclass(frozen=True, slots=True)
class CellTested:
    """A test cell has been run, or skipped; `tested` is the `Tested`."""

    tested: Any


@dataclass(frozen=True, slots=True)
class SweepStarted:
    """A sweep begins: its id, the notebook, how many points, what is swept, over what, the metric that counts."""

    sweep: str
    notebook: str
    points: int
    swept: Mapping[str, str]
    metric: str | None
    direction: str | None
    folder: str


@dataclass(frozen=True, slots=True)
class PointStarted:
    """A point of a sweep has been begun."""

    point: int
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PointEvent:
    """An event of a point's run."""

    point: int
    event: Any


@dataclass(frozen=True, slots=True)
class PointFinished:
    """A point is over: `record` is its `PointRecord`, `best` the number of the best one so far."""

    point: int
    record: Any
    best: int | None


@dataclass(frozen=True, slots=True)
class SweepFinished:
    """The sweep is over, its table and picture are written; `sweep` is the `Sweep`."""

    sweep: Any


RunEvent = (
    RunStarted
    | StageStarted
    | CellStarted
    | CellPrinted
    | CellFinished
    | ElementsFinished
    | StageFinished
    | Notice
    | RunFinished
)
SweepEvent = SweepStarted | PointStarted | PointEvent | PointFinished | SweepFinished
Event = RunEvent | SweepEvent | CellTested


class Listener(Protocol):
    """Gets every event, in order, in one thread. A listener that raises is reported and left out from then on."""

    def __call__(self, event: Event) -> None:
        """Take note of the event."""


_FAILURE = ("cell", "line", "name", "message", "remedy")


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as JSON can hold it, its type under `event`; results and runs are left to `run.json`.

    Of a stage that failed, `failure` says why: `name` and `message` of the exception, `cell`, `line`, `remedy`.
    """
    if isinstance(event, PointEvent):
        return {"point": event.point, **event_to_json(event.event)}
    plain = {name: value for name, value in _fields(event).items() if name != "result"}
    failure = getattr(getattr(event, "result", None), "failure", None)
    if failure is not None:
        plain["failure"] = {name: getattr(failure, name) for name in _FAILURE}
    if isinstance(event, RunFinished):
        plain = {"run": event.run.id, "state": event.run.state, "folder": str(event.run.folder)}
    elif isinstance(event, PointFinished):
        plain = {"point": event.point, **_fields(event.record), "best": event.best}
        del plain["number"]
    elif isinstance(event, SweepFinished):
        best = event.sweep.best
        plain = {
            "sweep": event.sweep.id,
            "state": event.sweep.state,
            "folder": str(event.sweep.folder),
            "best": best.number if best else None,
        }
    return {"event": type(event).__name__, **plain}


def event_from_json(told: Mapping[str, Any]) -> Event:
    """A cell's event, or a notice, from what `event_to_json` made of it."""
    kinds = {kind.__name__: kind for kind in (CellStarted, CellPrinted, CellFinished, Notice)}
    return kinds[told["event"]](**{name: value for name, value in told.items() if name != "event"})


def _fields(event: Any) -> dict[str, Any]:
    values = ((name, getattr(event, name)) for name in event.__slots__)
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values}
