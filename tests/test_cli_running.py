"""`stagebook plan` and `stagebook run`, as a person or a script calls them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from notebooks_factory import written

CELLS = [
    ("parameters", "depth = 2"),
    ("stage:a", "%%stage a metrics=x\nx = depth * 10"),
    ("stage:b", "print(x)"),
]


METRICS = [("parameters", "depth: int = 2"), ("", "%%stage train metrics=auc\nauc = depth / 4")]


@pytest.fixture
def stagebook(tmp_path):
    """Call the command in a folder with a notebook of these cells."""

    def call(*words, cells=CELLS):
        written(tmp_path, cells)
        command = [str(Path(sys.executable).with_name("stagebook")), *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return call


def test_run_tells_stages_metrics_and_where_to_look(stagebook):
    told = stagebook("run", "notebook.ipynb", "--no-track")
    lines = told.stdout.splitlines()
    assert told.returncode == 0, told.stderr
    assert lines[0] == "a: runs (it has not run yet)"
    assert lines[1].startswith("a: done in ")
    assert "  x  20" in lines
    assert lines[-1].startswith("Notebook: .stagebook/runs/")


def test_run_again_says_that_all_is_up_to_date(stagebook):
    stagebook("run", "notebook.ipynb", "--no-track")
    told = stagebook("run", "notebook.ipynb", "--no-track")
    assert "All is up to date: 2 stages reused in " in told.stdout


def test_run_with_tracking_names_the_command_for_the_ui(stagebook, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    told = stagebook("run", "notebook.ipynb")
    assert "mlflow ui --backend-store-uri sqlite:///" in told.stdout.splitlines()[-1]
    assert told.stderr == ""


def test_json_gives_every_event_as_a_line(stagebook):
    told = stagebook("run", "notebook.ipynb", "--no-track", "--json")
    events = [json.loads(line) for line in told.stdout.splitlines()]
    assert [event["event"] for event in events] == [
        "RunStarted",
        "StageStarted",
        "CellStarted",
        "CellFinished",
        "StageFinished",
        "StageStarted",
        "CellStarted",
        "CellFinished",
        "StageFinished",
        "RunFinished",
    ]
    assert events[0]["parameters"] == {"depth": 2}
    assert events[4]["metrics"] == {"x": 20.0}
    assert events[-1]["state"] == "done"


def test_out_folder_gets_notebook_and_run_json(stagebook, tmp_path):
    stagebook("run", "notebook.ipynb", "--no-track", "--out", "made/here", "-p", "depth", "3")
    assert sorted(path.name for path in (tmp_path / "made/here").iterdir()) == ["notebook.ipynb", "run.json"]
    assert json.loads((tmp_path / "made/here/run.json").read_text())["parameters"] == {"depth": 3}


def test_failing_stage_exits_1_and_says_which(stagebook):
    told = stagebook("run", "notebook.ipynb", "--no-track", cells=[*CELLS, ("stage:c", "x / 0")])
    assert told.returncode == 1
    assert "  c: cell 4, line 1: ZeroDivisionError: division by zero" in told.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["run", "nope.ipynb"], "There is no notebook at nope.ipynb. There is: `notebook.ipynb`."),
        (["run", "notebook.ipynb", "-p", "dpth", "1"], "no parameter `dpth`. Did you mean `depth`?"),
        (["run", "notebook.ipynb", "-p", "depth", "x"], "takes an int, and 'x' is none."),
        (["run", "notebook.ipynb", "-p", "depth=8"], "a space between them: -p depth 8"),
        (["run", "notebook.ipynb", "--on", "dusk"], "There is no runner `dusk`. Did you mean `dask`?"),
        (["run", "notebook.ipynb", "--only", "c"], "There is no stage `c` in notebook.ipynb. There is: `a`, `b`."),
        (["run", "notebook.ipynb", "--out", "notebook.ipynb/x"], "is a file, and is to be a folder"),
        (["run", "notebook.ipynb", "--jobs", "0"], "0 is not in the range x>=1"),
        (["plan", "notebook.ipynb", "--to", "c"], "There is no stage `c`"),
        (["rnu", "notebook.ipynb"], "No such command 'rnu'"),
    ],
)
def test_mistakes_exit_2_with_a_sentence_and_no_traceback(stagebook, words, told):
    answer = stagebook(*words)
    assert answer.returncode == 2
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr


def test_notebook_with_errors_shows_its_findings(stagebook):
    answer = stagebook("run", "notebook.ipynb", cells=[("stage:a", "print(undefined)")])
    assert answer.returncode == 2
    assert "cell 1, line 1: error SB201: `undefined` is read here, but no cell defines it." in answer.stderr


def test_plan_tells_each_stage_and_the_sum(stagebook):
    assert stagebook("plan", "notebook.ipynb").stdout.splitlines() == [
        "run    a  it has not run yet",
        "run    b  its input `x` comes from `a`, which runs",
        "2 stages to run, 0 to reuse.",
    ]


def test_plan_as_json(stagebook, tmp_path):
    stagebook("run", "notebook.ipynb", "--no-track", "--out", "out")
    run = json.loads((tmp_path / "out/run.json").read_text())["id"]
    plan = json.loads(stagebook("plan", "notebook.ipynb", "-p", "depth", "3", "--format", "json").stdout)
    assert plan["decisions"][0] == {
        "stage": "a",
        "action": "run",
        "reason": f"parameter `depth` changed since run {run}: 2 -> 3",
        "changes": [{"part": "parameter:depth", "before": "2", "now": "3", "run": run, "detail": ""}],
    }


def test_help_has_examples(stagebook):
    told = stagebook("--help").stdout
    assert "stagebook run flights.ipynb -p depth 8" in told
    assert not any(line.endswith("...") for line in told.splitlines()[3:])  # it says of each command all that it says
    assert "--from evaluate --force" in stagebook("run", "--help").stdout


class TestRuns:
    """`stagebook runs`."""

    def test_they_are_listed_the_newest_first_with_what_differs(self, stagebook):
        assert stagebook("runs", "notebook.ipynb").stdout == "notebook.ipynb: no run yet\n"
        for depth in (2, 3):
            stagebook("run", "notebook.ipynb", "--no-track", "-p", "depth", str(depth), cells=METRICS)
        header, newest, oldest = stagebook("runs", "notebook.ipynb").stdout.splitlines()
        assert header.split() == ["run", "started", "state", "took", "ran", "depth", "auc"]
        assert [line.split()[-5:] for line in (newest, oldest)] == [
            ["1", "of", "1", "3", "0.75"],
            ["1", "of", "1", "2", "0.5"],
        ]

    def test_by_a_metric(self, stagebook):
        for depth in (2, 3, 1):
            stagebook("run", "notebook.ipynb", "--no-track", "-p", "depth", str(depth), cells=METRICS)
        best = stagebook("runs", "notebook.ipynb", "--sort", "auc", "--limit", "2").stdout.splitlines()
        assert [line.split()[-1] for line in best[1:]] == ["0.75", "0.5", "them"]
        worst = json.loads(
            stagebook("runs", "notebook.ipynb", "--sort", "auc", "--ascending", "--format", "json").stdout
        )
        assert [run["parameters"]["depth"] for run in worst] == [1, 2, 3]
        answer = stagebook("runs", "notebook.ipynb", "--sort", "auk")
        assert (answer.returncode, "Did you mean `auc`?" in answer.stderr) == (2, True)

    def test_where_nothing_is_to_be_told_mlflow_is_not_loaded(self, stagebook):
        answer = stagebook("sync", "notebook.ipynb")
        assert (answer.returncode, answer.stdout) == (0, "MLflow knows all there is to say.\n")
