"""Having a run recorded: what there is to say of it is kept, and said by another process.

That is when the run is over, and every half minute while it goes on. Only a stage whose code calls MLflow itself needs
its run in MLflow right away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from stagebook.errors import StoreError
from stagebook.events import Event, Notice, RunStarted, StageFinished
from stagebook.registry import plugin
from stagebook.run.plan import Planner
from stagebook.run.provenance import CHANGES
from stagebook.run.record import Run, StageRecord, stage_record
from stagebook.run.request import Request
from stagebook.run.unrecorded import (
    Kind,
    Within,
    is_recording,
    keep_unrecorded,
    place_of,
    shown_place,
    start_recorder,
    take_notes,
    unrecorded,
)
from stagebook.run.written import keep_written

PATIENCE = 30.0
"""Seconds after which a run that goes on is recorded as it stands, and between that and the next time."""

Tell = Callable[[Event], None]


class Journal:
    """A listener that has a run recorded.

    Args:
        request: what was asked for.
        run: gives the run as it stands, without its stages.
        patience: seconds until it is recorded as it stands.
    """

    def __init__(self, request: Request, run: Callable[[], Run], *, patience: float = PATIENCE) -> None:
        self._request = request
        self._run = run
        self._patience = patience
        self._records: dict[str, StageRecord] = {}
        self._unkept: list[str] = []
        self._calls: Any = None
        self._is_over = False
        self._has_ended = False
        self._next = time.monotonic() + patience
        self._lock = threading.RLock()
        self._timer = threading.Timer(patience, self._say)
        self._timer.daemon = True

    @property
    def within(self) -> Within | None:
        """The sweep that the run belongs to."""
        return self._request.shared.within if self._request.shared else None

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()
        if error is not None and not self._has_ended:
            with suppress(OSError, StoreError):
                self._keep(replace(self._run(), state="failed", stages=tuple(self._records.values())))
                if self.within is None:
                    start_recorder(self._request.home, wait=not self._request.later)

    def __call__(self, event: Event) -> None:
        """Take note of the event, and have the run recorded if it is time for that."""
        if isinstance(event, RunStarted):
            with self._lock, suppress(OSError, StoreError):  # as is told at the run's end
                self._keep(self._run())  # so that one that is killed is known of
            self._timer.start()
        if isinstance(event, StageFinished) and event.result is not None:
            with self._lock:
                self._records[event.stage] = stage_record(event.result, event.state, event.reason, key=event.key)
            if event.state == "done" and event.result.written:
                self._keep_files(event)
            if time.monotonic() >= self._next:
                self._say()

    def environment(self, stage: str) -> Mapping[str, str]:
        """Variables with which MLflow calls in the stage's code land in the stage's run."""
        with self._lock:
            if self._calls is None:
                run = self._run()
                try:
                    self._keep(run)
                except (OSError, StoreError):  # as is told at the run's end; the stage can do without
                    return {}
                self._calls = plugin("recorder", "calls")(run.home, run.id)
        found: Mapping[str, str] = self._calls.environment(stage)
        return found

    def end(self, run: Run, tell: Tell) -> None:
        """The run is over: have it recorded, and tell of what could not be so far."""
        self._stop()
        self._has_ended = True
        for message in self._unkept:
            tell(Notice(message))
        if self.within is None:
            hand_over(run.home, "run", lambda: self._keep(run), tell, wait=not self._request.later)
            return
        try:
            self._keep(run)  # the sweep does the rest
        except (OSError, StoreError) as error:
            tell(Notice(_not_kept("run", error)))

    def _stop(self) -> None:
        """Nothing more is recorded while the run goes on."""
        self._timer.cancel()
        with self._lock:
            self._is_over = True

    def _say(self) -> None:
        """Have what there is to say by now recorded."""
        with self._lock:
            if self._is_over:
                return
            self._next = time.monotonic() + self._patience
            run = self._run()
            try:
                self._keep(run)
                if self.within is None and not is_recording():
                    start_recorder(run.home)
            except (OSError, StoreError):  # it is tried again, and told of at the run's end
                return

    def _keep_files(self, event: StageFinished) -> None:
        """Keep what the stage has written as it has left it: a later one, or another run, may write to it."""
        request = self._request
        try:
            folder = place_of(request.home, request.id)
            keep_written(folder, event.stage, event.result.written, base=request.source.parent)
        except (OSError, StoreError) as error:
            self._unkept.append(f"Files of stage `{event.stage}` are not recorded in MLflow: {error}.")

    def _keep(self, run: Run) -> None:
        if run.state == "running":
            run = replace(run, stages=tuple(self._records.values()))
        files = [run.output, run.folder / CHANGES] if run.state != "running" else []
        keep_unrecorded(
            run.home,
            run.id,
            run.text(),
            notebook=run.notebook,
            files=[file for file in files if file is not None and file.exists()],
            within=self.within,
        )


def hand_over(home: Path, kind: Kind, keep: Callable[[], None], tell: Tell, *, wait: bool) -> None:
    """Keep what there is to say of what is over, have it said, and tell of what could not be so far.

    Args:
        home: folder beside the notebook in which runs are recorded.
        kind: what is over.
        keep: keeps what there is to say.
        tell: gets a notice.
        wait: wait until it is recorded.
    """
    try:
        failed = [one for one in unrecorded(home) if one.failed]
        keep()
        if start_recorder(home, wait=wait):
            failed = [one for one in unrecorded(home) if one.failed]
    except (OSError, StoreError) as error:
        tell(Notice(_not_kept(kind, error)))
        return
    for note in take_notes(home):
        tell(Notice(note))
    if failed:
        last, others = failed[-1], len(failed) - 1
        which = f"{last.kind.capitalize()} {last.id}" + (f" and {others} before it" if others else "")
        remedy = "It is kept, and tried again by the next run or `stagebook sync`."
        place = f" at {where}" if (where := shown_place()) else ""
        tell(Notice(f"{which} could not be recorded in MLflow{place} yet ({last.failed}). {remedy}"))


def _not_kept(kind: Kind, error: Exception) -> str:
    return f"MLflow is not told of this {kind}, {kind}.json tells of it ({error})."


def environment_for(journal: Any, planner: Planner) -> Callable[[str], Mapping[str, str]]:
    """Variables for stages, by name: those whose code may use MLflow get them, and no other has to wait for it."""
    preamble = any("mlflow" in cell.source for cell in planner.pipeline.preamble)

    def environment(stage: str) -> Mapping[str, str]:
        uses = preamble or planner.imports_package(stage, "mlflow")
        found: Mapping[str, str] = journal.environment(stage) if journal is not None and uses else {}
        return found

    return environment
