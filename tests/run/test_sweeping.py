"""Sweeps with real kernels: shared stages run once, points fail alone, what is done is reused."""

from __future__ import annotations

import csv
import json
import os
import signal
import threading
from collections import Counter

import pytest

from stagebook.errors import UsageError
from stagebook.events import PointEvent, PointFinished, StageFinished, StageStarted, SweepFinished
from stagebook.plan import Selection
from stagebook.run.sweep import Objective
from stagebook.run.sweeping import SweepRequest, sweep_notebook

CELLS = [
    ("parameters", "depth: int = 2\nlr: float = 0.1"),
    ("stage:load", "open('log', 'a').write('load ')\ntotal = 10"),
    ("", "%%stage train metrics=auc,loss\nauc = total + depth - lr\nloss = {'neg': -auc}"),
    ("stage:report", "print(f'{auc:.1f}')"),
]
FAILING = [*CELLS[:3], ("stage:report", "if depth == 2: raise ValueError('unlucky')\nprint(auc)")]


@pytest.fixture
def sweep(bench):
    """Sweep a notebook; the events are in `bench.events`."""

    def run(*given, cells=CELLS, on_event=lambda event: None, **options):
        path = bench.write(cells)
        bench.events = []

        def listen(event):
            bench.events.append(event)
            on_event(event)

        return sweep_notebook(SweepRequest(path, given, track=False, **options), listeners=(listen,))

    return run


def ended(bench):
    """How often each stage came to which end, over all points."""
    events = [event.event for event in bench.events if isinstance(event, PointEvent)]
    return Counter((one.stage, one.state) for one in events if isinstance(one, StageFinished))


def test_what_points_share_is_run_once_and_the_best_is_named(sweep, bench):
    done = sweep(("depth", "1,2,3"), ("lr", "0.1:0.2:0.1"), objective=Objective("auc", "maximize"))
    assert done.state == "done"
    assert (bench.folder / "log").read_text() == "load "
    assert ended(bench)["load", "done"] == 1
    assert ended(bench)["load", "reused"] == 5
    assert ended(bench)["train", "done"] == 6
    assert dict(done.best.parameters) == {"depth": 3, "lr": 0.1}
    assert [point.metrics["auc"] for point in done.ranked] == pytest.approx([12.9, 12.8, 11.9, 11.8, 10.9, 10.8])


def test_its_files_hold_every_point(sweep, bench):
    done = sweep(("depth", "1,2"), objective=Objective("auc", "maximize"), out=bench.folder / "out")
    assert sorted(path.name for path in done.folder.iterdir()) == [
        "point-001",
        "point-002",
        "sweep.csv",
        "sweep.json",
        "sweep.svg",
    ]
    rows = list(csv.DictReader((done.folder / "sweep.csv").open()))
    assert [(row["point"], row["depth"], row["state"]) for row in rows] == [("2", "2", "done"), ("1", "1", "done")]
    assert (bench.folder / "out/point-002/notebook.ipynb").exists()
    told = json.loads((done.folder / "sweep.json").read_text())
    assert told["best"] == 2
    assert told["points"][0]["metrics"] == {"auc": pytest.approx(10.9), "loss.neg": pytest.approx(-10.9)}
    assert told["swept"] == {"depth": {"values": [1, 2]}}


def test_a_failing_point_stops_no_other_and_the_same_sweep_takes_up_the_rest(sweep, bench):
    first = sweep(("depth", "1,2,3"), cells=FAILING)
    assert first.state == "failed"
    assert [point.state for point in first.points] == ["done", "failed", "done"]
    assert first.points[1].reason == "report: cell 4, line 1: ValueError: unlucky"
    again = sweep(("depth", "1,2,3"))
    assert again.id == first.id
    assert again.state == "done"
    assert [point.ran for point in again.points] == [1, 1, 1]  # the report, whose code is another now


def test_again_all_is_reused_and_forced_shared_stages_run_once(sweep, bench):
    sweep(("depth", "1,2"))
    assert [point.ran for point in sweep(("depth", "1,2")).points] == [0, 0]
    sweep(("depth", "1,2"), selection=Selection(force=True))
    assert (bench.folder / "log").read_text() == "load load "
    assert ended(bench)["train", "done"] == 2


def test_a_search_tries_as_many_points_as_it_may_and_goes_on_from_them(sweep, bench):
    options = {"objective": Objective("auc", "maximize"), "cells": CELLS}
    first = sweep(("depth", "2:50"), ("lr", "0.001:0.1:log"), trials=3, **options)
    more = sweep(("depth", "2:50"), ("lr", "0.001:0.1:log"), trials=5, **options)
    assert [point.parameters for point in more.points[:3]] == [point.parameters for point in first.points]
    assert [point.ran for point in more.points[:3]] == [0, 0, 0]
    assert len(more.points) == 5
    assert more.best.metrics["auc"] == max(point.metrics["auc"] for point in more.points)


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("acu", "No stage that is to run has a metric `acu`. Did you mean `auc`?"),
        ("loss.lug", "There is no metric `loss.lug`. Did you mean `loss.neg`?"),
    ],
)
def test_a_metric_that_is_not_there_is_told_at_once(sweep, bench, metric, told):
    with pytest.raises(UsageError) as error:
        sweep(("depth", "1:30"), objective=Objective(metric, "maximize"), jobs=1)
    assert told in str(error.value)
    finished = [event for event in bench.events if isinstance(event, PointFinished)]
    assert len(finished) <= 2


def test_stages_after_the_one_named_are_left_out(sweep, bench):
    done = sweep(("depth", "1,2"), selection=Selection(end="train"))
    assert done.state == "done"
    assert ended(bench)["report", "not run"] == 2


def test_an_interrupt_ends_it_in_good_order_and_keeps_what_is_done(sweep, bench):
    cells = [*CELLS[:3], ("stage:report", "if depth == 2: import time; time.sleep(300)\nprint(auc)")]

    def interrupt(event):
        if isinstance(event, PointEvent) and isinstance(event.event, StageStarted):
            stage = event.event.stage
            if stage == "report" and event.point == 2:
                os.kill(os.getpid(), signal.SIGINT)

    assert threading.current_thread() is threading.main_thread()
    done = sweep(("depth", "1,2,3,4,5,6"), cells=cells, jobs=1, on_event=interrupt)
    assert done.state == "interrupted"
    assert isinstance(bench.events[-1], SweepFinished)
    assert {point.state for point in done.points} <= {"done", "interrupted"}
    assert done.points[1].state == "interrupted"
    assert len(done.points) < 6
    again = sweep(("depth", "1,2,3,4,5,6"))
    assert again.state == "done"
    assert (bench.folder / "log").read_text() == "load "


def test_nothing_to_sweep_says_what_the_parameters_are(sweep):
    with pytest.raises(UsageError, match="There is nothing to sweep: .* The parameters of notebook.ipynb are: `depth`"):
        sweep(("depth", "1"))
