"""Kernels on this machine, all attended to by one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any

from stagebook.book.hidden import is_process
from stagebook.errors import KernelError
from stagebook.events import Event, Notice
from stagebook.run.asserting import EARLY
from stagebook.run.clock import Clock
from stagebook.run.job import Failure, StageJob, StageResult
from stagebook.run.kernels import Kernel, kernel_environment, remove_old_folders
from stagebook.run.prepared import Prepared, Setup
from stagebook.run.probe import check_written
from stagebook.run.ready import Ready
from stagebook.run.reasons import one_line
from stagebook.run.stage import Emit, run_stage
from stagebook.run.warm.pool import Pool
from stagebook.run.warm.pools import Pools
from stagebook.store.remote import opening

Environment = Callable[[str], Mapping[str, str]]

_GRACE = 5.0
"""Seconds a cell has to react to an interrupt before its kernel is stopped."""


class LocalRunner:
    """Runs each job in a kernel of its own, `slots` at a time.

    Args:
        slots: kernels at work at once; the number of cores where it is None.
        beside: a runner to share slots and thread with.
    """

    is_here = True

    def __init__(self, slots: int | None = None, *, beside: LocalRunner | None = None) -> None:
        self.slots = slots or os.cpu_count() or 1
        self._free: asyncio.Semaphore = beside._free if beside else asyncio.Semaphore(self.slots)
        self._loop: asyncio.AbstractEventLoop = beside._loop if beside else asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        if beside is None:
            remove_old_folders()
            self._thread = threading.Thread(target=self._loop.run_forever, name="stagebook-kernels", daemon=True)
            self._thread.start()
        self._jobs: set[asyncio.Task[Any]] = set()
        self._expected = 0  # jobs that were announced, and for which the pool has kernels in view
        self._working: set[Kernel] = set()
        self._sessions: dict[str, Kernel] = {}
        spare = max(self.slots // 2, 1)  # each takes memory while it waits
        self._pools: Pools = beside._pools if beside else Pools(kernel_environment(), spare=spare)
        self._ready: Ready = beside._ready if beside else Ready(spare)
        self._ending: set[asyncio.Task[None]] = set()
        self._seen: set[str] = beside._seen if beside else set()
        self._interrupted = False

    def submit(self, job: StageJob, emit: Emit, environment: Environment) -> Future[StageResult]:
        """Start a job. The future's result says what went wrong, also with a kernel that cannot be had."""
        return asyncio.run_coroutine_threadsafe(self._attempts(job, emit, environment), self._loop)

    def hear(self, event: Event) -> None:
        """Nobody is shown anything here."""

    def check(self, folder: str, packages: Mapping[str, str], store: str) -> None:  # noqa: ARG002 - the same here
        """See that the store can be written; nothing else is other here than it is here.

        Raises:
            StoreError: it cannot be.
        """
        check_written(store, self._seen)

    def prepare(self, kernel: str, folder: str, preamble: Sequence[str], store: str, *, kernels: int) -> None:
        """So many jobs are going to be submitted at least, in whose kernels these cells run first: make some ready."""
        sources = [*opening(store), *preamble]

        def expect() -> None:
            pool = self._pools.of(kernel, folder, sources)
            if pool is not None:
                self._expected += kernels
                pool.expect(kernels)

        self._loop.call_soon_threadsafe(expect)

    def share(self) -> LocalRunner:
        """A runner for another run: `slots` kernels are at work in both together, all else is its own."""
        return LocalRunner(self.slots, beside=self)

    def interrupt(self) -> None:
        """Interrupt every cell that runs; kernels that do not react within five seconds are stopped."""
        self._interrupted = True
        asyncio.run_coroutine_threadsafe(self._interrupt(), self._loop)

    def close(self) -> None:
        """Stop all kernels, and the thread if it is this runner's."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    def __enter__(self) -> LocalRunner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def _attempts(self, job: StageJob, emit: Emit, environment: Environment) -> StageResult:
        """Run a job when a slot is free. A kernel that is kept takes none while no job goes on in it."""
        task = asyncio.current_task()
        assert task is not None, "a coroutine runs in a task"
        self._jobs.add(task)
        self._expect(job)
        try:
            async with self._free:
                if self._interrupted:
                    return StageResult(job.stage, "interrupted", failure=Failure("KeyboardInterrupt", ""))
                return await self._attempts_in_slot(job, emit, environment)
        finally:
            self._jobs.discard(task)

    def _expect(self, job: StageJob) -> None:
        """Have a kernel in view for a job that may have to wait for a slot."""
        pool = self._pool(job) if job.session is None else None
        if self._expected:
            self._expected -= 1
        elif pool is not None:
            pool.expect(1)

    def _pool(self, job: StageJob) -> Pool | None:
        sources = [*opening(job.store), *([EARLY] if job.is_test else []), *(cell.source for cell in job.preamble)]
        return self._pools.of(job.kernel, job.folder, sources)

    async def _attempts_in_slot(self, job: StageJob, emit: Emit, environment: Environment) -> StageResult:
        result = await self._attempt(job, emit, environment)
        tries = 1 if job.session else job.retries + 1  # what lives in a kernel can be had only once
        for number in range(2, tries + 1):
            if result.state != "failed" or self._interrupted:
                break
            cause = one_line(str(result.failure))
            emit(Notice(f"`{job.stage}` failed ({cause}): try {number} of {tries}.", job.stage))
            result = await self._attempt(job, emit, environment)
        return result

    async def _attempt(self, job: StageJob, emit: Emit, environment: Environment) -> StageResult:
        try:
            return await self._attempt_in_kernel(job, emit, environment)
        except KernelError as error:
            return StageResult(job.stage, "failed", failure=Failure(type(error).__name__, str(error)))

    async def _attempt_in_kernel(self, job: StageJob, emit: Emit, environment: Environment) -> StageResult:
        clock = Clock()
        with clock.phase("start"):
            prepared = await self._prepared(job, await self._loop.run_in_executor(None, environment, job.stage))
        kernel = prepared.kernel
        self._working.add(kernel)
        if self._interrupted:
            await kernel.interrupt()  # it was starting when the others were interrupted
        keep = False
        try:
            result = await run_stage(job, prepared, emit, clock=clock)
            left = [name for name in result.unstorable if name in job.required or is_process(name)]
            keep = result.state == "done" and bool(left)
        finally:
            self._working.discard(kernel)
            if not prepared.continues:
                await self._release(job.stage)
                if keep:
                    self._sessions[job.stage] = kernel
                else:
                    self._ending.add(self._loop.create_task(kernel.stop(gently=not self._interrupted)))
        return result

    async def _prepared(self, job: StageJob, environment: Mapping[str, str]) -> Prepared:
        """A kernel for a job: one that an earlier stage has left for it, one that is ready, or a new one."""
        setup, pool = Setup.of(job, environment), self._pool(job)
        if job.session in self._sessions:
            return Prepared(self._sessions[job.session], setup, continues=True)
        prepared = await self._ready.take(setup)
        if prepared is None:
            prepared = Prepared(await Kernel.start(job.kernel, folder=job.folder, pool=pool), setup)
        waiting = len(self._jobs) - len(self._working) - 1
        self._ready.expect(self, setup, pool, kernels=self._expected + waiting)
        return prepared

    async def _interrupt(self) -> None:
        waiting = set(self._working)
        for kernel in waiting:
            await kernel.interrupt()
        await asyncio.sleep(_GRACE)
        for kernel in waiting & self._working:
            await kernel.kill()

    async def _release(self, session: str) -> None:
        kernel = self._sessions.pop(session, None)
        if kernel is not None:
            await kernel.stop(gently=True)

    async def _end(self) -> None:
        """Stop every kernel and see every task out."""
        kernels = {*self._working, *self._sessions.values()}
        stopped = (kernel.stop(gently=not self._interrupted) for kernel in kernels)
        await asyncio.gather(*stopped, *self._ending, self._ready.drop(self))
        if self._thread is not None:
            await self._pools.close()
        others = {*self._jobs} if self._thread is None else asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


runner = LocalRunner
