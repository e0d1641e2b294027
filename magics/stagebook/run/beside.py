"""Runs beside one another: what they were given, what they came to, what became of each stage, and why it differs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stagebook.book.compare import renamed
from stagebook.book.secrets import secret_names
from stagebook.book.slices import foundation, preamble_statements
from stagebook.errors import UsageError, did_you_mean
from stagebook.run.compare import Facts, RunDifference, Side, compare
from stagebook.run.identity import option_parts, parameter_parts
from stagebook.run.reasons import came_out, changes_since, reason, stage_sources

Direction = Literal["maximize", "minimize"]

_NO_PACKAGES = frozenset({"python", "platform"})
_UNTOLD = "something differs that run.json does not tell of: an imported module, or an environment variable"


@dataclass(frozen=True, slots=True)
class RunColumn:
    """A run: what it is called, which notebook it ran, when and how it ended, where its code stands.

    Attributes:
        commit: git's, empty where there is none.
        changed: whether files that git knows differed from the commit; None where that is not known.
    """

    id: str
    notebook: str
    started: str
    state: str
    duration: float
    commit: str
    changed: bool | None


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter that is not the same in all runs; None where a run has none of that name."""

    name: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric of a stage.

    Attributes:
        values: one for each run; None where it was not recorded.
        differences: to the first run's; None where one of the two is missing.
        direction: what is better, where that is known.
        best: positions of the runs that have the best value; none where nobody says what is better.
    """

    stage: str
    name: str
    values: tuple[float | None, ...]
    differences: tuple[float | None, ...]
    direction: Direction | None
    best: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class StageRow:
    """A stage, under the name that it has in the first run that has it.

    Attributes:
        states: one for each run; None where it has no such stage.
        seconds: that it took; of a reused one, in the run that made its result.
        fingerprints: empty where the stage was not run.
        reasons: why the fingerprint is not the first run's; empty where it is.
    """

    stage: str
    states: tuple[str | None, ...]
    seconds: tuple[float | None, ...]
    fingerprints: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two runs or more.

    Attributes:
        runs: a column each; the first is what the others are compared with.
        parameters: those that differ.
        same: those that are the same in all runs.
        metrics: those that differ first.
        stages: in the order in which they run.
        unread: runs whose code is not known, since their output notebooks are no longer beside their `run.json`.
    """

    runs: tuple[RunColumn, ...]
    parameters: tuple[ParameterRow, ...]
    same: Mapping[str, str]
    metrics: tuple[MetricRow, ...]
    stages: tuple[StageRow, ...]
    unread: tuple[str, ...]


def side_by_side(
    sides: Sequence[Side], *, directions: Mapping[str, Direction] | None = None, metrics: Sequence[str] = ()
) -> SideBySide:
    """The runs, each compared with the first.

    Args:
        sides: the runs, two or more.
        directions: of metrics, by name, what is better.
        metrics: those to show, in this order; all if there are none.

    Raises:
        UsageError: a side is a notebook, there is one only, or no run has such a metric.
    """
    runs = [_facts(side) for side in sides]
    if len(runs) < 2:
        raise UsageError("Name two runs or more to be compared: last~1 last.")
    names = [_earlier_names(sides[0], side) for side in sides]
    stages = [
        {earlier.get(stage["stage"], stage["stage"]): stage for stage in run["stages"]}
        for earlier, run in zip(names, runs, strict=True)
    ]
    pairs = [compare(sides[0], side).runs for side in sides]
    given = [{name: repr(value) for name, value in run["parameters"].items()} for run in runs]
    known = dict.fromkeys(name for one in given for name in one)
    differing = {one.name for pair in pairs if pair is not None for one in pair.parameters}
    return SideBySide(
        tuple(map(_column, runs)),
        tuple(ParameterRow(name, tuple(one.get(name) for one in given)) for name in known if name in differing),
        {name: given[0][name] for name in known if name not in differing},
        tuple(_metric_rows(stages, pairs, directions or {}, metrics)),
        tuple(_stage_rows(sides, stages, names)),
        tuple(run["id"] for run, side in zip(runs, sides, strict=True) if side.pipeline is None),
    )


def _facts(side: Side) -> Facts:
    if side.run is None:
        told = f"{side.name} is a notebook, and runs are compared"
        raise UsageError(f"{told}. Name runs: last~1, an id, a folder; `stagebook diff` compares notebooks, too.")
    return side.run


def _column(run: Facts) -> RunColumn:
    code = run.get("provenance", {})
    return RunColumn(
        run["id"],
        Path(run["notebook"]).name,
        run["started"],
        run["state"],
        run["duration"],
        code.get("commit", ""),
        code.get("changed"),
    )


def _earlier_names(first: Side, other: Side) -> dict[str, str]:
    """Of stages that have been renamed since: name now -> name in the first run."""
    if first.pipeline is None or other.pipeline is None:
        return {}
    return {now: before for before, now in renamed(first.pipeline, other.pipeline).items()}


