"""Running a plan: whatever is ready runs, until every stage has a result from what its inputs turned out to be.

The loop holds one condition: a stage is settled if its result came from the contents that its inputs have now. When
a stage is found to have changed an input in place, the pipeline is linked anew, contents differ, and what had started
from the older version is no longer settled: it runs again. So running in parallel never changes an answer.
"""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from stagebook.book.hidden import is_process
from stagebook.errors import PipelineError
from stagebook.events import Event, Notice, StageFinished, StageStarted
from stagebook.model import Stage, frozen_map
from stagebook.plan import Selection
from stagebook.run.arrivals import Arrival, Note
from stagebook.run.at_work import AtWork
from stagebook.run.claims import Claimant, Claims
from stagebook.run.contents import input_contents
from stagebook.run.decisions import selected_stages, skipped_after
from stagebook.run.gating import Gates
from stagebook.run.interrupts import interrupts
from stagebook.run.job import Failure, JobCell, StageResult
from stagebook.run.jobs import going_on, stage_job
from stagebook.run.plan import Planner, Verdict
from stagebook.run.schedule import Schedule
from stagebook.run.sessions import Sessions
from stagebook.run.settled import (
    PATIENCE,
    REFUSED,
    SKIPPED,
    Outcome,
    Settled,
    Unchanged,
    failed,
    has_met,
    held,
    is_blocked,
    remembered,
    stages_before,
    unsettled,
    why_not_run,
)
from stagebook.run.shared_files import SharedFiles
from stagebook.run.submission import Submission

Tell = Callable[[Event], None]
Environment = Callable[[str], Mapping[str, str]]

_FORCED = "forced"


