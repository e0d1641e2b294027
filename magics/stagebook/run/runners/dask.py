"""Workers of a Dask cluster: one that runs somewhere, or one of this machine that is started for the run.

A job is a task. It names the tasks whose values it takes, and these say how much they have stored, so that Dask's own
rules place it where they are; a worker that is lost has its tasks run again elsewhere.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any

from stagebook.errors import KernelError, StagebookError, UsageError
from stagebook.events import Event, Notice, event_from_json
from stagebook.run.job import Failure, StageJob, StageResult
from stagebook.run.patience import within
from stagebook.run.worker import (
    BEGUN,
    Outcome,
    check_workers,
    close_run,
    free_threads,
    interrupt_run,
    name_of_run,
    run_job,
)

Emit = Callable[[Event], None]
Environment = Callable[[str], Mapping[str, str]]

_PATIENCE = 10.0
"""Seconds in which a scheduler answers, or does not."""
_LATE = 5.0
"""Seconds that events may take longer than the result that they came before."""
_FRESH = 1.0
"""Seconds for which what is known of the cluster is taken to be so."""


class DaskRunner:
    """Runs each job in a kernel on one of a cluster's workers.

    Args:
        slots: jobs at work at once at the most; None for one on each of the workers' threads.
        at: the scheduler, as `HOST:PORT` or `tls://HOST:PORT`; empty to start a cluster on this machine.
        beside: a runner to share the cluster with.

    Raises:
        UsageError: Dask is not installed, or there is no scheduler.
    """

    is_here = False

    def __init__(self, slots: int | None = None, at: str = "", *, beside: DaskRunner | None = None) -> None:
        self._most = slots
        if beside is None:
            self._client = _client(at, slots)
        else:
            self._client = beside._client
        self._owns = beside is None
        self._run: str = name_of_run(beside._run if beside else "")
        self._threads = ThreadPoolExecutor(4, "stagebook-dask")
        self._followed: dict[str, _Followed] = {}
        self._made: dict[str, Any] = {}  # the task that has made a bundle
        self._kept: dict[str, str] = {}  # the worker that a stage's kernel is kept on
        self._known: tuple[float, Mapping[str, Any]] = (0.0, {})
        self._lock = threading.Lock()
        self._seen: set[Any] = beside._seen if beside else set()
        self._interrupted = False
        self._client.subscribe_topic(self._run, self._hear)

    @property
    def slots(self) -> int:
        """Jobs at work at once: one on each thread that there is now."""
        threads = sum(int(one["nthreads"]) for one in self._workers().values())
        return max(min(threads, self._most or threads), 1)

    def prepare(self, kernel: str, folder: str, preamble: Sequence[str], store: str, *, kernels: int) -> None:
        """Kernels are made ready where a first job has come."""

    def submit(self, job: StageJob, emit: Emit, environment: Environment) -> Future[StageResult]:
        """Start a job. The future's result says what went wrong, also with a cluster that cannot be had."""
        followed = _Followed(job.stage, emit, self._take)
        self._threads.submit(self._begin, job, followed, environment)
        return followed.future

    def share(self) -> DaskRunner:
        """A runner for another run on the same cluster."""
        return DaskRunner(self._most, beside=self)

    def interrupt(self) -> None:
        """Interrupt every cell that runs; jobs that wait for a worker end, too."""
        self._interrupted = True
        with suppress(Exception):  # there may be no worker left
            self._client.run(interrupt_run, self._run, on_error="ignore")
        for followed in list(self._followed.values()):
            followed.give_up(_LATE + _PATIENCE)

    def close(self) -> None:
        """End the kernels, and the cluster if it is this runner's."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._made.clear()
        with suppress(Exception):  # what cannot be reached ends with its worker
            self._client.unsubscribe_topic(self._run)
            self._client.run(close_run, self._run, on_error="ignore")
        if self._owns:
            cluster = self._client.cluster
            self._client.close()
            if cluster is not None:
                cluster.close()

    def __enter__(self) -> DaskRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def hear(self, event: Event) -> None:
        """Dask shows its tasks by itself."""

    def check(self, folder: str, packages: Mapping[str, str], store: str) -> None:
        """See that stages come out the same there as here, and find the same store.

        Args:
            folder: the notebook's.
            packages: what the notebook imports, with versions.
            store: its location.

        Raises:
            UsageError: workers have other versions, another key, or do not see the notebook's folder or the store.
            StoreError: the store cannot be written here.
        """
        check_workers(self._client, folder, packages, store, seen=self._seen)

    def _begin(self, job: StageJob, followed: _Followed, environment: Environment) -> None:
        import cloudpickle

        try:
            if self._interrupted:
                followed.end(StageResult(job.stage, "interrupted", failure=Failure("KeyboardInterrupt", "")))
                return
            name = f"{job.stage}-{uuid.uuid4().hex}"
            self._followed[name] = followed
            followed.future.add_done_callback(lambda _: self._followed.pop(name, None))
            variables = dict(environment(job.stage))
            bundles = {ref.bundle for ref in job.inputs.values()}
            with self._lock:
                before = [self._made[bundle] for bundle in sorted(bundles & self._made.keys())]
            task = self._client.submit(
                *(run_job, cloudpickle.dumps(job), variables, self._run, name, list(dict.fromkeys(before))),
                key=name,
                pure=False,
                resources=self._resources(job),
                workers=self._workers_for(job),
            )
            task.add_done_callback(followed.over)
        except StagebookError as error:
            followed.end(_failed(job.stage, str(error)))
        except Exception as error:  # whatever the cluster's connection may raise
            followed.end(_failed(job.stage, f"the cluster does not answer ({error})"))

    def _resources(self, job: StageJob) -> dict[str, float] | None:
        """What the job asks for of what workers say that they have.

        Raises:
            KernelError: no worker has it, so that it would wait for ever.
        """
        wanted = dict(job.resources)
        there = [one.get("resources", {}) for one in self._workers().values()]
        asked = {}
        for name, amount in wanted.items():
            called = next((one for have in there for one in have if one.lower() == name.lower()), None)
            if called is not None:
                if not any(have.get(called, 0) >= amount for have in there):
                    raise KernelError(
                        f"no worker has {amount:g} of `{called}`. Ask for less, or start one that has: "
                        f'dask worker ... --resources "{called}={amount:g}".'
                    )
                asked[called] = amount
            elif name not in ("cores", "memory"):
                raise KernelError(
                    f'no worker has `{name}`. Start one that has: dask worker ... --resources "{name}={amount:g}".'
                )
        return asked or None

    def _workers_for(self, job: StageJob) -> list[str] | None:
        """The worker that keeps the kernel the job goes on in; None for any."""
        kept = self._kept.get(job.session) if job.session is not None else None
        return [kept] if kept is not None and kept in self._workers() else None

    def _workers(self) -> Mapping[str, Any]:
        since, known = self._known
        if time.monotonic() > since + _FRESH:
            known = self._client.scheduler_info(n_workers=-1)["workers"]
            self._known = (time.monotonic(), known)
        return known

    def _hear(self, told: tuple[float, Mapping[str, Any]]) -> None:
        """Take an event that a worker has told."""
        followed = self._followed.get(told[1]["task"])
        if followed is not None:
            followed.hear(told[1]["told"])

    def _take(self, task: Any, outcome: Outcome, result: StageResult) -> None:
        """Note where a result's values are."""
        with self._lock:
            for ref in result.outputs.values():
                self._made[ref.bundle] = task
            self._kept[result.stage] = outcome.worker


