"""Kill -9 of the runner, or of a kernel, at any moment; then the same command: all that was done is still there.

The moments are drawn from a seed: over the whole course of an undisturbed run, and right after a file has come into the
store. `make torture` takes 200 of them (`STAGEBOOK_KILLS`), from another seed if `STAGEBOOK_SEED` names one.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from notebooks_factory import written

from stagebook.store.digests import digest_of_file

pytestmark = pytest.mark.skipif(os.name != "posix", reason="SIGKILL as on POSIX")

ROUNDS = -(-int(os.environ.get("STAGEBOOK_KILLS", "6")) // 3)
"""Of each kind: a runner is killed twice before it may end, or one of its kernels once."""
SEED = os.environ.get("STAGEBOOK_SEED", "1")
CELLS = [
    ("parameters", "size = 2000"),
    ("setup", "import pathlib\n\ndef doubled(items):\n    return [2 * one for one in items]"),
    ("stage:load", "import numpy as np\nnumbers = np.arange(size) % 7\nnames = {'a': [1, 2], 'b': {3, 4}}"),
    ("stage:frame", "%%stage frame retries=2\nimport pandas as pd\ntable = pd.DataFrame({'n': numbers, 's': 'text'})"),
    ("stage:report", "%%stage report writes=report.txt\npathlib.Path('report.txt').write_text(str(names) * 9)"),
    ("stage:left", "left = doubled(names['a'])\nnames['a'].append(left)\nshared = [left, left]\nprint(left)"),
    ("stage:right", "right = int(numbers.sum())\nblob = bytes(range(256)) * right\nprint(right)"),
    ("stage:join", "%%stage join metrics=total\ntotal = right + len(table) + len(blob)\nprint(total, shared, names)"),
]


@dataclass(frozen=True)
class Course:
    """What an undisturbed run gives, how long it takes, and how many files its store has afterwards."""

    facts: Any
    seconds: float
    files: int


def command(folder: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-m", "stagebook", "run", "notebook.ipynb", "--no-track", "--json", "--out", "out"]
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process: subprocess.Popen[str]) -> tuple[list[dict[str, Any]], str]:
    """The events that the process told (a line that was cut off is left out), and what it wrote to standard error."""
    out, wrong = process.communicate(timeout=200)
    return [json.loads(line) for line in out.splitlines(keepends=True) if line.endswith("\n")], wrong


def states(events: list[dict[str, Any]]) -> dict[str, str]:
    return {event["stage"]: event["state"] for event in events if event["event"] == "StageFinished"}


def facts(folder: Path) -> dict[str, Any]:
    """All that a run leaves that must not depend on what happened on the way."""
    run = json.loads((folder / "out/run.json").read_text())
    node = nbformat.read(folder / "out/notebook.ipynb", as_version=4)
    nbformat.validate(node)
    return {
        "state": run["state"],
        "outputs": {stage["stage"]: stage["outputs"] for stage in run["stages"]},
        "metrics": {stage["stage"]: stage["metrics"] for stage in run["stages"]},
        "printed": [[dict(output) for output in cell.outputs] for cell in node.cells],
        "report": (folder / "report.txt").read_text(),
    }


def verify(store: Path) -> None:
    """Every blob is what its name says, every record can be read."""
    for blob in (store / "blobs").glob("*/*"):
        assert digest_of_file(blob) == blob.parent.name + blob.name
    for record in (store / "records").rglob("*.json"):
        json.loads(record.read_text())


def kernels(process: subprocess.Popen[str]) -> list[psutil.Process]:
    found = []
    with suppress(psutil.NoSuchProcess):
        for one in psutil.Process(process.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # it has ended, as git does, which is asked as a run begins
                marks = ("ipykernel", "stagebook.run.warm")  # of ordinary kernels, and of templates and their forks
                if any(mark in word for word in one.cmdline() for mark in marks):
                    found.append(one)
    return found


def files_in(folder: Path) -> int:
    return sum(1 for _ in folder.rglob("*.json")) + sum(1 for _ in folder.glob("blobs/*/*"))


def wait_until(true: Callable[[], Any], *, seconds: float, every: float = 0.001) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


def ended(processes: list[psutil.Process], *, seconds: float) -> bool:
    """Whether all end by themselves within this time."""
    return wait_until(lambda: not any(one.is_running() for one in processes), seconds=seconds)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    folder = tmp_path_factory.mktemp("undisturbed")
    written(folder, CELLS)
    started = time.monotonic()
    process = command(folder)
    events, wrong = finished(process)
    seconds = time.monotonic() - started
    assert process.returncode == 0, wrong
    assert set(states(events).values()) == {"done"}
    return Course(facts(folder), seconds, files_in(folder / ".stagebook"))


def wait_for_moment(process: subprocess.Popen[str], store: Path, chance: random.Random, course: Course) -> str:
    """Wait until a moment drawn by chance has come, or the process has ended; say which it was."""
    if chance.random() < 0.6:
        moment = chance.uniform(0, course.seconds)
        wait_until(lambda: process.poll() is not None, seconds=moment)
        return f"after {moment:.2f} s"
    number = chance.randint(min(files_in(store) + 1, course.files), course.files)
    wait_until(lambda: process.poll() is not None or files_in(store) >= number, seconds=100, every=0.004)
    time.sleep(chance.uniform(0, 0.004))
    return f"at file {number} of {course.files}"


def wait_for_kernel(process: subprocess.Popen[str], chance: random.Random, course: Course) -> str:
    """Wait until the kernel of a stage drawn by chance is there, and then for a part of the time a stage may take."""
    number, moment = chance.randint(1, 6), chance.uniform(0, course.seconds / 3)
    seen: set[int] = set()

    def came() -> bool:
        seen.update(one.pid for one in kernels(process))
        return process.poll() is not None or len(seen) >= number

    wait_until(came, seconds=100, every=0.05)
    wait_until(lambda: process.poll() is not None, seconds=moment)
    return f"{moment:.2f} s after the start of number {number}"


def reported(events: list[dict[str, Any]]) -> set[str]:
    """The stages that have been told to be done."""
    return {stage for stage, state in states(events).items() if state in ("done", "reused")}


def run_again(folder: Path, course: Course, done: set[str]) -> None:
    """The same command: what was done is reused, and all ends as if nothing had happened."""
    process = command(folder)
    events, wrong = finished(process)
    assert process.returncode == 0, wrong + json.dumps(events[-3:])
    assert {stage: states(events)[stage] for stage in done} == dict.fromkeys(done, "reused")
    assert facts(folder) == course.facts
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["notebook.ipynb", "run.json"]
    verify(folder / ".stagebook")


@pytest.mark.skipif(sys.platform != "linux", reason="needs the system's help: prctl")
def test_a_kernel_that_lets_no_thread_run_ends_with_its_runner_too(tmp_path):
    holds = "import pathlib, re\npathlib.Path('begun').touch()\nre.match('(a+)+$', 'a' * 50 + 'b')"
    written(tmp_path, [("stage:stuck", holds)])
    process = command(tmp_path)
    assert wait_until((tmp_path / "begun").exists, seconds=100, every=0.05)
    alive = kernels(process)
    process.kill()
    finished(process)
    assert len(alive) == 3  # the seed, the template, and the kernel
    assert ended(alive, seconds=5)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_killed_runner_loses_nothing_that_was_done(tmp_path, course, number):
    chance = random.Random(f"{SEED} runner {number}")
    written(tmp_path, CELLS)
    done: set[str] = set()
    for turn in ("killed", "killed again"):
        process = command(tmp_path)
        moment = wait_for_moment(process, tmp_path / ".stagebook", chance, course)
        alive = kernels(process)
        process.kill()
        events, _ = finished(process)
        print(f"runner {turn} {moment}: {states(events)}, {len(alive)} kernels")
        assert all(state == "reused" for stage, state in states(events).items() if stage in done)
        done |= reported(events)
        assert ended(alive, seconds=10), "kernels live on"
        verify(tmp_path / ".stagebook")
    run_again(tmp_path, course, done)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_killed_kernel_costs_its_stage_only(tmp_path, course, number):
    chance = random.Random(f"{SEED} kernel {number}")
    written(tmp_path, CELLS)
    process = command(tmp_path)
    moment = wait_for_kernel(process, chance, course)
    for one in chance.sample(alive := kernels(process), k=min(1, len(alive))):
        one.kill()
    events, wrong = finished(process)
    failures = [event for event in events if event["event"] == "StageFinished" and event["state"] == "failed"]
    print(f"kernel killed {moment}: {states(events)} {[event['reason'] for event in failures]}")
    assert "Traceback" not in wrong
    assert all("kernel" in event["reason"] for event in failures)
    assert all(event["stage"] != "frame" for event in failures), "it has tries left"
    verify(tmp_path / ".stagebook")
    run_again(tmp_path, course, reported(events))
