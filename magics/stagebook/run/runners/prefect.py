"""Tasks of a Prefect flow: the one that is running, or one that is begun for the run.

Each job is a task, whose state, log and retries Prefect shows. What is decided, in which order stages run and what is
kept stays with the run, as everywhere: a stage that is reused or skipped is a task that says so.
"""

from __future__ import annotations

import contextvars
import logging
import os
import queue
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from stagebook.errors import StagebookError, UsageError
from stagebook.events import Event, RunFinished, RunStarted, StageFinished
from stagebook.model import frozen_map
from stagebook.run.job import Failure, StageJob, StageResult
from stagebook.run.probe import check_written
from stagebook.run.tasks import Job, hear, interrupted, run_stage, taken
from stagebook.run.worker import check_workers, close_run, interrupt_run, name_of_run, runner_for

Emit = Callable[[Event], None]
Environment = Callable[[str], Mapping[str, str]]

_PATIENCE = 10.0
"""Seconds in which a server answers, or does not."""
_STARTUP = "180"
"""Seconds that the server which Prefect starts by itself may take until it answers."""
_KNOWN = {"reused": "Reused", "skipped": "Skipped"}


class FlowRun(Protocol):
    """Where tasks are submitted to."""

    def submit(self, task: Any, job: Job, before: Sequence[Any]) -> Any:
        """Submit a task that waits for others; a Prefect future."""

    @property
    def client(self) -> Any:
        """The client of the Dask cluster that tasks run on; None where they run in this process."""

    def end(self, state: str, told: str) -> None:
        """The run has ended, `done` or otherwise."""

    def close(self) -> None:
        """Wait until the flow has ended, if it is the runner's."""


