"""Gates in runs: a closed one ends the way behind its stage, says which values decided, and is judged each time."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from stagebook.cli import main
from stagebook.run.api import plan_notebook

GATE = "auc >= 0.8 and scores.f1 > 0"
CELLS = [
    ("parameters", "quality = 0.9"),
    ("", "%%stage train metrics=auc\nauc = quality\nmodel = [auc]"),
    (
        "",
        '%%stage judge metrics=scores gate="auc >= 0.8 and scores.f1 > 0"\nscores = {"f1": auc / 2}\nverdict = scores',
    ),
    ("stage:publish", "print('published', verdict)"),
    ("stage:apart", "print(model)"),
]


def test_an_open_gate_lets_all_pass_and_is_noted(bench):
    run = bench.run(CELLS)
    assert run.state == "done"
    assert set(bench.states(run).values()) == {"done"}
    gate = next(stage.gate for stage in run.stages if stage.stage == "judge")
    told = "auc = 0.9, scores.f1 = 0.45"
    assert gate == {"condition": GATE, "passed": True, "told": told}


def test_a_closed_gate_stops_what_follows_and_nothing_else(bench):
    run = bench.run(CELLS, parameters={"quality": 0.7})
    assert run.state == "rejected"
    assert bench.states(run) == {"train": "done", "judge": "failed", "publish": "not run", "apart": "done"}
    why = f"Gate: `{GATE}` does not hold: auc = 0.7, scores.f1 = 0.35."
    assert bench.reason(run, "judge") == why
    assert run.metrics["scores.f1"] == 0.35
    assert "does not hold" in bench.printed(run, 3)
    assert bench.printed(run, 5) == "[0.7]\n"


def test_a_closed_gate_costs_no_second_run_of_its_stage(bench):
    bench.run(CELLS, parameters={"quality": 0.7})
    again = bench.run(parameters={"quality": 0.7})
    assert again.state == "rejected"
    assert bench.states(again) == {"train": "reused", "judge": "failed", "publish": "not run", "apart": "reused"}
    assert not any("StageStarted" in type(event).__name__ for event in bench.events)
    assert {one.stage: one.action for one in plan_notebook(bench.path, parameters={"quality": 0.7}).decisions} == {
        "train": "reuse",
        "judge": "reuse",
        "publish": "run",
        "apart": "reuse",
    }


def test_another_condition_is_judged_without_running_anything_but_what_was_held_back(bench):
    bench.run(CELLS, parameters={"quality": 0.7})
    eased = [*CELLS[:2], (CELLS[2][0], CELLS[2][1].replace("0.8", "0.6")), *CELLS[3:]]
    run = bench.run(eased, parameters={"quality": 0.7})
    assert run.state == "done"
    assert bench.states(run) == {"train": "reused", "judge": "reused", "publish": "done", "apart": "reused"}


def test_a_failure_beside_a_closed_gate_is_a_failure(bench):
    run = bench.run([*CELLS, ("stage:broken", "1 / 0")], parameters={"quality": 0.7})
    assert run.state == "failed"


def test_a_metric_that_is_not_there_closes_the_gate(bench):
    cells = [("", "%%stage a metrics=scores gate=\"scores.f1 > 0\"\nscores = {'auc': 1}")]
    run = bench.run(cells)
    assert run.state == "rejected"
    assert "there is no metric `scores.f1`" in bench.reason(run, "a")


def test_without_a_record_no_champion_is_asked_for(bench):
    cells = [("", '%%stage a metrics=auc model=model gate="auc > champion.auc"\nauc = 1\nmodel = [1]')]
    run = bench.run(cells)
    assert run.state == "done"
    assert run.stages[0].gate["told"] == "auc = 1; no champion is asked for with --no-track"


@pytest.mark.parametrize(("quality", "status"), [("0.9", 0), ("0.7", 3)])
def test_the_exit_status_tells_a_closed_gate_from_a_failure(bench, quality, status):
    path = bench.write(CELLS)
    result = CliRunner().invoke(main, ["run", str(path), "-p", "quality", quality, "--no-track"])
    assert result.exit_code == status
    assert ("Gate of `judge` passed" in result.output) is (status == 0)


def test_points_of_a_sweep_pass_no_gate(bench):
    path = bench.write(CELLS)
    command = ["sweep", str(path), "-p", "quality", "0.5,0.7", "--maximize", "auc", "--no-track"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
