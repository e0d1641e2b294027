"""The order in which stages are started, and what keeps one waiting."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from notebooks_factory import pipeline

from stagebook.run.schedule import Schedule, critical_first

GIB = 2**30


def names(cells, durations):
    return [stage.name for stage in critical_first(pipeline(cells), durations)]


BRANCHES = [
    ("stage:load", "x = 1"),
    ("stage:short", "a = x + 1"),
    ("stage:long", "b = x + 2"),
    ("stage:end", "print(a, b)"),
]


@pytest.mark.parametrize(
    ("durations", "order"),
    [
        ({}, ["load", "short", "long", "end"]),
        ({"load": 1, "short": 1, "long": 9, "end": 1}, ["load", "long", "short", "end"]),
        ({"load": 1, "short": 9, "long": 1, "end": 1}, ["load", "short", "long", "end"]),
    ],
)
def test_of_stages_that_may_start_the_one_that_takes_longest_comes_first(durations, order):
    assert names(BRANCHES, durations) == order


def test_what_counts_is_the_way_to_the_end():
    cells = [
        ("stage:alone", "a = 1"),
        ("stage:first", "b = 1"),
        ("stage:second", "c = b"),
    ]
    assert names(cells, {"alone": 5, "first": 3, "second": 4}) == ["first", "alone", "second"]


def test_stages_that_have_not_run_yet_count_as_the_usual_one():
    cells = [("stage:known", "a = 1"), ("stage:new", "b = 1"), ("stage:after", "print(b)")]
    assert names(cells, {"known": 2.0}) == ["new", "known", "after"]


def lacks(*options, slots=2, memory=None, free=8 * GIB):
    """What the last of these stages waits for while the others run."""
    made = pipeline(
        [(f"stage:s{number}", f"%%stage s{number} {text}\nx{number} = 1") for number, text in enumerate(options)]
    )
    schedule = Schedule(SimpleNamespace(slots=slots), durations={}, memory=memory or {}, available=lambda: free)
    *running, last = made.stages
    return schedule.lacks(last, running)


def test_there_are_as_many_at_work_as_there_are_slots():
    assert lacks("", "") == ""
    assert lacks("", "", "") == "a free slot"


def test_a_stage_takes_the_cores_that_it_names():
    assert lacks("resources=cores:2", "", slots=3) == ""
    assert lacks("resources=cores:2", "", slots=2) == "`cores`"
    assert lacks("", "resources=cores:3", slots=3) == "`cores`"


def test_a_stage_that_asks_for_more_than_there_is_runs_alone():
    assert lacks("resources=cores:64") == ""
    assert lacks("resources=memory:64GiB") == ""


def test_what_else_is_limited_is_used_by_as_many_as_the_greediest_allows():
    assert lacks("resources=gpu:1", "resources=gpu:1") == "`gpu`"
    assert lacks("resources=gpu:1", "") == ""
    assert lacks("resources=gpu:0.5", "resources=gpu:1", slots=4) == "`gpu`"
    assert lacks("resources=gpu:1", "resources=licence:1") == ""


def test_memory_that_is_asked_for_has_to_be_free():
    assert lacks("", "resources=memory:6GiB") == ""
    assert lacks("", "resources=memory:9GiB") == "memory: it needs about 9.0 GiB, 8.0 GiB are free"


def test_memory_that_others_were_promised_is_not_free():
    assert lacks("resources=memory:4GiB", "resources=memory:6GiB").startswith("memory: it needs about 6.0 GiB, 4.0 GiB")


def test_what_a_stage_needed_last_time_is_asked_for_again_with_a_margin():
    assert lacks("", "", memory={"s1": 6 * GIB}) == ""
    assert lacks("", "", memory={"s1": 7 * GIB}).startswith("memory: it needs about 8.4 GiB")
