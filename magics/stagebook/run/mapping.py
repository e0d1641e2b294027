"""Mapped stages (`foreach`): a list is taken apart, the stage runs for each element, what it makes is gathered.

Each piece is a job of its own with a fingerprint of its own, so that a longer list costs its new elements only.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from stagebook.book.hidden import called, is_hidden
from stagebook.errors import StoreError
from stagebook.model import Foreach, Stage, frozen_map
from stagebook.run.job import OUTSIDE, CellRecord, Failure, StageJob, StageResult
from stagebook.run.plan import Piece, Planner, Verdict
from stagebook.store.gathering import gather
from stagebook.store.references import ValueRef


@dataclass(frozen=True, slots=True)
class Task:
    """A piece that has to run."""

    piece: Piece
    position: int
    job: StageJob
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Step:
    """What follows: pieces to run, or, when all have come, the stage's result; and what a person should know."""

    tasks: tuple[Task, ...] = ()
    result: StageResult | None = None
    notices: tuple[str, ...] = ()


@dataclass(slots=True)
class MappedStage:
    """A mapped stage under way.

    Args:
        stage: the stage.
        mapping: its `foreach`.
        verdict: of the whole stage, with its inputs' contents.
        job: the job that the stage would be if it were not mapped.
        planner: decides which pieces have to run.
        anew: whether the list is to be taken apart again, whatever is stored.
    """

    stage: Stage
    mapping: Foreach
    verdict: Verdict
    job: StageJob
    planner: Planner
    anew: bool = False
    results: dict[int, StageResult] = field(default_factory=dict)
    total: int = 0
    reused: int = 0
    _scattered: StageResult | None = None
    _clock: float = field(default_factory=time.perf_counter)

    def begin(self) -> Step:
        """Take the list apart."""
        job = replace(self.job, cells=(), outputs=(), metrics=(), writes=(), scatter=self.mapping, required=frozenset())
        verdict = self.planner.judge(self.stage, self.verdict.inputs, piece="scatter")
        if verdict.result is not None and not self.anew:
            return self._map(verdict.result)
        return Step((Task("scatter", 0, job, verdict),))

    def take(self, task: Task, result: StageResult) -> Step:
        """Go on with what came of a piece."""
        try:
            self.planner.remember(task.verdict, result, piece=True)
        except StoreError as error:
            result = replace(result, state="failed", failure=Failure("StoreError", str(error)))
        if task.piece == "scatter":
            return self._map(result) if result.state == "done" else Step(result=result)
        self.results[task.position] = result
        return Step(result=self._gathered(), notices=self._notices()) if len(self.results) == self.total else Step()

    def _map(self, scattered: StageResult) -> Step:
        """A task for each element that has no result yet."""
        if scattered.state == "skipped":
            return Step(result=scattered)
        self._scattered, self.total = scattered, len(scattered.elements)
        shared = {name: content for name, content in self.verdict.inputs.items() if name != self.mapping.source}
        tasks = []
        for position, element in enumerate(scattered.elements):
            verdict = self.planner.judge(self.stage, {**shared, self.mapping.item: element.content}, piece="element")
            if verdict.result is not None and not self.anew:
                self.results[position] = verdict.result
                self.reused += 1
            else:
                tasks.append(Task("element", position, self._element_job(element), verdict))
        if not tasks:
            return Step(result=self._gathered())
        told = f"`{self.stage.name}`: {self.total} elements of `{self.mapping.source}`, {self.reused} reused."
        return Step(tuple(tasks), notices=(told,) if self.reused else ())

    def _element_job(self, element: ValueRef) -> StageJob:
        inputs = {name: ref for name, ref in self.job.inputs.items() if name != self.mapping.source}
        inputs[self.mapping.item] = element
        return replace(self.job, inputs=frozen_map(inputs), when=None, required=frozenset())

    def _gathered(self) -> StageResult:
        """The stage's result, from those of its elements, in the list's order."""
        results = [self.results[position] for position in range(self.total)]
        parts = [*([self._scattered] if self._scattered is not None else []), *results]
        outside: dict[str, Any] = {part: _union(parts, part) for part in OUTSIDE}
        outside["extended"] = frozenset().union(*(part.extended for part in parts))
        whole = StageResult(
            self.stage.name,
            "done",
            asked=self.job.outputs,
            metrics=frozen_map(_numbered(result.metrics for result in results)),
            series=frozen_map(_numbered(result.series for result in results)),
            used=frozenset(name for result in results for name in result.used if not name.startswith("state:")),
            cells=_merged_cells(results, self.mapping),
            widgets=_union(results, "widgets"),
            started=min((result.started for result in results), default=""),
            duration=round(time.perf_counter() - self._clock, 4),
            **outside,
        )
        failure = self._failure(results)
        if failure is not None:
            states = {result.state for result in results}
            return replace(whole, state="interrupted" if "interrupted" in states else "failed", failure=failure)
        names = sorted(set(self.job.outputs).union(*(result.outputs for result in results)))
        try:
            outputs = gather([result.outputs for result in results], self.planner.store, names=names)
        except StoreError as error:
            return replace(whole, state="failed", failure=Failure("StoreError", str(error)))
        return replace(whole, outputs=frozen_map(outputs))

    def _failure(self, results: list[StageResult]) -> Failure | None:
        """Why there is nothing to gather: an element failed, or did what cannot be gathered."""
        failed = [position for position, result in enumerate(results) if result.state != "done"]
        if failed:
            failure = results[failed[0]].failure or Failure("Skipped", "it was skipped")
            others = f" {len(failed)} of {len(results)} elements failed." if len(failed) > 1 else ""
            where = f"element {failed[0]} of `{self.mapping.source}`: "
            return replace(failure, message=f"{where}{failure.message}", remedy=f"{failure.remedy}{others}".strip())
        own = {self.mapping.item} if self.mapping.item == self.mapping.source else set()
        cell = self.job.cells[-1].number if self.job.cells else 0
        for result in results:
            changed = sorted(name for name in result.changed - own if not is_hidden(name))
            if changed:
                message = f"a stage mapped with `foreach` changes `{changed[0]}` in place, which its elements share."
                return Failure("SharedChange", message, cell, "Make a new object under a name of its own.")
            for name, kind in result.unstorable.items():
                message = f"`{name}` ({kind}) cannot be stored, so that it cannot be gathered."
                return Failure("TypeError", message, cell, "Make something of it that can be stored.")
        return None

    def _notices(self) -> tuple[str, ...]:
        changed = {name for result in self.results.values() for name in result.changed if is_hidden(name)}
        drawn = sorted(name for name in changed if name.startswith("state:"))
        if not drawn:
            return ()
        where = " and ".join(map(called, drawn))
        told = f"`{self.stage.name}` draws from {where}: all elements start from the same state. Seed from the element."
        return (told,)


def _numbered(each: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{name}.{position}": value for position, found in enumerate(each) for name, value in sorted(found.items())}


def _union(results: Iterable[StageResult], part: str) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for result in results:
        found |= getattr(result, part)
    return frozen_map(found)


def _merged_cells(results: list[StageResult], mapping: Foreach) -> tuple[CellRecord, ...]:
    """A record for each cell, with what it put out for one element after the other."""
    merged: list[CellRecord] = []
    for position, result in enumerate(results):
        heading = {"output_type": "stream", "name": "stdout", "text": f"── {mapping.source}[{position}] ──\n"}
        for index, cell in enumerate(result.cells):
            outputs = [heading, *cell.outputs] if cell.outputs else []
            if index == len(merged):
                merged.append(replace(cell, outputs=outputs))
            else:
                before = merged[index]
                merged[index] = replace(
                    before,
                    outputs=[*before.outputs, *outputs],
                    duration=round(before.duration + cell.duration, 4),
                    failed=before.failed or cell.failed,
                )
    return tuple(merged)
