"""Running one stage job in a kernel: preamble, inputs, cells, outputs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from itertools import starmap
from typing import Any

from stagebook.errors import KernelError
from stagebook.events import CellFinished, CellPrinted, CellStarted, Event, Notice
from stagebook.model import Foreach, frozen_map
from stagebook.run.clock import Clock
from stagebook.run.heard import Heard
from stagebook.run.job import OUTSIDE, CellRecord, Failure, JobCell, Phase, StageJob, StageResult
from stagebook.run.kernels import CellFailedError
from stagebook.run.masking import Veil
from stagebook.run.prepared import Prepared
from stagebook.run.put_out import dropped_lines, failing_line
from stagebook.store.values import ValueRef

Emit = Callable[[Event], None]

_MOST = 5
"""Entries that a notice names."""

_BY_NAME = re.compile(r"\b(import_module|__import__|sys\.modules|runpy|exec|eval)\b")
"""Ways to a module without an `import` statement."""


async def run_stage(job: StageJob, prepared: Prepared, emit: Emit, *, clock: Clock) -> StageResult:
    """Run a job in a kernel. What the user's code does wrong ends up in the result; nothing is raised for it.

    What cells have put out of secret parameters is masked in the result.

    Args:
        job: the job.
        prepared: its kernel. One that has been used before is set up already; an earlier stage has left values in it
            that cannot be stored.
        emit: told of each cell.
        clock: what the stage took until now; it goes on.
    """
    visit = _Visit(job, prepared, emit, clock)
    started, begun = datetime.now(timezone.utc).isoformat(), time.perf_counter()
    try:
        result = await visit.run()
    except CellFailedError as error:
        prepared.cells.append(error.record)
        result = await visit.failed(_state(error), _failure(job, error))
    except KernelError as error:
        result = StageResult(job.stage, "failed", failure=Failure(error.cause, str(error)))
    duration = round(time.perf_counter() - begun, 4)
    widgets = frozen_map(prepared.kernel.widgets(prepared.cells))
    phases = tuple(starmap(Phase, clock.take()))
    cells = tuple(prepared.cells)
    result = replace(result, cells=cells, phases=phases, widgets=widgets, started=started, duration=duration)
    return Veil(visit.secrets).result(result)


class _Visit:
    def __init__(self, job: StageJob, prepared: Prepared, emit: Emit, clock: Clock) -> None:
        self.job = job
        self.prepared = prepared
        self.emit = emit
        self.clock = clock
        self.secrets = {text for texts in job.secrets.values() for text in texts}

    async def run(self) -> StageResult:
        job, prepared = self.job, self.prepared
        deadline = None if job.timeout is None else time.monotonic() + job.timeout
        if not prepared.is_set_up:
            with self.clock.phase("imports"):
                await prepared.set_up()
        await self._note_secrets()
        began = await prepared.call("begin", _begin(job, prepared), before=job.cells)
        self.clock.extend(began["phases"])
        if began["decided"]:
            return StageResult(job.stage, "skipped", decided=began["decided"], **_outside(began))
        if job.scatter is not None:
            return await self._scatter(job.scatter)
        with self.clock.phase("compute"):
            for position, cell in enumerate(job.cells, start=1):
                self.emit(CellStarted(job.stage, cell.number, position, len(job.cells)))
                record = await self._run(cell, deadline)
                self.emit(CellFinished(job.stage, cell.number, record.duration))
            if job.closing is not None and job.cells:
                await self._close(job.closing, deadline)
        if job.is_test:
            return StageResult(job.stage, "done")
        finish = {"store": job.store, "outputs": job.outputs, "metrics": job.metrics, "writes": job.writes}
        report = await prepared.call("finish", {**finish, "watched": job.watched})
        self.clock.extend(report["phases"])
        if report["left_out"]:
            self.emit(Notice(_left_out(report["left_out"]), job.stage))
        return result_of(job, report)

    async def _run(self, cell: JobCell, deadline: float | None) -> CellRecord:
        """Run a cell of the stage, and tell what it prints meanwhile."""
        veil = Veil(self.secrets)
        heard = Heard(lambda text: self.emit(CellPrinted(self.job.stage, cell.number, veil.text(text))))
        try:
            return await self.prepared.run(cell, deadline=deadline, heard=heard)
        finally:
            heard.close()

    async def _close(self, code: str, deadline: float | None) -> None:
        """Run what comes after the cells; what it puts out is put out by the last of them."""
        last = self.prepared.cells[-1]
        record = await self.prepared.run(JobCell(last.number, code, last.code), deadline=deadline)
        whole = replace(last, outputs=[*last.outputs, *record.outputs], duration=last.duration + record.duration)
        self.prepared.cells[-2:] = [whole]

    async def failed(self, state: Any, failure: Failure) -> StageResult:
        """The result of a stage whose code failed; with what it met, since an earlier stage may change that yet."""
        result = StageResult(self.job.stage, state, failure=failure)
        if state == "interrupted" or failure.name in ("DeadKernel", "Timeout"):
            return result
        with suppress(KernelError):
            await self._note_secrets()  # the code may have read them from somewhere
        if self.job.is_test:
            return replace(result, failure=await self._located(failure))
        try:
            report = await self.prepared.call("failed", {"writes": self.job.writes})
        except KernelError:  # it failed before it came so far
            return result
        return replace(result, used=frozenset(report["used"]), **_outside(report))

    async def _located(self, failure: Failure) -> Failure:
        """The failure of a cell, with the line that raised."""
        try:
            found = await self.prepared.call("raised", {})
        except KernelError:
            return failure
        sources = {cell.number: cell.source for cell in (*self.job.preamble, *self.job.cells)}
        line = found["line"] + dropped_lines(sources.get(failure.cell, "")) if found["line"] else 0
        return replace(failure, line=line, trail=tuple(found["trail"]))

    async def _note_secrets(self) -> None:
        """Ask what secret parameters are in the kernel, whose code may have read them from the environment."""
        if self.job.secrets:
            found = await self.prepared.call("secrets", {"names": list(self.job.secrets)})
            self.secrets.update(found["texts"])

    async def _scatter(self, mapping: Foreach) -> StageResult:
        job = self.job
        asked = {"store": job.store, "item": mapping.item, "source": mapping.source}
        report = await self.prepared.call("scatter", asked)
        failure = None
        if report["unstorable"]:
            name, kind = next(iter(report["unstorable"].items()))
            message = f"the element `{name}` ({kind}) cannot be stored, so that it cannot go to a kernel of its own."
            failure = Failure("TypeError", message, _first(job), "Take `foreach` off, and loop in the stage's code.")
        elements = tuple(ValueRef.from_json(ref) for ref in report["elements"])
        state: Any = "done" if failure is None else "failed"
        return StageResult(job.stage, state, elements=elements, failure=failure, **_outside(report))


def _begin(job: StageJob, prepared: Prepared) -> dict[str, Any]:
    return {
        "store": job.store,
        "inputs": {name: ref.to_json() for name, ref in job.inputs.items()},
        "mates": {name: ref.to_json() for name, ref in job.mates.items()},
        "held": job.held,
        "watched": job.watched,
        "files": job.files,
        "code": importing_code(job),
        "environment": dict(prepared.setup.environment),
        "continues": prepared.continues,
        "when": job.when,
        "secrets": list(job.secrets),
        "explain": job.is_test,
    }


def importing_code(job: StageJob) -> list[str]:
    """The code in which to look for imports; none where the stage may come to modules in other ways."""
    own = [cell.source for cell in job.cells]
    return [] if any(map(_BY_NAME.search, own)) else [*(cell.source for cell in job.preamble), *own]


def result_of(job: StageJob, report: dict[str, Any]) -> StageResult:
    """What came of a job, by what its kernel reports when the cells are done."""
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
        used=frozenset(report["used"]),
        tied=frozen_map({name: ValueRef.from_json(ref) for name, ref in report["tied"].items()}),
        metrics=frozen_map(report["metrics"]),
        series=frozen_map(report["series"]),
        memory=report["memory"],
        failure=failure,
        **_outside(report),
    )


def _left_out(entries: Mapping[str, str]) -> str:
    """That entries of dicts are no metrics: `metric `scores.name` is a text: not recorded`."""
    told = [f"`{name}` is {kind}" for name, kind in entries.items()]
    more = f", and {len(told) - _MOST} more" if len(told) > _MOST else ""
    return f"metric{'s' if len(told) > 1 else ''} {', '.join(told[:_MOST])}{more}: not recorded."


def _outside(report: Mapping[str, Any]) -> dict[str, Any]:
    """What the stage read and left outside of its names."""
    return {"extended": frozenset(report["extended"]), **{part: frozen_map(report[part]) for part in OUTSIDE}}


def _first(job: StageJob) -> int:
    return job.cells[0].number if job.cells else 0


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
    is_theirs = cell in (*job.preamble, *job.cells)  # else it is `closing`
    line = failing_line(error.record.outputs, cell.source) if is_theirs else 0
    return Failure(error.name, error.message, cell.number, line=line)