def _metric_rows(
    stages: Sequence[Mapping[str, Facts]],
    pairs: Sequence[RunDifference | None],
    directions: Mapping[str, Direction],
    wanted: Sequence[str],
) -> Iterable[MetricRow]:
    names = dict.fromkeys(
        (stage, name) for one in stages for stage, facts in one.items() for name in facts.get("metrics", {})
    )
    known = {name for _, name in names}
    for name in wanted:
        if name not in known:
            raise UsageError(f"None of these runs has a metric `{name}`.{did_you_mean(name, known)}")
    differing = {one.name for pair in pairs if pair is not None for one in pair.metrics}

    def rank(named: tuple[str, str]) -> tuple[int, bool]:
        return (wanted.index(named[1]) if wanted else 0, named[1] not in differing)

    for stage, name in sorted((named for named in names if not wanted or named[1] in wanted), key=rank):
        values = [one.get(stage, {}).get("metrics", {}).get(name) for one in stages]
        yield _metric_row(stage, name, values, directions.get(name))


def _metric_row(stage: str, name: str, values: list[float | None], direction: Direction | None) -> MetricRow:
    first = values[0]
    grown = tuple(None if value is None or first is None else value - first for value in values)
    numbers = [value for value in values if value is not None and not math.isnan(value)]
    best: tuple[int, ...] = ()
    if direction is not None and len(set(numbers)) > 1:
        top = max(numbers) if direction == "maximize" else min(numbers)
        best = tuple(position for position, value in enumerate(values) if value == top)
    return MetricRow(stage, name, tuple(values), grown, direction, best)


def _stage_rows(
    sides: Sequence[Side], stages: Sequence[Mapping[str, Facts]], names: Sequence[Mapping[str, str]]
) -> Iterable[StageRow]:
    parts = [_Parts(side, earlier) for side, earlier in zip(sides, names, strict=True)]
    for stage in dict.fromkeys(name for one in stages for name in one):
        rows = [one.get(stage) for one in stages]
        keys = tuple(row["fingerprint"] if row is not None else "" for row in rows)
        yield StageRow(
            stage,
            tuple(None if row is None else row["state"] for row in rows),
            tuple(row["duration"] if row is not None and row["started"] else None for row in rows),
            keys,
            tuple(
                _why(parts[0], parts[position], stage, rows[0], row)
                if row is not None and rows[0] is not None and key and keys[0] and key != keys[0]
                else ""
                for position, (key, row) in enumerate(zip(keys, rows, strict=True))
            ),
        )


class _Parts:
    """What is known of what the stages of a run depended on, as parts of fingerprints.

    Args:
        side: the run.
        earlier: of stages that were renamed, the name in the first run.
    """

    def __init__(self, side: Side, earlier: Mapping[str, str]) -> None:
        self._run: Facts = side.run or {}
        self._pipeline = side.pipeline
        self._earlier = earlier
        self._sources = stage_sources(side.pipeline) if side.pipeline is not None else {}
        self._preamble = preamble_statements(side.pipeline) if side.pipeline is not None else ()

    def source(self, stage: str) -> Mapping[str, list[tuple[int, str]]]:
        """The code of a stage and the setup that it uses; nothing where the code is not known."""
        return self._sources.get(self._name(stage), {})

    def of(self, stage: str, facts: Facts) -> dict[str, str]:
        """The parts of a stage, given what `run.json` says of it."""
        parts = {f"input:{name}": content for name, content in facts["inputs"].items()}
        parts |= {f"file:{name}": digest for name, digest in facts["files"].items() if digest}
        parts |= {kind: "\n".join(text for _, text in lines) for kind, lines in self.source(stage).items()}
        versions: Mapping[str, str] = self._run["versions"]
        parts |= {name if name in _NO_PACKAGES else f"package:{name}": version for name, version in versions.items()}
        if self._pipeline is None or not self.source(stage):
            return parts | {f"parameter:{name}": repr(value) for name, value in self._run["parameters"].items()}
        own = self._pipeline.stage(self._name(stage))
        secret = secret_names(self._pipeline.parameters)
        given = parameter_parts(foundation(own, self._preamble), self._run["parameters"], secret)
        return parts | option_parts(own) | given

    def came_from(self, stage: str, name: str) -> str | None:
        """The stage that the input comes from, under its name in the first run."""
        edges: list[Any] = self._run.get("edges", [])
        here = self._name(stage)
        found = next((edge["source"] for edge in edges if edge["target"] == here and name in edge["names"]), None)
        return self._earlier.get(found, found) if found is not None else None

    def _name(self, stage: str) -> str:
        """What a stage is called in this run."""
        return next((now for now, before in self._earlier.items() if before == stage), stage)


def _why(before: _Parts, now: _Parts, stage: str, was: Facts, row: Facts) -> str:
    """Why the fingerprint of a stage is another one, in words."""
    old, new = before.of(stage, was), now.of(stage, row)
    if not (before.source(stage) and now.source(stage)):  # what only one side knows of is no difference
        both = old.keys() & new.keys() - {"code", "setup"}
        old, new = ({part: one[part] for part in both} for one in (old, new))
    last = {"parts": old, "sources": before.source(stage)}

    def came(name: str) -> str:
        return came_out(now.came_from(stage, name), before.came_from(stage, name), None, this="")

    changes = changes_since(last, new, now.source(stage), came)
    own = [change for change in changes if change.part.partition(":")[0] not in ("package", "python", "platform")]
    return reason(own or changes) or _UNTOLD
