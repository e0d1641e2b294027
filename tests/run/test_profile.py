"""Where a run's time went."""

from __future__ import annotations

import json
import time

import pytest

from stagebook.run.profile import PHASES, Profile

CELLS = [
    ("setup", "import time"),
    ("stage:make", "time.sleep(0.3)\nx = list(range(1000))"),
    ("stage:take", "print(sum(x))"),
]


@pytest.fixture
def profiled(bench):
    bench.write(CELLS)
    profile = Profile(time.time())
    bench.listeners = (profile,)
    return bench, profile


def test_each_stage_that_ran_has_its_phases_in_order(profiled):
    bench, profile = profiled
    bench.run()
    assert [one.stage for one in profile.attempts] == ["make", "take"]
    for attempt in profile.attempts:
        assert {phase.name for phase in attempt.phases} | {"imports"} == set(PHASES)  # it may be done ahead
        begins = [phase.began for phase in attempt.phases]
        assert begins == sorted(begins)
        assert attempt.total >= sum(phase.seconds for phase in attempt.phases) * 0.99
    assert profile.attempts[0].seconds("compute") >= 0.3
    assert profile.attempts[0].seconds("imports") > 0


def test_a_reused_stage_has_taken_no_time(profiled):
    bench, profile = profiled
    bench.run()
    again = Profile(time.time())
    bench.listeners = (again,)
    bench.run()
    assert (again.attempts, again.reused) == ([], 2)
    assert profile.reused == 0


def test_the_timeline_shows_every_stage_and_the_numbers_are_there_for_programs(profiled):
    bench, profile = profiled
    run = bench.run()
    page = (run.folder / "profile.html").read_text()
    assert page.count('class="row"') == 2
    assert all(f">{stage}</div>" in page for stage in ("make", "take"))
    told = json.loads((run.folder / "profile.json").read_text())
    assert told["totals"]["compute"] == pytest.approx(sum(one.seconds("compute") for one in profile.attempts))
    assert told["began"] <= told["started"] <= told["ended"]


def test_a_name_is_no_markup(bench):
    profile = Profile(time.time())
    bench.listeners = (profile,)
    bench.path = bench.write(CELLS).rename(bench.folder / "a <b>.ipynb")
    run = bench.run()
    assert "<b>" not in (run.folder / "profile.html").read_text()
