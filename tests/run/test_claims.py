"""Runs side by side in one process: what both need is run once, and their kernels share the slots."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stagebook.events import RunStarted, StageFinished, StageStarted
from stagebook.plan import Selection
from stagebook.run.api import run_notebook
from stagebook.run.claims import Claimant, Claims, Shared
from stagebook.run.runners.local import LocalRunner

COUNTED = "%%stage load\nopen('log', 'a').write('load ')\ntotal = 1"


@pytest.fixture
def side_by_side(bench):
    """Run a notebook once for each set of parameters, all at the same time; give the runs and each run's events."""

    def run(cells, *points, slots=2, on_event=lambda event, shared: None, **options):
        path = bench.write(cells)
        together = threading.Barrier(len(points))
        events = [[] for _ in points]

        def one(position):
            def listen(event):
                events[position].append(event)
                if isinstance(event, RunStarted):
                    together.wait(timeout=60)
                on_event(event, shared)

            return run_notebook(
                path, parameters=points[position], listeners=(listen,), track=False, shared=shared, **options
            )

        with LocalRunner(slots) as runner, ThreadPoolExecutor(len(points)) as threads:
            shared = Shared(Claims(), runner)
            return list(threads.map(one, range(len(points)))), events

    return run


def log(bench):
    return (bench.folder / "log").read_text().split()


def test_a_stage_that_several_runs_need_is_run_by_one_of_them(side_by_side, bench):
    cells = [("parameters", "depth = 1"), ("", COUNTED), ("stage:train", "score = total + depth")]
    runs, _ = side_by_side(cells, {"depth": 1}, {"depth": 2}, {"depth": 3})
    assert log(bench) == ["load"]
    states = [bench.states(run) for run in runs]
    assert sorted(state["load"] for state in states) == ["done", "reused", "reused"]
    assert [state["train"] for state in states] == ["done"] * 3


def test_its_failure_is_theirs_too(side_by_side, bench):
    runs, events = side_by_side([("", COUNTED + "\n1 / 0"), ("stage:train", "total + 1")], {}, {})
    assert log(bench) == ["load"]
    assert [run.state for run in runs] == ["failed", "failed"]
    assert {bench.reason(run, "load") for run in runs} == {"cell 1, line 4: ZeroDivisionError: division by zero"}
    told = [event for one in events for event in one if isinstance(event, StageFinished) and event.stage == "load"]
    assert [event.state for event in told] == ["failed", "failed"]
    assert "ZeroDivisionError" in bench.printed(runs[0], 1)
    assert "ZeroDivisionError" in bench.printed(runs[1], 1)


def test_a_stage_without_cache_runs_in_each(side_by_side, bench):
    side_by_side([("", COUNTED.replace("load\n", "load cache=false\n", 1))], {}, {})
    assert log(bench) == ["load", "load"]


def test_forced_it_runs_once_for_all(side_by_side, bench):
    bench.run([("", COUNTED)])
    runs, _ = side_by_side([("", COUNTED)], {}, {}, selection=Selection(force=True))
    assert log(bench) == ["load", "load"]
    assert sorted(bench.states(run)["load"] for run in runs) == ["done", "reused"]


def test_no_more_kernels_are_at_work_than_there_are_slots(side_by_side, bench):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    body = f"with socket.socket() as only:\n    only.bind(('127.0.0.1', {port}))\n    time.sleep(0.2)"
    cells = [
        ("parameters", "depth = 1"),
        ("setup", "import socket, time"),
        ("stage:a", f"a = depth\n{body}"),
        ("stage:b", f"b = depth\n{body}"),
    ]
    runs, _ = side_by_side(cells, {"depth": 1}, {"depth": 2}, slots=1)
    assert [run.state for run in runs] == ["done", "done"]


def test_kernels_that_are_kept_take_no_slot(side_by_side, bench):
    cells = [
        ("parameters", "depth = 1"),
        ("stage:a", "numbers = (depth * n for n in range(3))"),
        ("stage:b", "print(next(numbers))"),
        ("stage:c", "print(next(numbers) + next(numbers))"),
    ]
    runs, _ = side_by_side(cells, {"depth": 1}, {"depth": 10}, slots=1)
    assert [run.state for run in runs] == ["done", "done"]
    assert [bench.printed(run, 4) for run in runs] == ["3\n", "30\n"]


def test_an_interrupt_ends_those_that_run_and_those_that_wait(side_by_side, bench):
    cells = [("", COUNTED + "\nimport time\ntime.sleep(300)")]

    def interrupt(event, shared):
        if isinstance(event, StageStarted):
            shared.claims.interrupt()

    runs, _ = side_by_side(cells, {}, {}, {}, on_event=interrupt)
    assert [run.state for run in runs] == ["interrupted"] * 3


def test_a_run_that_breaks_off_gives_back_what_it_held():
    claims, woken = Claims(), []
    other = Claimant(claims, wake=lambda: woken.append("woken"), interrupt=lambda: None)
    with Claimant(claims, wake=lambda: None, interrupt=lambda: None) as first:
        assert first.take("load", "key")
        assert not other.take("load", "key")
        assert other.waiting
    assert woken == ["woken"]
    assert not other.waiting
    assert other.take("load", "key")
