"""A sweep as frozen values: which parameters take which values, the points that makes, what came of each."""

from __future__ import annotations

import math
import random
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stagebook.errors import UsageError

MOST = 10_000
"""Points that a sweep may have."""

PointState = Literal["done", "failed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Axis:
    """A parameter and the values it takes in turn; one value: it is the same for all points."""

    name: str
    values: tuple[Any, ...]

    def __str__(self) -> str:
        return ", ".join(shown(value) for value in self.values)


@dataclass(frozen=True, slots=True)
class Range:
    """A parameter for a search to choose from `low` to `high`: whole numbers or any, in steps, or evenly in its log."""

    name: str
    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False

    def __str__(self) -> str:
        step = f", step {shown(self.step)}" if self.step is not None else ""
        return f"{shown(self.low)} to {shown(self.high)}{step}{', log' if self.log else ''}"


@dataclass(frozen=True, slots=True)
class Objective:
    """The metric that says which point is best."""

    metric: str
    direction: Literal["maximize", "minimize"]

    def value(self, metrics: Mapping[str, float]) -> float | None:
        """The metric's value, None where it is missing or not a number."""
        value = metrics.get(self.metric)
        return None if value is None or math.isnan(value) else value


@dataclass(frozen=True, slots=True)
class Point:
    """A run to be made: its number, from 1, and the values of the parameters that were given."""

    number: int
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PointRecord:
    """What came of a point.

    Attributes:
        number: the point's number.
        parameters: the values that were given.
        state: of its run.
        reason: why it failed, else empty.
        metrics: of all its stages.
        duration: seconds its run took, stages that it waited for among them.
        run: the run's id; empty where none could be started.
        folder: where the run's notebook and `run.json` are.
        ran: stages that its kernels ran.
        reused: stages whose results were there, or came from another point.
    """

    number: int
    parameters: Mapping[str, Any]
    state: PointState
    reason: str
    metrics: Mapping[str, float]
    duration: float
    run: str
    folder: Path | None
    ran: int
    reused: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep, as it ended.

    Attributes:
        id: the same for the same sweep of the same notebook.
        state: `done` if every point is, `failed` if one failed, `interrupted` if somebody stopped it.
        notebook: as it was named.
        folder: where table and picture are.
        axes: the parameters that were given, swept or not.
        objective: what makes a point the best one, if that was said.
        points: those that were begun, by number.
        planned: how many there were to be.
        started: ISO 8601, UTC.
        duration: seconds.
        secrets: secret parameters that were given, the same for all points; their values are no part of this.
    """

    id: str
    state: PointState
    notebook: Path
    folder: Path
    axes: tuple[Axis | Range, ...]
    objective: Objective | None
    points: tuple[PointRecord, ...]
    planned: int
    started: str
    duration: float
    secrets: tuple[str, ...] = ()

    @property
    def swept(self) -> tuple[str, ...]:
        """The parameters that differ from point to point."""
        return tuple(axis.name for axis in self.axes if is_swept(axis))

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that there are, the objective first, then by name."""
        names = {name for point in self.points for name in point.metrics}
        first = self.objective.metric if self.objective else None
        return tuple(sorted(names, key=lambda name: (name != first, name)))

    @property
    def ranked(self) -> tuple[PointRecord, ...]:
        """The points, the best one first and those without a value last; by number where nothing makes one better."""
        return tuple(ranked(self.points, self.objective))

    @property
    def best(self) -> PointRecord | None:
        """The best point that is done, if something makes one better than others."""
        return best(self.points, self.objective)


def is_swept(axis: Axis | Range) -> bool:
    """Whether it differs from point to point."""
    return isinstance(axis, Range) or len(axis.values) > 1


def best(points: Sequence[PointRecord], objective: Objective | None) -> PointRecord | None:
    """The best of the points that are done, None where there is none or nothing makes one better."""
    first = next(iter(ranked(points, objective)), None)
    return first if first and objective and _value(first, objective) is not None else None


def ranked(points: Sequence[PointRecord], objective: Objective | None) -> list[PointRecord]:
    """The best point first, those without a value last; by number where that decides nothing."""

    def rank(point: PointRecord) -> tuple[bool, float, int]:
        value = _value(point, objective) if objective else None
        if objective is None or value is None:
            return (objective is not None, 0.0, point.number)
        return (False, -value if objective.direction == "maximize" else value, point.number)

    return sorted(points, key=rank)


def _value(point: PointRecord, objective: Objective) -> float | None:
    return objective.value(point.metrics) if point.state == "done" else None


def grid(axes: Sequence[Axis], *, sample: int | None = None, seed: int = 0) -> tuple[Point, ...]:
    """Every combination of the values, the last parameter's changing fastest; or `sample` of them, picked by `seed`.

    Raises:
        UsageError: there are more than may be.
    """
    total = math.prod(len(axis.values) for axis in axes)
    picked: Sequence[int] = range(total)
    if sample is not None and sample < total:
        picked = sorted(random.Random(seed).sample(range(total), sample))
    if len(picked) > MOST:
        raise UsageError(
            f"That makes {len(picked):,} points, and {MOST:,} are the most. Take fewer values, "
            "or a random part of the points with --sample N, or --search optuna."
        )
    return tuple(Point(number, dict(_combination(axes, index))) for number, index in enumerate(picked, start=1))


def _combination(axes: Sequence[Axis], index: int) -> Iterator[tuple[str, Any]]:
    found = []
    for axis in reversed(axes):
        index, position = divmod(index, len(axis.values))
        found.append((axis.name, axis.values[position]))
    yield from reversed(found)


def shown(value: Any) -> str:
    """A parameter's value for a person: text without quotes, numbers without noise."""
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else repr(value)


def given_text(value: Any) -> str:
    """The value as the command line is to be given it, to the last digit."""
    return value if isinstance(value, str) else repr(value)


def label(parameters: Mapping[str, Any], names: Sequence[str]) -> str:
    """What sets a point apart: `depth 6, lr 0.1`."""
    return ", ".join(f"{name} {shown(parameters[name])}" for name in names if name in parameters)


def run_command(sweep: Sweep, point: PointRecord, *, options: Sequence[str] = ()) -> str:
    """The command that runs this point alone."""
    given = [word for name, value in point.parameters.items() for word in ("-p", name, given_text(value))]
    secrets = [word for name in sweep.secrets for word in ("--secret", name)]
    return shlex.join(["stagebook", "run", str(sweep.notebook), *given, *secrets, *options])
