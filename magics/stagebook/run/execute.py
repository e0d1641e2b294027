"""Running a plan: whatever is ready runs, until every stage has a result from what its inputs turned out to be.

The loop holds one condition: a stage is settled if its result came from the contents that its inputs have now. When
a stage is found to have changed an input in place, the pipeline is linked anew, contents differ, and what had started
from the older version is no longer settled: it runs again. So running in parallel never changes an answer.
"""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from stagebook.errors import CorruptBlobError, PipelineError, StagebookError, StoreError
from stagebook.events import Event, Notice, StageFinished, StageStarted
from stagebook.model import Selection, Stage, frozen_map
from stagebook.run.job import Failure, JobCell, StageJob, StageResult
from stagebook.run.plan import Planner, Verdict, input_contents, selected_stages
from stagebook.run.sessions import Sessions
from stagebook.store.values import ValueRef

Tell = Callable[[Event], None]
Environment = Callable[[str], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Settled:
    """A stage's result and the content of the inputs that it came from."""

    verdict: Verdict
    result: StageResult
    reused: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of every stage: its state, its result where it has one, and the reason for both."""

    settled: Mapping[str, Settled]
    reasons: Mapping[str, str]
    interrupted: bool


@dataclass(frozen=True, slots=True)
class _Arrival:
    stage: str
    future: Future[StageResult]


class _Interrupt:
    """Somebody pressed Ctrl-C."""


class Execution:
    """One run of a pipeline.

    Args:
        planner: decides.
        runner: runs stage jobs.
        preamble: parameters and setup cells as they are given to kernels.
        cells: per stage, its cells as they are given to kernels.
        selection: which stages may run.
        tell: gets every event, always in the thread that called `run`.
        environment: per stage, variables for its kernel; may be asked in any thread, and may block.
    """

    def __init__(
        self,
        planner: Planner,
        runner: Any,
        *,
        preamble: tuple[JobCell, ...],
        cells: Mapping[str, tuple[JobCell, ...]],
        selection: Selection,
        tell: Tell,
        environment: Environment,
    ) -> None:
        self.planner = planner
        self.runner = runner
        self.preamble = preamble
        self.cells = cells
        self.selected = selected_stages(planner.pipeline, selection)
        self.forced = dict.fromkeys(self.selected, "forced") if selection.force else {}
        self.tell = tell
        self.environment = environment
        self.settled: dict[str, Settled] = {}
        self.running: dict[str, Verdict] = {}
        self.reasons: dict[str, str] = {}
        self.sessions = Sessions()
        self.interrupted = False
        self._asked_to_stop = False
        self._inbox: queue.SimpleQueue[_Arrival | _Interrupt | Event] = queue.SimpleQueue()

    def run(self) -> Outcome:
        """Run until nothing is left to do; Ctrl-C interrupts the kernels and ends the run in good order."""
        with self._interrupts_by_inbox():
            while True:
                while not self.interrupted and self._start_what_is_ready():
                    pass
                if not self.running:
                    break
                while not self._attend(self._inbox.get()):
                    pass
        self._name_what_did_not_run()
        return Outcome(self.settled, self.reasons, self.interrupted)

    @contextmanager
    def _interrupts_by_inbox(self) -> Iterator[None]:
        """Take SIGINT and SIGTERM as messages, so that none breaks into a decision; a second one raises."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def take(*_: Any) -> None:
            if self._asked_to_stop:
                raise KeyboardInterrupt
            self._asked_to_stop = True
            self._inbox.put(_Interrupt())

        before = {number: signal.signal(number, take) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start_what_is_ready(self) -> bool:
        """One pass over the stages in order; True if it was left, to be begun anew.

        That is so where a stage already passed must run after all, or a reused one is known to change an input.
        """
        ready: set[str] = set()
        unsettled = len(self.forced)
        pipeline = self.planner.pipeline
        for stage in pipeline.stages:
            verdict = None if stage.name in self.running else self._verdict(stage, ready)
            if verdict is None:
                continue
            now = self.settled.get(stage.name)
            if now is not None and now.verdict.inputs == verdict.inputs:
                if now.result.state == "done":
                    ready.add(stage.name)
            elif self._settle_or_start(stage, verdict):
                ready.add(stage.name)
            if len(self.forced) > unsettled or self.planner.pipeline is not pipeline:
                return True
        return False

    def _verdict(self, stage: Stage, ready: set[str]) -> Verdict | None:
        """What is known of a stage, or None as long as a stage before it is not ready."""
        sources = self._sources(stage.name)
        if not sources <= ready:
            return None
        results = {source: self.settled[source].result for source in sources}
        contents = input_contents(self.planner.pipeline, stage, results)
        now = self.settled.get(stage.name)
        if now is not None and now.verdict.inputs == contents:
            return now.verdict
        return self.planner.judge(stage, contents)

    def _settle_or_start(self, stage: Stage, verdict: Verdict) -> bool:
        """Reuse what is stored and say True, or start the stage if it may run now."""
        if verdict.result is not None and stage.name not in self.forced:
            self.settled[stage.name] = Settled(verdict, verdict.result, reused=True)
            self.planner.note_reuse(verdict, verdict.result)
            self.reasons[stage.name] = verdict.reason
            self._learn(stage.name, verdict.result)
            usable = self.settled[stage.name].result.state == "done"
            self._tell_finished(stage.name, "reused" if usable else "failed")
            return usable
        if stage.name not in self.selected:
            self.reasons[stage.name] = f"it is not selected, though it would run: {verdict.reason}"
        elif len(self.running) < self.runner.slots and self._session_is_ready(stage):
            self._start(stage, verdict)
        return False

    def _session_is_ready(self, stage: Stage) -> bool:
        """Whether the kernel is there and free in which values live that `stage` takes and that cannot be stored."""
        held = self._held(stage)
        if not held and stage.name not in self.sessions.joined:
            return True
        again = self.sessions.to_run_again(stage.name, set(held.values()))
        if again:
            self._force(again, f"`{stage.name}` takes from it what cannot be stored")
            return False
        session = self.sessions.of(stage.name, held.values())
        if any(self.sessions.of(running, ()) == session for running in self.running):
            return False
        return not any(
            earlier.name not in self.settled and self.sessions.of(earlier.name, self._held(earlier).values()) == session
            for earlier in self._before(stage)
            if self._held(earlier) and not self._is_blocked(earlier)
        )

    def _force(self, stages: Iterable[str], reason: str) -> None:
        """Have stages run (again), whatever is stored."""
        for name in stages:
            self.settled.pop(name, None)
            self.forced[name] = reason

    def _held(self, stage: Stage) -> dict[str, str]:
        """Names that `stage` takes and that cannot be stored, each with the stage whose kernel holds it."""
        taken = self.planner.pipeline.inputs[stage.name]
        return {
            name: source
            for name, source in taken.items()
            if source in self.settled and name in self.settled[source].result.unstorable
        }

    def _before(self, stage: Stage) -> Iterable[Stage]:
        stages = sorted(self.planner.pipeline.stages, key=lambda one: one.cells[0].number)
        return stages[: stages.index(stage)]

    def _is_blocked(self, stage: Stage) -> bool:
        """Whether a stage that it depends on has failed or may not run."""
        upstream = self.planner.pipeline.upstream(stage.name)
        return stage.name not in self.selected or any(
            (name not in self.selected and name not in self.settled)
            or (name in self.settled and self.settled[name].result.state != "done")
            for name in upstream
        )

    def _start(self, stage: Stage, verdict: Verdict) -> None:
        job = self._job(stage)
        self.running[stage.name] = verdict
        self.reasons[stage.name] = self.forced.get(stage.name, verdict.reason) if verdict.result else verdict.reason
        if job.session:
            names = ", ".join(f"`{name}`" for name in sorted(self._held(stage)))
            message = f"`{stage.name}` goes on in the kernel of `{job.session}`: {names} cannot be stored."
            self.tell(Notice(message, stage.name))
        self.tell(StageStarted(stage.name, self.reasons[stage.name], len(job.cells)))
        future = self.runner.submit(job, self._inbox.put, self.environment)
        future.add_done_callback(lambda done: self._inbox.put(_Arrival(stage.name, done)))

    def _job(self, stage: Stage) -> StageJob:
        pipeline = self.planner.pipeline
        held = self._held(stage)
        stored: dict[str, tuple[str, ValueRef]] = {}
        for name, source in pipeline.inputs[stage.name].items():
            ref = self.settled[source].result.outputs.get(name)
            if ref is not None:
                stored[name] = (source, ref)
        mates = self.planner.mates(stage, stored)
        session = self.sessions.of(stage.name, held.values())
        return StageJob(
            stage=stage.name,
            kernel=pipeline.kernel,
            folder=str(pipeline.notebook.parent),
            store=str(self.planner.store.root),
            preamble=self.preamble,
            cells=self.cells[stage.name],
            inputs={name: ref for name, (_, ref) in stored.items()},
            mates={name: replace(ref, name=name) for name, (_, ref) in mates.items()},
            held=tuple(sorted(self.sessions.names(session) | held.keys())),
            session=session if session != stage.name else None,
            outputs=pipeline.outputs[stage.name],
            required=pipeline.required(stage.name),
            watched=tuple(sorted(stage.names.touches)),
            metrics=stage.options.metrics,
            files=self.planner.files(stage),
            writes=stage.options.writes,
            timeout=stage.options.timeout,
            retries=stage.options.retries,
        )

    def _attend(self, item: _Arrival | _Interrupt | Event) -> bool:
        """Tell an event; take in a result and say True, since there may be something to start then."""
        if isinstance(item, _Interrupt):
            self.interrupted = True
            self.runner.interrupt()
            return False
        if not isinstance(item, _Arrival):
            self.tell(item)
            return False
        verdict = self.running.pop(item.stage)
        result = replace(_result_of(item), key=verdict.key)
        self.forced.pop(item.stage, None)
        if result.failure is not None and result.failure.name == CorruptBlobError.__name__:
            before = {name: self.settled.get(name) for name in self._sources(item.stage)}
            again = {name for name, settled in before.items() if settled is not None and settled.reused}
            if again:  # the store has lost what it had: have it made again, and this stage after it
                self.tell(Notice(f"{result.failure.message} It is made again.", item.stage))
                self._force(again, "what it had kept is damaged")
                return True
        try:
            self.planner.remember(verdict, result)
        except StoreError as error:
            result = replace(result, state="failed", failure=Failure("StoreError", str(error)))
        self.settled[item.stage] = Settled(verdict, result, reused=False)
        required = self.planner.pipeline.required(item.stage)
        kept = {name for name in result.unstorable if name in required}
        self.sessions.note(item.stage, kept, ran_in=self.sessions.of(item.stage, self._held_by(item.stage)))
        self._learn(item.stage, result)
        self._tell_finished(item.stage, self.settled[item.stage].result.state)
        return True

    def _learn(self, stage: str, result: StageResult) -> None:
        """Link anew with what the stage turned out to change; a notebook that then has no order fails the stage."""
        try:
            self.planner.learn(stage, result.changed)
        except PipelineError as error:
            told = " ".join(f"{found.message} {found.remedy}" for found in error.findings) or str(error)
            failed = replace(result, state="failed", failure=Failure("PipelineError", told))
            self.settled[stage] = replace(self.settled[stage], result=failed)

    def _sources(self, stage: str) -> set[str]:
        return {edge.source for edge in self.planner.pipeline.edges if edge.target == stage}

    def _held_by(self, name: str) -> Iterable[str]:
        return self._held(self.planner.pipeline.stage(name)).values()

    def _tell_finished(self, stage: str, state: Any) -> None:
        settled = self.settled[stage]
        result = settled.result
        reason = str(result.failure) if result.failure else self.reasons[stage]
        if result.failure:
            self.reasons[stage] = reason
        self.tell(
            StageFinished(
                stage, state, reason, result.duration, settled.verdict.key, frozen_map(result.metrics), result
            )
        )

    def _name_what_did_not_run(self) -> None:
        """Settle the reasons of stages that were never started: what they wait for failed, or they were left out."""
        for stage in self.planner.pipeline.stages:
            if stage.name in self.settled:
                continue
            self.reasons[stage.name] = self._why_not_run(stage)
            self.tell(StageFinished(stage.name, "not run", self.reasons[stage.name], 0.0))

    def _why_not_run(self, stage: Stage) -> str:
        if stage.name not in self.selected:
            return self.reasons.get(stage.name, "it is not selected")
        for name in sorted(self.planner.pipeline.upstream(stage.name)):
            settled = self.settled.get(name)
            if settled is not None and settled.result.state != "done":
                return f"`{name}` failed" if settled.result.state == "failed" else f"`{name}` was interrupted"
            if settled is None and name not in self.selected:
                why = self.reasons.get(name, "it is not selected")
                return f"it needs `{name}`, which has no result that can be used: {why}. Use --to {stage.name}."
        return "the run was interrupted"


def _result_of(arrival: _Arrival) -> StageResult:
    """The stage's result; a kernel that could not be had is a failure like any other."""
    try:
        return arrival.future.result()
    except StagebookError as error:
        return StageResult(arrival.stage, "failed", failure=Failure(type(error).__name__, str(error)))
