"""A sample run in both ways: by Stagebook, each cell a stage, and by one plain kernel from top to bottom."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from tests.differential.comparing import CellText, Outcome, judge
from tests.differential.corpus import Sample, written
from tests.differential.report import Judged

from stagebook.errors import PipelineError, StagebookError
from stagebook.run.api import run_notebook

_SAME = {
    "PYTHONHASHSEED": "0",  # so that sets of texts have one order
    "OMP_WAIT_POLICY": "passive",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "COLUMNS": "80",
}


@contextmanager
def same_environment() -> Iterator[None]:
    """Environment variables under which both ways can be compared, for the kernels that start meanwhile."""
    before = dict(os.environ)
    path = [str(Path(__file__).parent), *filter(None, [before.get("PYTHONPATH")])]
    os.environ.pop("MPLBACKEND", None)
    os.environ.update(_SAME | {"PYTHONPATH": os.pathsep.join(path)})
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def differences(sample: Sample, folder: Path, *, jobs: int = 2, timeout: int = 600) -> Judged:
    """Run a sample in both ways, the plain one a second time where they differ, and judge.

    Args:
        sample: the sample.
        folder: to run in; what is in it is lost before each run, so that all see the same path and no files.
        jobs: kernels at work at once.
        timeout: seconds that a cell may take.
    """
    started = time.perf_counter()
    plain = _plain(sample, folder, timeout=timeout)
    between = time.perf_counter()
    outcome = _staged(sample, folder, jobs=jobs)
    seconds = (round(between - started, 1), round(time.perf_counter() - between, 1))
    verdict = judge(plain, outcome)
    if verdict.verdict == "different":
        verdict = judge(plain, outcome, again=_plain(sample, folder, timeout=timeout))
    return Judged(sample.name, len(sample.cells), verdict, *seconds)


def plain_seconds(sample: Sample, folder: Path, *, timeout: int) -> float | None:
    """How long one plain kernel takes for a sample; None if a cell fails or takes longer than `timeout`."""
    started = time.perf_counter()
    outcome = _plain(sample, folder, timeout=timeout)
    ended = outcome.cells and outcome.cells[-1].stdout and not any(cell.error for cell in outcome.cells)
    return round(time.perf_counter() - started, 1) if ended else None


def _plain(sample: Sample, folder: Path, *, timeout: int) -> Outcome:
    """Restart & Run All, to the end or the first error."""
    node = nbformat.read(written(sample, _emptied(folder)), as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(node, timeout=timeout, startup_timeout=600, resources=resources)
    with TemporaryDirectory() as own, suppress(CellExecutionError, CellTimeoutError):
        manager = client.create_kernel_manager()  # the client's own, which it ends
        manager.transport = "ipc"  # kernels that start at the same time may choose the same TCP ports
        manager.connection_file = str(Path(own, "kernel.json"))
        client.execute(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return Outcome(_texts(node, folder))


def _staged(sample: Sample, folder: Path, *, jobs: int) -> Outcome:
    path = written(sample, _emptied(folder))
    try:
        run = run_notebook(path, jobs=jobs, track=False)
    except PipelineError as error:
        return Outcome((), refusal=" ".join([str(error), *(one.message for one in error.findings)]))
    except StagebookError as error:
        return Outcome((), refusal=str(error))
    assert run.output is not None
    return Outcome(_texts(nbformat.read(run.output, as_version=4), folder))


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _texts(node: Any, folder: Path) -> tuple[CellText, ...]:
    return tuple(CellText.of(cell.outputs, folder=str(folder)) for cell in node.cells if cell.cell_type == "code")
