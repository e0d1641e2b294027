"""When a run is recorded: as it goes on if it lasts, and afterwards, by a process of its own, if it is soon over.

To import what records takes longer than many runs do, and would hold up the loop that attends to kernels.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from stagebook.events import Event
from stagebook.run.plan import Planner

PATIENCE = 30.0
"""Seconds after which a run is recorded as it goes on."""


class Deferred:
    """A listener in front of a recorder that is made when it is needed: it is then told all that it has missed.

    Args:
        make: makes the recorder.
        patience: seconds until it is needed in any case.
    """

    def __init__(self, make: Callable[[], Any], *, patience: float = PATIENCE) -> None:
        self._make = make
        self._recorder: Any = None
        self._missed: list[Event] = []
        self._failure: Exception | None = None
        self._is_over = False
        self._lock = threading.RLock()
        self._timer = threading.Timer(patience, self._begin)
        self._timer.daemon = True
        self._timer.start()

    def __call__(self, event: Event) -> None:
        """Have the event recorded, or keep it; raise what went wrong with earlier ones."""
        with self._lock:
            if self._failure is not None:
                raise self._failure
            if self._recorder is not None:
                self._recorder(event)
            elif not self._is_over:
                self._missed.append(event)

    def environment(self, stage: str) -> Mapping[str, str]:
        """Variables for a stage whose code records something itself; it needs the recorder now."""
        self._begin()
        found: Mapping[str, str] = self._recorder.environment(stage)
        return found

    def stop(self) -> bool:
        """The run is over: whether all of it is still to be recorded, by somebody else."""
        with self._lock:
            self._timer.cancel()
            self._is_over = True
            return self._recorder is None

    def close(self) -> None:
        """The run has ended, whatever became of it."""
        self.stop()
        if self._recorder is not None:
            self._recorder.close()

    def _begin(self) -> None:
        with self._lock:
            if self._recorder is not None or self._is_over:
                return
            self._recorder = self._make()
            try:
                for event in self._missed:
                    self._recorder(event)
            except Exception as error:  # it is raised by the next event, where it is told
                self._failure = error
            self._missed.clear()


def environment_for(recorder: Any, planner: Planner) -> Callable[[str], Mapping[str, str]]:
    """Variables for stages, by name: those whose code may use MLflow get them, and no other has to wait for it."""
    preamble = any("mlflow" in cell.source for cell in planner.pipeline.preamble)

    def environment(stage: str) -> Mapping[str, str]:
        uses = preamble or planner.imports_package(stage, "mlflow")
        found: Mapping[str, str] = recorder.environment(stage) if recorder is not None and uses else {}
        return found

    return environment
