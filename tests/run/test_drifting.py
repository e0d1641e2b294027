"""`drift=` on a stage: two tables compared when its cells are done, recorded, judged and branched on."""

import pytest
from tests.cases.drifting import CELLS

from stagebook.book.drifting import MIME


@pytest.fixture
def ran(bench):
    return bench, bench.run(CELLS, parameters={"shift": 1.0})


def test_a_run_records_shows_and_branches(ran):
    bench, run = ran
    assert set(bench.states(run).values()) == {"done"}
    assert run.metrics["drift.share"] == 0.5
    assert run.metrics["drift.detected"] == 1
    assert run.metrics["drift.score.delay"] < 0.05 < run.metrics["drift.score.carrier"]
    shown = bench.output(run)[2].outputs
    assert [one["output_type"] for one in shown] == ["stream", "execute_result", "display_data"]
    assert set(shown[-1]["data"]) == {MIME, "text/html", "text/plain"}
    assert shown[-1]["data"][MIME]["detected"] is True
    assert "retrained, as 50% have drifted" in bench.printed(run, 4)


def test_it_is_reused_as_any_result(ran):
    bench, _ = ran
    again = bench.run(parameters={"shift": 1.0})
    assert set(bench.states(again).values()) == {"reused"}
    assert again.metrics["drift.share"] == 0.5


def test_without_drift_the_branch_is_not_taken_and_a_gate_can_close(ran):
    bench, _ = ran
    still = bench.run(parameters={"shift": 0.0})
    assert bench.states(still)["retrain"] == "skipped"
    closed = [*CELLS[:2], ("", CELLS[2][1].replace("0.9", "0.4")), CELLS[3]]
    run = bench.run(closed, parameters={"shift": 1.0})
    assert run.state == "rejected"
    assert "drift.share = 0.5" in bench.reason(run, "watch")
    assert bench.states(run)["retrain"] == "not run"


def test_a_change_of_the_option_runs_the_stage_again(ran):
    bench, _ = ran
    other = [*CELLS[:2], ("", CELLS[2][1].replace("july ", "'july share=0.6' ")), CELLS[3]]
    run = bench.run(other, parameters={"shift": 1.0})
    assert bench.states(run) == {"load": "reused", "watch": "done", "retrain": "skipped"}


def test_what_is_no_table_fails_the_stage_at_its_last_cell(bench):
    run = bench.run([("stage:load", "a = b = 3"), ("", "%%stage watch drift=a:b\nprint(1)")])
    assert bench.states(run) == {"load": "done", "watch": "failed"}
    assert bench.reason(run, "watch") == (
        "cell 2: UsageError: `a` is no table: it is of type int. Give a DataFrame or a file."
    )
