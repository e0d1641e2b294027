"""How a pipeline stands, as `stagebook status` tells it: before the first run, after failures, edits and kills."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from stagebook.cli import main
from stagebook.errors import PipelineError
from stagebook.run.status import notebook_status

CELLS = [
    ("parameters", "depth = 2"),
    ("stage:a", "%%stage a metrics=x\nx = depth * 10"),
    ("stage:b", "print(x)"),
    ("stage:bad", "y = x / 0"),
    ("stage:after", "print(y)"),
]


def states(bench, **options):
    return {stage.stage: stage.state for stage in notebook_status(bench.path, **options).stages}


def test_before_the_first_run_nothing_has_run_and_nothing_is_written(bench):
    bench.write(CELLS)
    status = notebook_status(bench.path)
    assert status.last is None
    assert {stage.state for stage in status.stages} == {"never run"}
    assert status.next == f"stagebook run {bench.path}   (4 to run, 0 to reuse)"
    assert [entry.name for entry in bench.folder.iterdir()] == ["notebook.ipynb"]


def test_after_a_run_each_stage_has_its_state_reason_time_and_metrics(bench):
    run = bench.run(CELLS, out=bench.folder / "out")
    status = notebook_status(bench.path)
    assert (status.last.id, status.last.state, status.last.duration) == (run.id, "failed", run.duration)
    assert (status.last.parameters, status.last.folder) == ({"depth": 2}, str(bench.folder / "out"))
    assert states(bench) == {"a": "fresh", "b": "fresh", "bad": "failed", "after": "never run"}
    a, _, bad, _ = status.stages
    assert (a.reason, a.run, a.metrics) == (f"unchanged since run {run.id}", run.id, {"x": 20.0})
    assert a.started.startswith("20")
    assert bad.reason == f"it failed in run {run.id}: cell 4, line 1: ZeroDivisionError: division by zero"
    assert status.next.startswith("Mend `bad`, then: stagebook run ")

    told = CliRunner().invoke(main, ["status", str(bench.path)]).stdout.splitlines()
    assert told[0].startswith(f"notebook.ipynb: run {run.id} failed in ")
    assert told[1] == "with depth = 2"
    assert told[2].startswith("fresh      a      20")
    assert told[2].endswith(f"s  x = 20  unchanged since run {run.id}")
    assert told[5] == f"never run  after{' ' * 38}its input `y` comes from `bad`, which runs"

    assert states(bench, parameters={"depth": "3"})["a"] == "stale"
    told = CliRunner().invoke(main, ["status", str(bench.path), "-p", "depth", "3", "--format", "json"])
    (changed,) = json.loads(told.stdout)["stages"][0]["changes"]
    assert (changed["part"], changed["before"], changed["now"]) == ("parameter:depth", "2", "3")
    assert told.exit_code == 0

    bench.run([*CELLS[:3], ("stage:bad", "y = x / 1"), CELLS[4]])
    assert notebook_status(bench.path).next == "All is up to date."


def test_a_result_gone_back_to_is_shown_with_its_own_run(bench):
    first = bench.run(CELLS[:3])
    bench.run(parameters={"depth": 3})
    a, _ = notebook_status(bench.path).stages
    assert (a.state, a.run, a.metrics) == ("fresh", first.id, {"x": 20.0})


def test_a_killed_run_is_told_as_killed_and_a_running_one_as_running(bench):
    bench.write([("stage:a", "import os, time\nopen('begun', 'w').close()\ntime.sleep(100)")])
    command = [sys.executable, "-m", "stagebook", "run", str(bench.path), "--no-track", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert b"RunStarted" in process.stdout.readline()
    running = notebook_status(bench.path)
    process.kill()
    process.communicate()
    killed = notebook_status(bench.path)
    assert (running.last.state, killed.last.state, killed.last.duration) == ("running", "killed", None)
    assert running.next == f"Run {running.last.id} is under way."
    assert {stage.state for stage in killed.stages} == {"never run"}


def test_a_broken_notebook_is_told_as_by_plan(bench):
    bench.write([("stage:a", "print(undefined)")])
    with pytest.raises(PipelineError):
        notebook_status(bench.path)
    told = CliRunner().invoke(main, ["status", str(bench.path)])
    assert (told.exit_code, "SB201" in told.stderr) == (2, True)