class _Followed:
    """A job under way: its events and its result are put together again, as they come by different ways."""

    def __init__(self, stage: str, emit: Emit, take: Callable[[Any, Outcome, StageResult], None]) -> None:
        self.future: Future[StageResult] = Future()
        self._stage = stage
        self._emit = emit
        self._take = take
        self._heard = 0
        self._begun = 0
        self._told: int | None = None
        self._result: StageResult | None = None
        self._lock = threading.RLock()

    def hear(self, told: Mapping[str, Any]) -> None:
        """Pass an event on."""
        with self._lock:
            if told["event"] == BEGUN:
                self._begin(told["at"])
            elif not self.future.done():
                self._emit(event_from_json(told))
            self._heard += 1
            self._end_if_all_is_there()

    def _begin(self, worker: str) -> None:
        self._begun += 1
        self._heard = 0
        if self._begun > 1:
            self._emit(Notice(f"`{self._stage}` runs again on {worker}: its worker was lost.", self._stage))

    def over(self, task: Any) -> None:
        """The task has come to its end."""
        import cloudpickle

        try:
            outcome: Outcome = task.result()
        except BaseException as error:  # what a cluster can do to a task is no exception of ours, nor always one
            self.end(_failed(self._stage, f"the cluster gave it up ({type(error).__name__}: {error})"))
            return
        result: StageResult = cloudpickle.loads(outcome.result)
        with self._lock:
            self._take(task, outcome, result)
            self._told, self._result = outcome.told, result
            self._end_if_all_is_there()
        if not self.future.done():
            self._later(_LATE, lambda: self.end(result))

    def give_up(self, seconds: float) -> None:
        """If nothing has come by then, it was interrupted."""
        interrupted = StageResult(self._stage, "interrupted", failure=Failure("KeyboardInterrupt", ""))
        self._later(seconds, lambda: self.end(interrupted))

    def end(self, result: StageResult) -> None:
        """Give the result, unless there is one."""
        with self._lock:
            if not self.future.done():
                self.future.set_result(result)

    def _end_if_all_is_there(self) -> None:
        if self._result is not None and self._told is not None and self._heard >= self._told:
            self.end(self._result)

    @staticmethod
    def _later(seconds: float, call: Callable[[], None]) -> None:
        timer = threading.Timer(seconds, call)
        timer.daemon = True
        timer.start()


