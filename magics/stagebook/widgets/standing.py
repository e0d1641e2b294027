"""How a run, or a sweep, stands: what its events add up to. Pure; the events are those of `stagebook run --json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stagebook.model import frozen_map
from stagebook.run.background import Told

STATES = ("fresh", "stale", "never run", "failed", "interrupted", "skipped", "running", "waiting")
"""What a stage can be, in the words that are shown."""

_ENDS: Mapping[str, str] = {
    "done": "fresh",
    "reused": "fresh",
    "skipped": "skipped",
    "failed": "failed",
    "interrupted": "interrupted",
}


@dataclass(frozen=True, slots=True)
class StageNow:
    """How a stage stands in a run that goes on.

    Attributes:
        state: one of `STATES`.
        reason: why it runs, or how it came to its end.
        progress: how far it has come, in words.
        began: when it was started, on the clock of who follows the run.
        duration: seconds, once it is over.
        metrics: once it is over.
    """

    state: str
    reason: str = ""
    progress: str = ""
    began: float | None = None
    duration: float | None = None
    metrics: Mapping[str, float] = field(default_factory=frozen_map)


@dataclass(frozen=True, slots=True)
class RunNow:
    """How a run stands.

    Attributes:
        id: empty until it has begun.
        state: how it ended; empty before.
        stages: those that have to do with it; the others are as they were.
        notices: what a person should know.
    """

    id: str = ""
    state: str = ""
    stages: Mapping[str, StageNow] = field(default_factory=frozen_map)
    notices: tuple[str, ...] = ()

    @property
    def running(self) -> tuple[str, ...]:
        """The stages that run."""
        return tuple(name for name, stage in self.stages.items() if stage.state == "running")


def waiting(stages: Iterable[str]) -> RunNow:
    """A run that is being started and will run these stages."""
    return RunNow(stages=frozen_map({name: StageNow("waiting") for name in stages}))


def after(now: RunNow, event: Told, *, at: float) -> RunNow:
    """How the run stands after one more event; one of a kind that says nothing of that changes nothing.

    Args:
        now: how it stood before.
        event: as JSON has it.
        at: the time, in seconds.
    """
    kind = event["event"]
    if kind == "RunStarted":
        return replace(now, id=event["run"])
    if kind == "RunFinished":
        left = {name: stage for name, stage in now.stages.items() if stage.state not in ("waiting", "running")}
        return replace(now, state=event["state"], stages=frozen_map(left))
    if kind == "Notice":
        message = event["message"]
        return now if message in now.notices else replace(now, notices=(*now.notices, message))
    if "stage" not in event:
        return now
    name = event["stage"]
    stage = _after(now.stages.get(name), event, at=at)
    others = {other: stood for other, stood in now.stages.items() if other != name or stage is not None}
    return replace(now, stages=frozen_map({**others, name: stage} if stage is not None else others))


def _after(stage: StageNow | None, event: Told, *, at: float) -> StageNow | None:
    """The stage after an event of its own; None where the run leaves it as it was."""
    kind = event["event"]
    if kind == "StageStarted":
        return StageNow("running", event["reason"], began=at)
    if kind == "StageFinished":
        state = _ENDS.get(event["state"])
        if state is None:
            return None
        return StageNow(state, event["reason"], duration=event["duration"], metrics=frozen_map(event["metrics"]))
    running = stage if stage is not None and stage.state == "running" else None
    if kind == "CellStarted" and running is not None:
        return replace(running, progress=f"cell {event['position']} of {event['total']}")
    if kind == "ElementsFinished":
        return replace(running or StageNow("running", began=at), progress=f"{event['done']} of {event['total']} done")
    return stage


@dataclass(frozen=True, slots=True)
class PointNow:
    """A point of a sweep: its number, what was given, its state, and, once it is over, what came of it."""

    number: int
    parameters: Mapping[str, Any]
    state: str = "running"
    reason: str = ""
    metrics: Mapping[str, float] = field(default_factory=frozen_map)
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class SweepNow:
    """How a sweep stands.

    Attributes:
        id: empty until it has begun.
        state: how it ended; empty before.
        planned: how many points there are to be.
        swept: parameters that differ from point to point.
        metric: what makes a point the best one, if that was said.
        points: those that were begun, by number.
        best: the number of the best one so far.
        folder: where table and picture are, once it is over.
        notices: what a person should know.
    """

    id: str = ""
    state: str = ""
    planned: int = 0
    swept: tuple[str, ...] = ()
    metric: str | None = None
    points: Mapping[int, PointNow] = field(default_factory=frozen_map)
    best: int | None = None
    folder: str = ""
    notices: tuple[str, ...] = ()

    @property
    def over(self) -> int:
        """How many points are over."""
        return sum(point.state != "running" for point in self.points.values())


def sweep_after(now: SweepNow, event: Told) -> SweepNow:
    """How the sweep stands after one more event."""
    kind = event["event"]
    if kind == "SweepStarted":
        swept = tuple(event["swept"])
        return replace(now, id=event["sweep"], planned=event["points"], swept=swept, metric=event["metric"])
    if kind == "PointStarted":
        point = PointNow(event["point"], frozen_map(event["parameters"]))
        return replace(now, points=frozen_map({**now.points, point.number: point}))
    if kind == "PointFinished":
        point = PointNow(
            event["point"],
            frozen_map(event["parameters"]),
            event["state"],
            event["reason"],
            frozen_map(event["metrics"]),
            event["duration"],
        )
        return replace(now, points=frozen_map({**now.points, point.number: point}), best=event["best"])
    if kind == "SweepFinished":
        return replace(now, state=event["state"], best=event["best"], folder=event["folder"])
    if kind == "Notice" and event["message"] not in now.notices:
        return replace(now, notices=(*now.notices, event["message"]))
    return now
