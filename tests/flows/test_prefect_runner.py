"""The same notebook as tasks of a Prefect flow, on a server of its own."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from tests.same_run import same_run

from stagebook.errors import UsageError
from stagebook.events import Notice, StageStarted
from stagebook.registry import plugin
from stagebook.run.sweeping import SweepRequest, sweep_notebook

RETRIED = """%%stage flaky retries=2
import pathlib
here = pathlib.Path("tries.txt")
tries = int(here.read_text()) + 1 if here.exists() else 1
here.write_text(str(tries))
if tries == 1:
    raise ValueError("the first time")
x = 1"""


def test_a_run_is_the_same_but_for_places_and_times(bench_in, tmp_path, server, on):
    there = same_run(bench_in, tmp_path, on=on)
    flow_run = server.flow_runs()[0]
    assert flow_run["name"] == there.done.id
    assert flow_run["state_type"] == "COMPLETED"
    assert flow_run["parameters"]["parameters"] == {"n": 3}
    tasks = server.task_runs(flow_run)
    assert set(tasks) == {"load", "left", "right", "join", "late", "last"}
    before = {one["id"] for one in tasks["join"]["task_inputs"]["wait_for"]}
    assert before == {tasks["left"]["id"], tasks["right"]["id"]}
    assert {one.state for one in there.run(on=on).stages} == {"reused"}


def test_what_need_not_run_is_a_task_that_says_so(bench, server, on):
    bench.run([("stage:a", "x = 1"), ("stage:b", "y = x"), ("", '%%stage c when="y > 5"\nz = y')])
    bench.run([("stage:a", "x = 1"), ("stage:b", "y = x + 1"), ("", '%%stage c when="y > 5"\nz = y')], on=on)
    tasks = server.task_runs(server.flow_runs()[0])
    assert {name: one["state_name"] for name, one in tasks.items()} == {
        "a": "Reused",
        "b": "Completed",
        "c": "Skipped",
    }
    assert "unchanged since run" in tasks["a"]["state"]["message"]


def test_a_stage_that_fails_once_is_tried_again_by_prefect(bench, server, on):
    run = bench.run([("", RETRIED)], on=on)
    assert run.state == "done", run
    task = server.task_runs(server.flow_runs()[0])["flaky"]
    assert task["run_count"] == 2
    assert task["state_type"] == "COMPLETED"
    assert [event.message for event in bench.events if isinstance(event, Notice)] == ["`flaky` failed: try 2 of 3."]


def test_what_cells_print_is_in_the_log_and_a_failure_is_told_as_here(bench, server, on):
    code = "import time\nprint('waits', flush=True)\ntime.sleep(1.2)\n1 / 0"
    run = bench.run([("stage:slow", code), ("stage:other", "x = 1")], on=on)
    assert run.state == "failed"
    told = "cell 1, line 4: ZeroDivisionError: division by zero"
    assert told in bench.reason(run, "slow")
    flow_run = server.flow_runs()[0]
    assert flow_run["state_type"] == "FAILED"
    assert told in flow_run["state"]["message"]
    task = server.task_runs(flow_run)["slow"]
    assert (task["state_name"], told in task["state"]["message"]) == ("Failed", True)
    assert "waits" in server.log_of(task)
    assert not [line for line in server.log_of(task) if "Traceback" in line]


def test_a_stage_whose_time_is_up_is_called_so(bench, server, on):
    run = bench.run([("", "%%stage slow timeout=1\nimport time\ntime.sleep(100)")], on=on)
    assert "took longer than its timeout of 1 s" in bench.reason(run, "slow")
    assert server.task_runs(server.flow_runs()[0])["slow"]["state_name"] == "TimedOut"


def test_stages_that_share_a_kernel_and_mapped_ones_run_as_here(bench, on):
    cells = [
        ("stage:open", "lines = (n for n in range(3))"),
        ("stage:read", "numbers = list(lines)"),
        ("", "%%stage each foreach=numbers\nsquare = numbers ** 2"),
        ("", "%%stage sum metrics=total\ntotal = sum(square)"),
    ]
    run = bench.run(cells, on=on)
    assert run.state == "done", run
    assert run.metrics == {"total": 5.0}


def test_an_interrupt_ends_the_run_and_leaves_no_kernel(bench, server, on, children):
    def interrupt(event):
        if isinstance(event, StageStarted):
            threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT)).start()

    bench.listeners = (interrupt,)
    began = time.monotonic()
    run = bench.run([("stage:a", "import time\ntime.sleep(100)")], on=on)
    assert run.state == "interrupted"
    assert time.monotonic() - began < 60
    assert server.flow_runs()[0]["state_type"] == "CANCELLED"
    server.until(lambda: not [line for line in children() if "stagebook" in line], 20)


def test_points_of_a_sweep_are_tasks_of_one_flow(bench, server, on):
    cells = [
        ("parameters", "k = 1"),
        ("stage:a", "open('log', 'a').write('.')\nx = 1"),
        ("", "%%stage b metrics=m\nm = x * k"),
    ]
    done = sweep_notebook(SweepRequest(bench.write(cells), (("k", "1,2,3"),), track=False, on=on))
    assert done.state == "done"
    assert sorted(point.metrics["m"] for point in done.points) == [1.0, 2.0, 3.0]
    assert (bench.folder / "log").read_text() == ".", "what points share is run once"
    only = {"flow_runs": {"id": {"any_": [server.flow_runs()[0]["id"]]}}}
    server.until(lambda: [one["name"] for one in server.post("task_runs/filter", **only)].count("b") == 3, 30)


def test_a_server_that_is_not_there_is_refused(server):
    with pytest.raises(UsageError, match=r"No Prefect server answers at http://127.0.0.1:9/api"):
        plugin("runner", "prefect")(1, "127.0.0.1:9")