def _failed(stage: str, message: str) -> StageResult:
    return StageResult(stage, "failed", failure=Failure("KernelError", message))


def _client(at: str, slots: int | None) -> Any:
    """A connection to the scheduler, or to a cluster that is started here.

    Raises:
        UsageError: Dask is not installed, or there is no scheduler.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        raise UsageError(
            "`--on dask` takes Dask, which is not installed. Install it: pip install 'stagebook[dask]'"
        ) from None
    if at:
        try:
            make = partial(Client, _address(at), timeout=_PATIENCE, set_as_default=False)
            return within(_PATIENCE + _LATE, make)  # its own time-out does not count once a connection is there
        except (OSError, ValueError, asyncio.TimeoutError) as error:  # the last is no OSError before Python 3.11
            raise UsageError(
                f"No Dask scheduler answers at {at}: {error}. Start one (`dask scheduler`), and workers for it "
                f"(`dask worker {at}`)."
            ) from error
    workers = slots or os.cpu_count() or 1
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs="ERROR",
        host="127.0.0.1",
        scheduler_kwargs={"dashboard_address": "127.0.0.1:0"},  # it listens even so; where others do, it would warn
    )
    free_threads()  # it sets them here, too, for the processes that it starts
    return Client(cluster, set_as_default=False)


def _address(at: str) -> str:
    """The scheduler's address, which Dask's configuration lets one call; a client that may not could not be closed.

    Raises:
        UsageError: it is none, or the configuration asks for encryption, or lacks what that takes.
        OSError: a file that the configuration names is not there, or holds no certificate or key.
    """
    from distributed.security import Security

    address = at if "://" in at else f"tcp://{at}"
    arguments = Security().get_connection_args("client")
    if address.startswith("tcp://"):
        if arguments["require_encryption"]:
            raise UsageError(f"Dask's configuration asks for encryption. Write --on dask://tls://{address[6:]}.")
    elif not address.startswith("tls://"):
        raise UsageError(f"`{at}` is no place of a Dask scheduler: write HOST:PORT, or tls://HOST:PORT.")
    elif arguments["ssl_context"] is None:
        remedy = "Name them under distributed.comm.tls: ca-file, client.cert, client.key."
        raise UsageError(f"Dask's configuration names no certificates for {address}. {remedy}")
    return address


runner = DaskRunner
