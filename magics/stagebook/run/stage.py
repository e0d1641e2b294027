"""Running one stage job in a kernel: preamble, inputs, cells, outputs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from stagebook.errors import KernelError
from stagebook.events import CellFinished, CellStarted, Event
from stagebook.model import frozen_map
from stagebook.run.job import CellRecord, Failure, JobCell, StageJob, StageResult
from stagebook.run.kernels import CellFailedError, Kernel
from stagebook.store.values import ValueRef

Emit = Callable[[Event], None]

_INSIDE = "stagebook.run.inside"


async def run_stage(
    job: StageJob, kernel: Kernel, emit: Emit, *, environment: Mapping[str, str], continues: bool
) -> StageResult:
    """Run a job in a kernel. What the user's code does wrong ends up in the result; nothing is raised for it.

    Args:
        job: the job.
        kernel: a fresh kernel, or, if `continues`, one in which an earlier stage left values that cannot be stored.
        emit: told of each cell.
        environment: variables to set before the stage's cells.
        continues: whether the preamble has run there already.
    """
    visit = _Visit(job, kernel, emit)
    started, clock = datetime.now(timezone.utc).isoformat(), time.perf_counter()
    try:
        result = await visit.run(environment, continues=continues)
    except CellFailedError as error:
        visit.cells.append(error.record)
        result = StageResult(job.stage, _state(error), failure=_failure(job, error))
    except KernelError as error:
        result = StageResult(job.stage, "failed", failure=Failure(error.cause, str(error)))
    duration = round(time.perf_counter() - clock, 4)
    return replace(result, cells=tuple(visit.cells), started=started, duration=duration)


class _Visit:
    def __init__(self, job: StageJob, kernel: Kernel, emit: Emit) -> None:
        self.job = job
        self.kernel = kernel
        self.emit = emit
        self.cells: list[CellRecord] = []

    async def run(self, environment: Mapping[str, str], *, continues: bool) -> StageResult:
        job = self.job
        deadline = None if job.timeout is None else time.monotonic() + job.timeout
        if not continues:
            for cell in job.preamble:
                self.cells.append(await self._run(cell))
        await self.kernel.call(f"{_INSIDE}:begin", _begin(job, environment, continues=continues))
        for position, cell in enumerate(job.cells, start=1):
            self.emit(CellStarted(job.stage, cell.number, position, len(job.cells)))
            record = await self._run(cell, deadline=deadline)
            self.emit(CellFinished(job.stage, cell.number, record.duration))
        return _result(job, json.loads(await self.kernel.call(f"{_INSIDE}:finish", _finish(job))))

    async def _run(self, cell: JobCell, *, deadline: float | None = None) -> CellRecord:
        """Run a cell under its number in the notebook, so that its traceback says `In[number]`."""
        if cell.number:
            await self.kernel.call(f"{_INSIDE}:number", str(cell.number))
        record = await self.kernel.run(cell, deadline=deadline)
        self.cells.append(record)
        return record


def _begin(job: StageJob, environment: Mapping[str, str], *, continues: bool) -> str:
    return json.dumps(
        {
            "store": job.store,
            "inputs": {name: ref.to_json() for name, ref in job.inputs.items()},
            "mates": {name: ref.to_json() for name, ref in job.mates.items()},
            "held": job.held,
            "watched": job.watched,
            "files": job.files,
            "environment": dict(environment),
            "continues": continues,
        }
    )


def _finish(job: StageJob) -> str:
    return json.dumps({"store": job.store, "outputs": job.outputs, "metrics": job.metrics, "writes": job.writes})


def _result(job: StageJob, report: dict[str, Any]) -> StageResult:
    failure = None
    missing = sorted(path for path, digest in report["written"].items() if digest is None)
    if missing:
        message = f"the stage was to write {', '.join(missing)}, and did not."
        failure = Failure("FileNotFoundError", message, _last(job), "Correct `writes`, or write the file.")
    elif report["no_number"]:
        message = f"the metric `{report['no_number'][0]}` is no number, nor a dict of numbers."
        failure = Failure("TypeError", message, _last(job), "Correct `metrics`, or convert it with float().")
    return StageResult(
        job.stage,
        "done" if failure is None else "failed",
        asked=job.outputs,
        outputs=frozen_map({name: ValueRef.from_json(ref) for name, ref in report["outputs"].items()}),
        unstorable=frozen_map(report["unstorable"]),
        changed=frozenset(report["changed"]),
        metrics=frozen_map(report["metrics"]),
        files=frozen_map(report["files"]),
        written=frozen_map(report["written"]),
        failure=failure,
    )


def _last(job: StageJob) -> int:
    return job.cells[-1].number if job.cells else 0


def _state(error: CellFailedError) -> Any:
    return "interrupted" if error.name == "KeyboardInterrupt" else "failed"


def _failure(job: StageJob, error: CellFailedError) -> Failure:
    cell: JobCell = error.cell
    if error.name == "Timeout":
        message = f"stage `{job.stage}` took longer than its timeout of {job.timeout:g} s."
        return Failure("Timeout", message, cell.number, "Raise `timeout`, or make the cell faster.")
    if error.name == "DeadKernel":
        remedy = "The cell ended the process, or it ran out of memory."
        return Failure("DeadKernel", f"{error.message}.", cell.number, remedy)
    return Failure(error.name, error.message, cell.number)
