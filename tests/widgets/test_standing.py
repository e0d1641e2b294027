"""What the events of a run, and of a sweep, add up to."""

from __future__ import annotations

import threading
import time

from stagebook.widgets.following import Following
from stagebook.widgets.standing import PointNow, RunNow, StageNow, SweepNow, after, sweep_after, waiting


def run_after(now, *events):
    for at, (kind, fields) in enumerate(events):
        now = after(now, {"event": kind, **fields}, at=float(at))
    return now


def finished(stage, state, reason=""):
    fields = {"stage": stage, "state": state, "reason": reason, "duration": 1.5, "metrics": {"auc": 0.9}}
    return ("StageFinished", fields)


STARTED = ("RunStarted", {"run": "r1", "stages": ["a", "b", "c"]})


def test_stages_wait_run_and_end_each_in_its_word():
    now = run_after(
        waiting("abc"),
        STARTED,
        ("StageStarted", {"stage": "a", "reason": "it is new", "cells": 2}),
        ("CellStarted", {"stage": "a", "number": 7, "position": 2, "total": 2}),
        finished("b", "failed", "cell 3: ValueError: no"),
    )
    assert now.id == "r1"
    assert now.stages == {
        "a": StageNow("running", "it is new", "cell 2 of 2", began=1.0),
        "b": StageNow("failed", "cell 3: ValueError: no", duration=1.5, metrics={"auc": 0.9}),
        "c": StageNow("waiting"),
    }
    assert now.running == ("a",)


def test_done_and_reused_are_fresh_and_what_was_not_run_is_as_it_was():
    now = run_after(waiting("abcd"), finished("a", "done"), finished("b", "reused"), finished("c", "not run"))
    assert {name: stage.state for name, stage in now.stages.items()} == {"a": "fresh", "b": "fresh", "d": "waiting"}


def test_a_stage_that_runs_again_runs_again():
    again = ("StageStarted", {"stage": "a", "reason": "b changed it", "cells": 1})
    now = run_after(waiting("a"), finished("a", "done"), again)
    assert now.stages["a"] == StageNow("running", "b changed it", began=1.0)


def test_elements_of_a_mapped_stage_are_counted():
    started = ("StageStarted", {"stage": "a", "reason": "", "cells": 1})
    now = run_after(waiting("a"), started, ("ElementsFinished", {"stage": "a", "done": 3, "total": 8}))
    assert now.stages["a"] == StageNow("running", progress="3 of 8 done", began=0.0)


def test_at_the_end_nothing_runs_or_waits():
    now = run_after(waiting("ab"), finished("a", "interrupted"), ("RunFinished", {"run": "r1", "state": "interrupted"}))
    assert now.state == "interrupted"
    assert list(now.stages) == ["a"]


def test_a_notice_is_kept_once_and_what_is_unknown_changes_nothing():
    notice = ("Notice", {"message": "no server", "stage": None})
    now = run_after(RunNow(), notice, notice, ("CellFinished", {"stage": "z", "number": 1, "duration": 1}), ("New", {}))
    assert now == RunNow(notices=("no server",))


SWEEP = (
    {"event": "SweepStarted", "sweep": "s", "points": 2, "swept": {"depth": "4, 6"}, "metric": "auc"},
    {"event": "PointStarted", "point": 1, "parameters": {"depth": 4}},
    {"event": "StageStarted", "point": 1, "stage": "a", "reason": "", "cells": 1},
    {"event": "PointStarted", "point": 2, "parameters": {"depth": 6}},
)
FINISHED = {"event": "PointFinished", "run": "r", "folder": "", "ran": 1, "reused": 0, "duration": 2.0, "reason": ""}


def test_points_of_a_sweep_are_counted_and_the_best_is_known():
    now = SweepNow()
    for event in SWEEP:
        now = sweep_after(now, event)
    assert (now.planned, now.swept, now.metric, now.over) == (2, ("depth",), "auc", 0)
    done = {**FINISHED, "point": 2, "parameters": {"depth": 6}, "state": "done", "metrics": {"auc": 0.9}, "best": 2}
    now = sweep_after(now, done)
    assert (now.over, now.best) == (1, 2)
    assert now.points[1] == PointNow(1, {"depth": 4})
    assert now.points[2] == PointNow(2, {"depth": 6}, "done", "", {"auc": 0.9}, 2.0)
    now = sweep_after(now, {"event": "SweepFinished", "sweep": "s", "state": "done", "folder": "/there", "best": 2})
    assert (now.state, now.folder) == ("done", "/there")


def test_many_events_are_shown_a_few_times_and_the_last_one_in_any_case():
    shown: list[int] = []
    at_last = threading.Event()

    def show(total):
        shown.append(total)
        if total == 200:
            at_last.set()

    following = Following(0, fold=lambda total, event: total + event["more"], changed=show)
    began = time.monotonic()
    for _ in range(200):
        following({"event": "Counted", "more": 1})
    assert at_last.wait(5)
    assert len(shown) <= 2 + (time.monotonic() - began) / 0.2
    following({"event": "Counted", "more": 1})
    assert following.close() == 201
