"""A kernel with the notebook's parameters and setup in it, which every stage starts from."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stagebook.run.job import CellRecord, JobCell, StageJob
from stagebook.run.kernels import Kernel

_INSIDE = "stagebook.run.inside"


@dataclass(frozen=True, slots=True)
class Setup:
    """What is the same for all stages that may start from one kernel or another.

    Attributes:
        kernel: the kernel's name.
        folder: its working directory.
        store: where the store is.
        preamble: the cells of parameters and setup.
        modules: the user's own modules, whose variables are watched.
        threads: how many threads numerical libraries may have; None: as many as they like.
        environment: variables to set first.
    """

    kernel: str
    folder: str
    store: str
    preamble: tuple[JobCell, ...]
    modules: tuple[str, ...]
    threads: int | None
    environment: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, job: StageJob, environment: Mapping[str, str]) -> Setup:
        """What this job starts from."""
        variables = tuple(sorted(environment.items()))
        return cls(job.kernel, job.folder, job.store, job.preamble, job.modules, job.threads, variables)


class Prepared:
    """A kernel, and what has been run in it for one stage.

    Attributes:
        kernel: the kernel.
        setup: what has been run in it, or is to be.
        continues: whether an earlier stage has been run in it, and left values that cannot be stored.
        is_set_up: whether the setup has been run in it.
        cells: what came of the cells so far.
    """

    def __init__(self, kernel: Kernel, setup: Setup, *, continues: bool = False) -> None:
        self.kernel = kernel
        self.setup = setup
        self.continues = continues
        self.is_set_up = continues
        self.cells: list[CellRecord] = []
        self._number = 0  # that the kernel gives the next cell; 0: not known

    async def set_up(self) -> None:
        """Run parameters and setup.

        Raises:
            CellFailedError: a cell did not run through.
            KernelError: the kernel died, or stagebook is not installed there.
        """
        setup = self.setup
        told = {"folder": setup.folder, "store": setup.store, "modules": setup.modules, "threads": setup.threads}
        await self.call("listen", {**told, "environment": dict(setup.environment)}, before=setup.preamble)
        for cell in setup.preamble:
            await self.run(cell)
        self.is_set_up = True

    async def run(
        self, cell: JobCell, *, deadline: float | None = None, heard: Callable[[str], None] | None = None
    ) -> CellRecord:
        """Run a cell under its number in the notebook, so that its traceback says `In[number]`.

        Args:
            cell: the cell.
            deadline: when to give up, as `time.monotonic()` counts.
            heard: gets what it prints, as it comes.

        Raises:
            CellFailedError: it did not run through.
        """
        if cell.number and cell.number != self._number:
            await self.call("number", {}, before=[cell])
        record = await self.kernel.run(cell, deadline=deadline, heard=heard)
        self._number = record.execution_count + 1 if record.execution_count else 0
        self.cells.append(record)
        return record

    async def call(self, function: str, job: Mapping[str, Any], *, before: Sequence[JobCell] = ()) -> dict[str, Any]:
        """Call a function of ours in the kernel.

        Args:
            function: its name.
            job: what it gets.
            before: the cells that are run next: the first of them is to have its number.

        Raises:
            KernelError: it raised, or the kernel died.
        """
        number = before[0].number if before else 0
        if number:
            job, self._number = {**job, "number": number}, number
        answer: dict[str, Any] = json.loads(await self.kernel.call(f"{_INSIDE}:{function}", json.dumps(job)))
        return answer