class PrefectRunner:
    """Runs each job as a task.

    Args:
        slots: jobs at work at once at the most; None for one a core, or one on each thread of Dask's workers.
        at: the server, as `HOST:PORT`; empty for the one that Prefect's settings name, or that it starts by itself.
        flow: the flow run whose tasks they become; None to begin one.
        tasks: the tasks by stage; one is made for a stage that has none.
        before: the stages that each waits for.
        beside: a runner to share the flow run with.

    Raises:
        UsageError: Prefect is not installed, or no server answers.
    """

    def __init__(
        self,
        slots: int | None = None,
        at: str = "",
        *,
        flow: FlowRun | None = None,
        tasks: Mapping[str, Any] = frozen_map(),
        before: Mapping[str, Iterable[str]] = frozen_map(),
        beside: PrefectRunner | None = None,
    ) -> None:
        self._most = slots
        if beside is None:
            self._flow: FlowRun = flow or _OwnFlow(_address(at))
        else:
            self._flow = beside._flow
        self._owns = beside is None
        self._tasks = dict(tasks)
        self._before = before
        self._run: str = name_of_run(beside._run if beside else "")
        self._threads = ThreadPoolExecutor(4, "stagebook-prefect")
        self._last: dict[str, Any] = {}  # the last task of a stage
        self._made: dict[str, str] = {}  # the stage that has made a bundle
        self._under_way: set[Future[StageResult]] = set()
        self._seen: set[Any] = beside._seen if beside else set()
        self._interrupted = False

    @property
    def is_here(self) -> bool:
        """Whether kernels run on this machine."""
        return self._flow.client is None

    @property
    def slots(self) -> int:
        """Jobs at work at once."""
        threads = os.cpu_count() or 1
        if not self.is_here:
            workers = self._flow.client.scheduler_info(n_workers=-1)["workers"].values()
            threads = sum(int(one["nthreads"]) for one in workers)
            return max(min(threads, self._most or threads), 1)
        return self._most or threads

    def prepare(self, kernel: str, folder: str, preamble: Sequence[str], store: str, *, kernels: int) -> None:
        """Have kernels made ready, where they run here."""
        if self.is_here:
            with runner_for(self._run, self.slots) as runner:
                runner.prepare(kernel, folder, preamble, store, kernels=kernels)

    def check(self, folder: str, packages: Mapping[str, str], store: str) -> None:
        """See that the store can be written, and that stages come out the same on Dask's workers as here.

        Raises:
            UsageError: they would not.
            StoreError: it cannot be.
        """
        if self.is_here:
            check_written(store, self._seen)
        else:
            check_workers(self._flow.client, folder, packages, store, seen=self._seen)

    def submit(self, job: StageJob, emit: Emit, environment: Environment) -> Future[StageResult]:
        """Start a job. The future's result says what went wrong, also with a task that Prefect ended."""
        future: Future[StageResult] = Future()
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        self._threads.submit(self._begin, job, emit, environment, future)
        return future

    def hear(self, event: Event) -> None:
        """Show what has been decided: stages that need not run, and how the run has ended."""
        if isinstance(event, RunStarted) and isinstance(self._flow, _OwnFlow):
            self._flow.names(Path(event.notebook).stem, event.run, event.parameters)
        elif isinstance(event, StageFinished):
            for ref in event.result.outputs.values() if event.result is not None else ():
                self._made[ref.bundle] = event.stage
            if event.state in _KNOWN:
                known = Job(event.stage, self._run, known=_KNOWN[event.state], reason=event.reason)
                with suppress(Exception):  # it is shown, and no more than that
                    self._last[event.stage] = self._flow.submit(self._task(event.stage, 0), known, ())
        elif isinstance(event, RunFinished):
            failed = [f"{one.stage}: {one.reason}" for one in event.run.stages if one.state == "failed"]
            self._flow.end(event.run.state, "; ".join(failed))

    def share(self) -> PrefectRunner:
        """A runner for another run, whose tasks are of the same flow run."""
        return PrefectRunner(self._most, beside=self)

    def interrupt(self) -> None:
        """Interrupt every cell that runs."""
        self._interrupted = True
        interrupt_run(self._run)
        if not self.is_here:
            with suppress(Exception):  # there may be no worker left
                self._flow.client.run(interrupt_run, self._run, on_error="ignore")

    def close(self) -> None:
        """End the kernels, and the flow run if it is this runner's."""
        if any(not future.done() for future in self._under_way):
            self.interrupt()
        self._threads.shutdown(wait=True, cancel_futures=True)
        if not self.is_here:
            with suppress(Exception):  # what cannot be reached ends with its worker
                self._flow.client.run(close_run, self._run, on_error="ignore")
        close_run(self._run, wait=True)
        if self._owns:
            self._flow.close()

    def __enter__(self) -> PrefectRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, job: StageJob, emit: Emit, environment: Environment, future: Future[StageResult]) -> None:
        import cloudpickle

        try:
            if self._interrupted:
                future.set_result(interrupted(job.stage))
                return
            if job.session is not None and not self.is_here:
                told = "it goes on in a kernel that lives in one of Dask's workers, and Prefect sends it to any"
                raise UsageError(f"{told}. Use `--on dask`, or have its stages make what can be stored.")
            tries = 1 if job.session else job.retries + 1
            sent = Job(
                job.stage,
                self._run,
                cloudpickle.dumps(job),
                self.slots,
                dict(environment(job.stage)),
                uuid.uuid4().hex,
                tries,
            )
            hear(sent.ticket, emit)
            before = [self._last[name] for name in self._waits_for(job) if name in self._last]
            task = self._flow.submit(self._task(job.stage, tries - 1, job=job), sent, before)
            self._last[job.stage] = task
            task.wrapped_future.add_done_callback(lambda done: _end(future, done, sent))
        except StagebookError as error:
            future.set_result(_failed(job.stage, str(error)))
        except Exception as error:  # whatever the connection to Prefect's server may raise
            future.set_result(_failed(job.stage, f"Prefect does not take it ({type(error).__name__}: {error})"))

    def _waits_for(self, job: StageJob) -> list[str]:
        stages = self._before.get(job.stage)
        if stages is None:
            stages = {self._made[ref.bundle] for ref in job.inputs.values() if ref.bundle in self._made}
        return sorted(set(stages) - {job.stage})

    def _task(self, stage: str, retries: int, *, job: StageJob | None = None) -> Any:
        """The stage's task: the one that was given, else one that is made."""
        from prefect import task
        from prefect.cache_policies import NO_CACHE

        given = self._tasks.get(stage)
        if given is None:
            made = task(name=stage, task_run_name=stage, cache_policy=NO_CACHE, persist_result=False)(run_stage)
            given = self._tasks[stage] = made
            return made.with_options(retries=retries)
        return given.with_options(retries=0) if job is not None and job.session else given


def _end(future: Future[StageResult], done: Any, job: Job) -> None:
    """Give a job's result when its task is over."""
    try:
        result = taken(done.result(), job)
    except BaseException as error:  # what a task runner raises for a task that it lost is no exception of ours
        result = _failed(job.stage, f"Prefect gave its task up ({type(error).__name__}: {error})")
    if not future.done():
        future.set_result(result)


