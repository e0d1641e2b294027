"""What differs between two notebooks or two runs: their pipelines, and what the runs were given, did and made."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from stagebook.book.compare import (
    PipelineDifference,
    ValueDifference,
    compare_pipelines,
    different,
    renamed,
)
from stagebook.model import Edge, Pipeline

Facts = Mapping[str, Any]
"""What `run.json` holds."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two that are compared.

    Attributes:
        name: what it is called.
        pipeline: the notebook's pipeline; of a run, its output notebook's; None where that is gone.
        run: the run's facts; None for a notebook that is no run's.
    """

    name: str
    pipeline: Pipeline | None
    run: Facts | None = None


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """A metric of a stage before and now (None: it was not recorded), and how much it has grown."""

    stage: str
    name: str
    before: float | None
    now: float | None
    difference: float | None


@dataclass(frozen=True, slots=True)
class ArtifactDifference:
    """An output of a stage whose content is not what it was; digests, None where there is none."""

    stage: str
    name: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class RunDifference:
    """What differs between two runs.

    Attributes:
        states: the run's state under an empty name, and those of stages; a reused stage counts as done.
        parameters: values in force.
        metrics: of stages that both ran.
        artifacts: of stages that are done in both.
        versions: of Python, the platform and packages.
        durations: seconds that both took; they are no difference.
    """

    states: tuple[ValueDifference, ...]
    parameters: tuple[ValueDifference, ...]
    metrics: tuple[MetricDifference, ...]
    artifacts: tuple[ArtifactDifference, ...]
    versions: tuple[ValueDifference, ...]
    durations: tuple[float, float]

    @property
    def same(self) -> bool:
        """Whether nothing but the duration differs."""
        return not (self.states or self.parameters or self.metrics or self.artifacts or self.versions)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two sides and what differs: between their pipelines if both have one, between the runs if both are runs."""

    before: str
    now: str
    pipelines: PipelineDifference | None
    runs: RunDifference | None

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return (self.pipelines is None or self.pipelines.same) and (self.runs is None or self.runs.same)


def compare(before: Side, now: Side) -> Comparison:
    """What differs in `now`, seen from `before`."""
    pipelines, names = None, {}
    if before.pipeline is not None and now.pipeline is not None:
        pipelines = compare_pipelines(before.pipeline, now.pipeline)
        names = dict(renamed(before.pipeline, now.pipeline))
    runs = None
    if before.run is not None and now.run is not None:
        runs = _runs(before.run, now.run, names)
    return Comparison(before.name, now.name, pipelines, runs)


def with_edges(pipeline: Pipeline, run: Facts) -> Pipeline:
    """The pipeline with the edges that the run turned out to have."""
    edges = (Edge(edge["source"], edge["target"], tuple(edge["names"])) for edge in run.get("edges", ()))
    return replace(pipeline, edges=tuple(edges)) if run.get("edges") else pipeline


def _runs(before: Facts, now: Facts, names: Mapping[str, str]) -> RunDifference:
    old = {names.get(stage["stage"], stage["stage"]): stage for stage in before["stages"]}
    new = {stage["stage"]: stage for stage in now["stages"]}
    done = sorted(name for name in old.keys() & new.keys() if _state(old[name]) == _state(new[name]) == "done")
    return RunDifference(
        different(_states(before, old), _states(now, new)),
        different(*({name: repr(value) for name, value in run["parameters"].items()} for run in (before, now))),
        tuple(_metrics(old, new)),
        tuple(
            ArtifactDifference(name, one.name, one.before, one.now)
            for name in done
            for one in different(old[name]["outputs"], new[name]["outputs"])
        ),
        different(before["versions"], now["versions"]),
        (before["duration"], now["duration"]),
    )


def _states(run: Facts, stages: Mapping[str, Facts]) -> dict[str, str]:
    return {"": run["state"], **{name: _state(stage) for name, stage in stages.items()}}


def _state(stage: Facts) -> str:
    return "done" if stage["state"] == "reused" else str(stage["state"])


def _metrics(before: Mapping[str, Facts], now: Mapping[str, Facts]) -> Iterable[MetricDifference]:
    for stage in sorted(before.keys() | now.keys()):
        old, new = (side.get(stage, {}).get("metrics", {}) for side in (before, now))
        for name in sorted(old.keys() | new.keys()):
            was, became = old.get(name), new.get(name)
            if was == became or (was is not None and became is not None and math.isnan(was) and math.isnan(became)):
                continue
            grown = became - was if was is not None and became is not None else None
            yield MetricDifference(stage, name, was, became, grown)
