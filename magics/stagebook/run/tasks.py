"""A stage job as a task of a Prefect flow: it runs in a kernel where the task runs, and the state says what came of it.

A task and what has sent it may be in one process, as with Prefect's threads, or in two, as with its Dask task runner.
In one, events are heard as they happen; else they come with the result. What cells print is in the task's log at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent import futures
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stagebook.events import CellPrinted, Event, Notice, event_from_json, event_to_json
from stagebook.model import frozen_map
from stagebook.run.job import Failure, StageJob, StageResult
from stagebook.run.worker import runner_for

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

Emit = Callable[[Event], None]

_BEAT = 0.2
"""Seconds after which a task that waits for its stage looks whether Prefect wants to end it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a task is given.

    Attributes:
        stage: the stage.
        run: whose it is.
        work: its `StageJob`, pickled; empty where nothing is to be run.
        slots: kernels at work at once, where the task is run.
        environment: variables for its kernel.
        ticket: by which its events are heard where it was sent.
        tries: how often it is tried at the most.
        known: the state of a stage that is not run, as `Reused`.
        reason: why it runs, or does not.
    """

    stage: str
    run: str
    work: bytes = b""
    slots: int = 1
    environment: Mapping[str, str] = field(default_factory=frozen_map)
    ticket: str = ""
    tries: int = 1
    known: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a task answers: a `StageResult`, pickled, and the events that nobody has heard yet.

    Prefect writes answers of tasks that failed to their logs, where neither is of use.
    """

    result: bytes = field(repr=False)
    told: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)


_hearing: dict[str, Emit] = {}


def hear(ticket: str, emit: Emit) -> None:
    """Have a job's events told to `emit`, until its answer is taken."""
    _hearing[ticket] = emit


def run_stage(job: Job) -> State[Any]:
    """Run a stage: what a task of an exported flow does.

    Returns:
        The state that the task comes to: `Completed`, which is called `Reused` or `Skipped` where nothing was run,
        `Failed`, called `TimedOut` where the time was up, or `Cancelled`.
    """
    import cloudpickle
    from prefect.context import TaskRunContext
    from prefect.logging import get_run_logger
    from prefect.states import Completed

    log: Any = get_run_logger()
    if job.reason:
        log.info("%s", job.reason)
    if job.known:
        return Completed(name=job.known, message=job.reason)
    emit, told, lines = _hearing.get(job.ticket), [], _Lines(log)

    def tell(event: Event) -> None:
        lines.take(event)
        if emit is not None:
            emit(event)
        else:
            told.append(event_to_json(event))

    context = TaskRunContext.get()
    attempt = context.task_run.run_count if context is not None else 1
    if attempt > 1:
        tell(Notice(f"`{job.stage}` failed: try {attempt} of {max(job.tries, attempt)}.", job.stage))
    work: StageJob = cloudpickle.loads(job.work)
    with runner_for(job.run, job.slots) as runner:
        future = runner.submit(replace(work, retries=0), tell, lambda _: job.environment)
        result = _awaited(future)
    lines.end(result)
    return _state(result, _Answer(cloudpickle.dumps(result), tuple(told)))


def _awaited(future: futures.Future[StageResult]) -> StageResult:
    """The result; what Prefect raises in this thread, as the time is up, ends the stage first."""
    try:
        while True:
            try:
                return future.result(timeout=_BEAT)
            except futures.TimeoutError:
                continue
    except BaseException:
        future.cancel()
        raise


def _state(result: StageResult, answer: _Answer) -> State[Any]:
    from prefect.states import Cancelled, Completed, Failed

    if result.state == "done":
        return Completed(data=answer)
    if result.state == "skipped":
        return Completed(name="Skipped", message=result.decided, data=answer)
    if result.state == "interrupted":
        return Cancelled(message="The run was interrupted.", data=answer)
    failure = result.failure or Failure("Failed", "")
    name = "TimedOut" if failure.name == "Timeout" else "Failed"
    return Failed(name=name, message=str(failure), data=answer)


class _Lines:
    """What cells print, as lines of a task's log: while they run, and what is left when they are done.

    Args:
        log: the task run's.
    """

    def __init__(self, log: Any) -> None:
        self._log = log
        self._logged: Counter[int] = Counter()

    def take(self, event: Event) -> None:
        """Log what is told while a cell runs."""
        if isinstance(event, CellPrinted):
            self._write(event.number, event.text.splitlines())
        elif isinstance(event, Notice):
            self._log.warning("%s", event.message)

    def end(self, result: StageResult) -> None:
        """Log what nobody was told while it ran; of a long text its end may be left to the output notebook."""
        for cell in result.cells:
            texts = ["".join(output["text"]) for output in cell.outputs if output["output_type"] == "stream"]
            self._write(cell.number, "".join(texts).splitlines()[self._logged[cell.number] :])

    def _write(self, number: int, lines: list[str]) -> None:
        self._logged[number] += len(lines)
        for line in lines:
            self._log.info("%s", line)


def taken(state: Any, job: Job) -> StageResult:
    """The result that a task's last state tells of, after the events that have not been heard."""
    import cloudpickle

    emit = _hearing.pop(job.ticket, None)
    data = getattr(state.data, "result", state.data)
    if isinstance(data, _Answer):
        if emit is not None:
            for told in data.told:
                emit(event_from_json(told))
        result: StageResult = cloudpickle.loads(data.result)
        return result
    if state.is_cancelled():
        return interrupted(job.stage)
    kind = "Timeout" if state.name == "TimedOut" else "KernelError"
    return StageResult(job.stage, "failed", failure=Failure(kind, f"Prefect ended its task ({state.message})."))


def interrupted(stage: str) -> StageResult:
    """The result of a stage that was not let come to its end."""
    return StageResult(stage, "interrupted", failure=Failure("KeyboardInterrupt", ""))