class Execution:
    """One run of a pipeline.

    Args:
        planner: decides.
        runner: runs stage jobs.
        preamble: parameters and setup cells as they are given to kernels.
        cells: per stage, its cells as they are given to kernels.
        selection: which stages may run.
        schedule: which of those that can start is started.
        tell: gets every event, always in the thread that called `run`.
        environment: per stage, variables for its kernel; may be asked in any thread, and may block.
        claims: what other runs in this process are running.
        gates: judges what stages have come to; None where nothing is judged.
    """

    def __init__(
        self,
        planner: Planner,
        runner: Any,
        *,
        preamble: tuple[JobCell, ...],
        cells: Mapping[str, tuple[JobCell, ...]],
        selection: Selection,
        schedule: Schedule,
        tell: Tell,
        environment: Environment,
        claims: Claims | None = None,
        gates: Gates | None = None,
    ) -> None:
        self.planner = planner
        self.runner = runner
        self.preamble = preamble
        self.cells = cells
        self.selected = selected_stages(planner.pipeline, selection)
        self.forced = dict.fromkeys(self.selected, _FORCED) if selection.force else {}
        self.schedule = schedule
        self.tell = tell
        self.settled: dict[str, Settled] = {}
        self.running = AtWork(schedule, tell)
        self.reasons: dict[str, str] = {}
        self.sessions = Sessions()
        self.damaged: set[str] = set()
        self.interrupted = False
        self.unchanged = Unchanged()
        self.gates = gates or Gates()
        self.unmended: set[str] = set()  # stages whose files are still to be looked at
        self._inbox: queue.SimpleQueue[Arrival | Note | Event] = queue.SimpleQueue()
        self.files = SharedFiles(planner.pipeline.notebook.parent, planner.store)
        self.submission = Submission(runner, environment, self._inbox.put, tell)
        self._claimant = Claimant(
            claims or Claims(),
            wake=lambda: self._inbox.put(Note.FREED),
            interrupt=lambda: self._inbox.put(Note.INTERRUPT),
        )

    def run(self) -> Outcome:
        """Run until nothing is left to do; Ctrl-C interrupts the kernels and ends the run in good order."""
        with interrupts(lambda: self._inbox.put(Note.INTERRUPT)), self._claimant:
            while True:
                if self.unmended and not self.running:
                    self._mend_files()
                while not (self.interrupted or self.unmended) and self._start_what_is_ready():
                    pass
                if not self.running and not self._claimant.waiting:
                    break
                while not self._attend(self._inbox.get()):
                    pass
        self.files.leave(self.planner.pipeline, self._results())
        self._name_what_did_not_run()
        return Outcome(self.settled, self.reasons, self.interrupted, self.gates.judged)

    def _start_what_is_ready(self) -> bool:
        """One pass over the stages in order; True if it was left, to be begun anew.

        That is so where a stage already passed must run after all, or a reused one is known to change an input.
        """
        ready: set[str] = set()
        unsettled = len(self.forced)
        pipeline, settled = self.planner.pipeline, self.settled
        for stage in self.schedule.order(pipeline):
            if self.running.holds(stage, pipeline, settled) or self.unchanged.has(stage.name, pipeline, settled, ready):
                continue
            if self._skip(stage):
                continue
            verdict = self._verdict(stage, ready)
            if verdict is None:
                continue
            now = settled.get(stage.name)
            if now is not None and now.verdict.inputs == verdict.inputs:
                self.unchanged.note(stage.name, pipeline, settled)
                if now.result.state == "done":
                    ready.add(stage.name)
            elif self._settle_or_start(stage, verdict):
                ready.add(stage.name)
            if len(self.forced) > unsettled or self.planner.pipeline is not pipeline:
                return True
        return False

    def _skip(self, stage: Stage) -> bool:
        """Settle a stage that depends on a skipped one, and say whether it is settled so."""
        sources = {name: self.settled[name].result for name in self._sources(stage.name) if name in self.settled}
        cause = next((name for name in sorted(sources) if sources[name].state == "skipped"), None)
        now = self.settled.get(stage.name)
        if cause is None:
            if now is not None and now.verdict.key == SKIPPED:
                del self.settled[stage.name]
            return False
        result = skipped_after(stage.name, cause, sources[cause])
        if now is None or now.result.decided != result.decided:
            self.settled[stage.name] = Settled(Verdict(SKIPPED, {}, result.decided), result, reused=False)
            self.forced.pop(stage.name, None)
            self.reasons[stage.name] = result.decided
            self._learn(result)
            self._tell_finished(stage.name)
        return True

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
        verdict = self.planner.judge(stage, contents)
        if now is not None and has_met(stage.name, now, contents, self.planner.pipeline, share=self.sessions.share):
            self.settled[stage.name] = replace(now, verdict=verdict)
            self.planner.remember(verdict, replace(now.result, key=verdict.key))
        return verdict

    def _is_endless(self, stage: Stage, verdict: Verdict) -> bool:
        """Fail a stage that has run time and again."""
        if self.running.starts[stage.name] < PATIENCE:
            return False
        result = StageResult(stage.name, "failed", failure=unsettled(stage, self.planner.pipeline))
        self.settled[stage.name] = Settled(verdict, result, reused=False)
        self._tell_finished(stage.name)
        return True

    def _settle_or_start(self, stage: Stage, verdict: Verdict) -> bool:
        """Reuse what is stored and say True, or start the stage if it may run now."""
        name, inputs = stage.name, self.planner.pipeline.inputs[stage.name]
        if verdict.result is not None and name not in self.forced:
            over = self.files.made_anew(verdict.result, inputs)
            if over is None:
                return self._reuse(name, verdict, verdict.result)
            self.forced[name] = f"file {over} was made anew"
        if name not in self.selected:
            self.reasons[name] = f"it is not selected, though it would run: {verdict.reason}"
        elif self._is_endless(stage, verdict):
            return False
        elif self.running.has_room(stage, self.planner.pipeline, self.settled) and self._files_are_there(name):
            return self._session_is_ready(stage) and self._start_or_share(stage, verdict)
        return False

    def _files_are_there(self, stage: str) -> bool:
        """Whether the files that the stage takes are as they are to be; stages that make others run again."""
        held = self._held(self.planner.pipeline.stage(stage)).values()
        mates = self.sessions.members(self.sessions.of(stage, held)) if held else set()  # they may hold files open
        inputs = {name: source for name, source in self.planner.pipeline.inputs[stage].items() if source not in mates}
        missing = self.files.missing(stage, inputs, self._results())
        if missing:
            self._force(missing.values(), f"`{stage}` reads {min(missing)}, which is not as it was left")
        return not missing

    def _reuse(self, stage: str, verdict: Verdict, result: StageResult) -> bool:
        """Settle a stage with a result that is there; True if it can be used."""
        self.settled[stage] = Settled(verdict, result, reused=True)
        self.planner.note_reuse(verdict, result)
        self.reasons[stage] = result.decided or verdict.reason
        self._learn(result)
        state = self.settled[stage].result.state
        self._tell_finished(stage)
        return state == "done"

    def _start_or_share(self, stage: Stage, verdict: Verdict) -> bool:
        """Start the stage, unless another run is at it or was, since it was judged; True if it is settled by that."""
        name = stage.name
        alone = not stage.options.cache or self.forced.get(name, _FORCED) != _FORCED
        if alone or name in self.sessions.joined or self._held(stage):
            self._start(stage, verdict)
            return False
        before = self._claimant.claims.failure(verdict.key) if not self.running.starts[name] else None
        if before is not None:
            self.settled[name] = Settled(verdict, before, reused=False)
            self._tell_finished(name)
            return False
        if not self._claimant.take(name, verdict.key):
            return False
        now = self.planner.judge(stage, verdict.inputs)
        if now.result is not None and (name not in self.forced or self._claimant.claims.ran(now.key)):
            self._claimant.give_back(name)
            return self._reuse(name, now, now.result)
        self._start(stage, now)
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
        if self.running.is_in_use(session):
            return False
        return not any(
            earlier.name not in self.settled and self.sessions.of(earlier.name, self._held(earlier).values()) == session
            for earlier in stages_before(stage, self.planner.pipeline)
            if self._held(earlier) and not self._is_blocked(earlier)
        )

    def _force(self, stages: Iterable[str], reason: str) -> None:
        """Have stages run (again), whatever is stored."""
        for name in stages:
            self.settled.pop(name, None)
            self.forced[name] = reason

    def _held(self, stage: Stage) -> dict[str, str]:
        return held(stage.name, self.planner.pipeline, self.settled)

    def _is_blocked(self, stage: Stage) -> bool:
        return is_blocked(stage.name, self.planner.pipeline, self.settled, self.selected)

    def _start(self, stage: Stage, verdict: Verdict) -> None:
        job = stage_job(
            stage,
            self.planner,
            self._results(),
            verdict.inputs,
            held=self._held(stage),
            sessions=self.sessions,
            preamble=self.preamble,
            cells=self.cells[stage.name],
        )
        self.running.begin(stage.name, verdict, session=job.session)
        self.reasons[stage.name] = self.forced.get(stage.name, verdict.reason) if verdict.result else verdict.reason
        if job.session:
            self.tell(going_on(job, self._held(stage)))
        self.files.begin(stage.name, self.planner.pipeline.inputs[stage.name])
        self.tell(StageStarted(stage.name, self.reasons[stage.name], len(job.cells)))
        anew = stage.name in self.forced or stage.name in self.damaged
        self.submission.start(stage, job, verdict, self.planner, anew=anew)

    def _attend(self, item: Arrival | Note | Event) -> bool:
        """Tell an event; take in a result and say True, since there may be something to start then."""
        if item is Note.FREED:
            return True
        if item is Note.INTERRUPT:
            self.interrupted = True
            self._claimant.stop_waiting()
            self.runner.interrupt()
            return not self.running
        if not isinstance(item, Arrival):
            self.tell(item)
            return False
        if item.task is not None:
            self.submission.take_piece(item, item.task)
            return False
        return self._take_in(item)

    def _take_in(self, item: Arrival) -> bool:
        """Settle a stage whose result has come."""
        verdict, ran_in = self.running.end(item.stage)
        result = replace(item.result, key=verdict.key)
        self.forced.pop(item.stage, None)
        self.files.end(result)
        if result.failure is not None and result.failure.name in REFUSED:
            again = {name for name in self._sources(item.stage) & self.settled.keys() if self.settled[name].reused}
            self.damaged.add(item.stage)
            if again:  # the store has lost what it had: have it made again, and this stage after it
                self.tell(Notice(f"{result.failure.message} It is made again.", item.stage))
                self._force(again, "what it had kept is damaged")
                self._claimant.give_back(item.stage)
                return True
        result = remembered(self.planner, verdict, result)
        self._claimant.give_back(item.stage, result)
        self.settled[item.stage] = Settled(verdict, result, reused=False)
        self.reasons[item.stage] = result.decided or self.reasons[item.stage]
        required = self.planner.pipeline.required(item.stage)
        kept = {name for name in result.unstorable if name in required or is_process(name)}
        self.sessions.note(item.stage, kept, ran_in=ran_in)
        self._learn(result)
        self._tell_finished(item.stage)
        self.unmended.add(item.stage)
        self._mend_files()
        return True

    def _learn(self, result: StageResult) -> None:
        """Link anew with what the stage turned out to do; where no order is left, or its gate is closed, it fails."""
        try:
            self.planner.learn(result)
        except PipelineError as error:
            told = " ".join(f"{found.message} {found.remedy}" for found in error.findings) or str(error)
            self.settled[result.stage] = failed(self.settled[result.stage], Failure("PipelineError", told))
        closed = self.gates.closed(self.planner.pipeline.stage(result.stage), self.planner.pipeline, self._results())
        if closed is not None:
            self.settled[result.stage] = failed(self.settled[result.stage], closed)

    def _mend_files(self) -> None:
        """Have stages that met a file in a wrong state run again, or fail where what it held is lost.

        Files are put back when nothing runs: what does may be writing them, too. Until then, nothing is started.
        """
        found = self.files.mend(self.unmended, self.planner.pipeline, self._results(), share=self.sessions.share)
        if self.running and not self.files.is_in_place(found):
            return
        self.unmended.clear()
        self.files.restore(found)
        for name, failure in found.failures.items():
            if self.settled[name].result.state == "done":
                self.settled[name] = failed(self.settled[name], failure)
                self._tell_finished(name)
        for name in found.again.keys() - set(self.running) - found.failures.keys():
            self._force([name], f"{found.again[name]} was not as it should have been when it ran")
        for name in found.judge:
            self.settled.pop(name, None)

    def _results(self) -> dict[str, StageResult]:
        return {name: settled.result for name, settled in self.settled.items()}

    def _sources(self, stage: str) -> frozenset[str]:
        return self.planner.pipeline.sources(stage)

    def _tell_finished(self, stage: str) -> None:
        settled = self.settled[stage]
        result = settled.result
        if result.failure:
            self.reasons[stage] = str(result.failure)
        state: Any = "reused" if settled.reused and result.state == "done" else result.state
        metrics, reason, key = frozen_map(result.metrics), self.reasons[stage], settled.verdict.key
        self.tell(StageFinished(stage, state, reason, result.duration, key, metrics, result))

    def _name_what_did_not_run(self) -> None:
        """Settle the reasons of stages that were never started: what they wait for failed, or they were left out."""
        pipeline = self.planner.pipeline
        for name in [stage.name for stage in pipeline.stages if stage.name not in self.settled]:
            self.reasons[name] = why_not_run(name, pipeline, self.settled, self.selected, self.reasons)
            self.tell(StageFinished(name, "not run", self.reasons[name], 0.0))