def _failed(stage: str, message: str) -> StageResult:
    return StageResult(stage, "failed", failure=Failure("KernelError", message))


class Within:
    """The flow run that goes on in this thread.

    Raises:
        UsageError: none goes on.
    """

    def __init__(self) -> None:
        from prefect.context import FlowRunContext

        running = FlowRunContext.get()
        if running is None:
            raise UsageError("Stages run as tasks of a flow: call this in a function that `@flow` stands above.")
        self._context = contextvars.copy_context()
        self._task_runner = running.task_runner

    def submit(self, task: Any, job: Job, before: Sequence[Any]) -> Any:
        """Submit a task, in any thread."""
        return self._context.copy().run(task.submit, job, wait_for=before or None)

    @property
    def client(self) -> Any:
        """Dask's, where that is the task runner."""
        return getattr(self._task_runner, "client", None)

    def end(self, state: str, told: str) -> None:
        """The flow's own function says how it ends."""

    def close(self) -> None:
        """It goes on."""


class _OwnFlow:
    """A flow run in a thread of its own, begun with the first task.

    Args:
        address: the server's API; empty for what Prefect's settings say.
    """

    client = None

    def __init__(self, address: str) -> None:
        self._address = address
        self._named: tuple[str, str, Mapping[str, Any]] = ("stages", "", {})
        self._ended: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
        self._last = ("interrupted", "it was left")
        self._within: Future[Within] = Future()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def names(self, flow: str, run: str, parameters: Mapping[str, Any]) -> None:
        """What it is called, if it has not begun."""
        self._named = (flow, run, parameters)

    def submit(self, task: Any, job: Job, before: Sequence[Any]) -> Any:
        """Submit a task, in any thread; the first one begins the flow run."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._go, name="stagebook-flow", daemon=True)
                self._thread.start()
        return self._within.result().submit(task, job, before)

    def end(self, state: str, told: str) -> None:
        """Note how the flow run is to end."""
        self._last = (state, told)

    def close(self) -> None:
        """End the flow run, if it was begun."""
        if self._thread is not None:
            self._ended.put(self._last)
            self._thread.join()

    def _go(self) -> None:
        from contextlib import ExitStack

        from prefect import flow
        from prefect.settings import PREFECT_API_URL, temporary_settings

        name, run, parameters = self._named
        for handler in logging.getLogger("prefect").handlers:  # who began the run hears of its stages already
            handler.addFilter(_is_no_stages)

        def stages(parameters: Mapping[str, Any]) -> Any:  # noqa: ARG001 - shown with the flow run
            self._within.set_result(Within())
            return _flow_state(*self._ended.get())

        with ExitStack() as stack:
            if self._address:
                stack.enter_context(temporary_settings({PREFECT_API_URL: self._address}))
            made = flow(name=name, flow_run_name=run or None, validate_parameters=False, persist_result=False)(stages)
            try:
                made(dict(parameters), return_state=True)
            except BaseException as error:  # whoever waits is told; what Prefect may raise is no exception of ours
                if not self._within.done():
                    told = f"no flow run can be begun ({type(error).__name__}: {error})"
                    self._within.set_exception(StagebookError(told))


def _is_no_stages(record: logging.LogRecord) -> bool:
    return not record.name.startswith("prefect.task_runs")


def _flow_state(state: str, told: str) -> Any:
    from prefect.states import Cancelled, Completed, Failed

    kinds = {"done": Completed, "interrupted": Cancelled}
    return kinds.get(state, Failed)(message=told or None)


def _address(at: str) -> str:
    """The API's address; a server that is named must answer.

    Raises:
        UsageError: Prefect is not installed, or it does not answer.
    """
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", _STARTUP)
    os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
    try:
        import httpx
        from prefect.settings import PREFECT_API_URL
    except ImportError:
        raise UsageError(
            "`--on prefect` takes Prefect, which is not installed. Install it: pip install 'stagebook[prefect]'"
        ) from None
    address = f"http://{at}/api" if at else PREFECT_API_URL.value() or ""
    if address:
        try:
            httpx.get(f"{address}/health", timeout=_PATIENCE).raise_for_status()
        except httpx.HTTPError as error:
            raise UsageError(
                f"No Prefect server answers at {address} ({type(error).__name__}). Start one (`prefect server start`), "
                "or name another with --on prefect://HOST:PORT or PREFECT_API_URL."
            ) from error
    return address if at else ""


runner = PrefectRunner
