"""Handing jobs to a runner: a stage's job, or the pieces of a mapped stage, whose result arrives as any other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from stagebook.events import ElementsFinished, Event, Notice
from stagebook.model import Stage
from stagebook.run.arrivals import Arrival
from stagebook.run.job import StageJob, StageResult
from stagebook.run.mapping import MappedStage, Step, Task
from stagebook.run.plan import Planner, Verdict


@dataclass(slots=True)
class Submission:
    """Jobs under way.

    Args:
        runner: runs them.
        environment: per stage, variables for its kernel.
        put: takes arrivals, and the events of jobs, in any thread.
        tell: takes events, in the run's own thread.
    """

    runner: Any
    environment: Callable[[str], Mapping[str, str]]
    put: Callable[[Arrival | Event], None]
    tell: Callable[[Event], None]
    _mapped: dict[str, MappedStage] = field(default_factory=dict)

    def start(self, stage: Stage, job: StageJob, verdict: Verdict, planner: Planner, *, anew: bool) -> None:
        """Run a stage; `anew` where a mapped one is to take nothing from earlier runs."""
        if stage.options.foreach is None:
            self._submit(job)
            return
        mapped = MappedStage(stage, stage.options.foreach, verdict, job, planner, anew=anew)
        self._mapped[stage.name] = mapped
        self._go_on(mapped, mapped.begin())

    def take_piece(self, arrival: Arrival, task: Task) -> None:
        """Go on with a mapped stage of which a piece has arrived."""
        mapped = self._mapped[arrival.stage]
        self._go_on(mapped, mapped.take(task, replace(arrival.result, key=task.verdict.key)))

    def _submit(self, job: StageJob, task: Task | None = None) -> None:
        future = self.runner.submit(job, self.put if task is None else _ignore, self.environment)
        future.add_done_callback(lambda done: self.put(Arrival(job.stage, done, task)))

    def _go_on(self, mapped: MappedStage, step: Step) -> None:
        for notice in step.notices:
            self.tell(Notice(notice, mapped.stage.name))
        if mapped.results:
            self.tell(ElementsFinished(mapped.stage.name, len(mapped.results), mapped.total))
        for task in step.tasks:
            self._submit(task.job, task)
        if step.result is not None:
            future: Future[StageResult] = Future()
            future.set_result(step.result)
            self.put(Arrival(mapped.stage.name, future))


def _ignore(_: Event) -> None:
    """Cells of elements that run side by side would tell nothing of how far the stage has come."""
