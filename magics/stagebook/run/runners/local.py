"""Kernels on this machine, all attended to by one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType

from stagebook.run.job import StageJob, StageResult
from stagebook.run.kernels import Kernel
from stagebook.run.stage import Emit, run_stage

Environment = Callable[[str], Mapping[str, str]]

_GRACE = 5.0
"""Seconds a cell has to react to an interrupt before its kernel is stopped."""


class LocalRunner:
    """Runs each job in a kernel of its own, `slots` at a time.

    Args:
        slots: kernels at work at once; the number of cores where it is None.
    """

    def __init__(self, slots: int | None = None) -> None:
        self.slots = slots or os.cpu_count() or 1
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stagebook-kernels", daemon=True)
        self._thread.start()
        self._working: set[Kernel] = set()
        self._sessions: dict[str, Kernel] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._interrupted = False

    def submit(self, job: StageJob, emit: Emit, environment: Environment) -> Future[StageResult]:
        """Start a job. The future's result says what went wrong; it raises only for a kernel that cannot be had."""
        return asyncio.run_coroutine_threadsafe(self._attempts(job, emit, environment), self._loop)

    def interrupt(self) -> None:
        """Interrupt every cell that runs; kernels that do not react within five seconds are stopped."""
        self._interrupted = True
        asyncio.run_coroutine_threadsafe(self._interrupt(), self._loop)

    def close(self) -> None:
        """Stop all kernels and the thread."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
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
        result = await self._attempt(job, emit, environment)
        for _ in range(0 if job.session else job.retries):  # what lives in a kernel can be had only once
            if result.state != "failed" or self._interrupted:
                break
            result = await self._attempt(job, emit, environment)
        return result

    async def _attempt(self, job: StageJob, emit: Emit, environment: Environment) -> StageResult:
        continues = job.session in self._sessions
        kernel = self._sessions[job.session] if continues and job.session else None
        if kernel is None:
            starting = Kernel.start(job.kernel, folder=job.folder)
            variables = self._loop.run_in_executor(None, environment, job.stage)
            kernel = await starting
            self._working.add(kernel)
            if self._interrupted:
                await kernel.interrupt()  # it was starting when the others were interrupted
        else:
            self._working.add(kernel)
            variables = self._loop.run_in_executor(None, environment, job.stage)
        keep = False
        try:
            result = await run_stage(job, kernel, emit, environment=await variables, continues=continues)
            keep = result.state == "done" and any(name in job.required for name in result.unstorable)
        finally:
            self._working.discard(kernel)
            if not continues:
                await self._release(job.stage)
                if keep:
                    self._sessions[job.stage] = kernel
                else:
                    self._ending.add(self._loop.create_task(kernel.stop(gently=not self._interrupted)))
        return result

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
        await asyncio.gather(*(kernel.stop(gently=not self._interrupted) for kernel in kernels), *self._ending)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


runner = LocalRunner
