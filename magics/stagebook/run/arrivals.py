"""What a run waits for: results, and word that there may be something to do."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from enum import Enum

from stagebook.errors import StagebookError
from stagebook.run.job import Failure, StageResult
from stagebook.run.mapping import Task


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job that has ended: a stage's, or, where there is a `task`, that of a piece of a mapped one."""

    stage: str
    future: Future[StageResult]
    task: Task | None = None

    @property
    def result(self) -> StageResult:
        """What came of it; a kernel that could not be had is a failure like any other."""
        try:
            return self.future.result()
        except StagebookError as error:
            return StageResult(self.stage, "failed", failure=Failure(type(error).__name__, str(error)))


class Note(Enum):
    """Other news."""

    INTERRUPT = "somebody pressed Ctrl-C"
    FREED = "another run is done with a stage that this one waits for"
