"""Real kernels: every test here starts some."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from notebooks_factory import Cells, written

from stagebook.events import Event, StageFinished
from stagebook.run.api import run_notebook
from stagebook.run.record import Run


class Bench:
    """A notebook in a folder of its own, to be run, changed and run again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "notebook.ipynb"
        self.events: list[Event] = []
        self.listeners: tuple[Callable[[Event], None], ...] = ()

    def write(self, cells: Cells) -> Path:
        self.path = written(self.folder, cells)
        return self.path

    def run(self, cells: Cells | None = None, **options: Any) -> Run:
        if cells is not None:
            self.write(cells)
        self.events = []
        return run_notebook(self.path, listeners=(self.events.append, *self.listeners), track=False, **options)

    def states(self, run: Run) -> dict[str, str]:
        return {stage.stage: stage.state for stage in run.stages}

    def reason(self, run: Run, stage: str) -> str:
        return next(one.reason for one in run.stages if one.stage == stage)

    def printed(self, run: Run, number: int) -> str:
        """What code cell `number` put out in the output notebook: text, and the last line of an error."""
        cell = self.output(run)[number - 1]
        return "".join(_text(output) for output in cell.outputs)

    def output(self, run: Run) -> list[Any]:
        """The code cells of the output notebook, which must be valid."""
        assert run.output is not None
        node = nbformat.read(run.output, as_version=4)
        nbformat.validate(node)
        tags = [cell.metadata.get("tags", []) for cell in node.cells]
        return [
            cell
            for cell, tagged in zip(node.cells, tags, strict=True)
            if cell.cell_type == "code" and "injected-parameters" not in tagged
        ]

    def ran(self) -> list[str]:
        """The stages that a kernel ran, in the order in which they ended; one that ran twice is there twice."""
        ended = [event for event in self.events if isinstance(event, StageFinished)]
        return [event.stage for event in ended if event.state == "done"]


def _text(output: Any) -> str:
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return output.data.get("text/plain", "")


@pytest.fixture(scope="session")
def bench_in() -> type[Bench]:
    """Makes a bench of a folder, for those that outlive a test."""
    return Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def children() -> Callable[[], list[str]]:
    """The command lines of this process's living descendants, but for those that are there for all runs."""

    def alive() -> list[str]:
        here = psutil.Process()
        lasting = [one for one in here.children() if "stagebook.run.warm.seed" in (_command(one) or "")]
        found = [_command(one) for one in here.children(recursive=True) if one not in lasting]
        return [command for command in found if command is not None]

    return alive


def _command(process: psutil.Process) -> str | None:
    """The command line of a living process; None of one that has ended, whether or not somebody has asked how."""
    with suppress(psutil.NoSuchProcess):
        return None if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    return None
