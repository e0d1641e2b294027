"""`stagebook sweep`, as a person or a script calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from notebooks_factory import written

CELLS = [
    ("parameters", "depth: int = 2\nlr: float = 0.1"),
    ("stage:load", "open('log', 'a').write('load ')\ntotal = 10"),
    ("", "%%stage train metrics=auc\nif depth == 13: raise ValueError('unlucky')\nauc = total + depth - lr"),
]
COMMAND = [str(Path(sys.executable).with_name("stagebook")), "sweep", "notebook.ipynb"]


@pytest.fixture
def sweep(tmp_path):
    """Call the command in a folder with a notebook of these cells."""

    def call(*words, cells=CELLS, **environment):
        written(tmp_path, cells)
        return subprocess.run(
            [*COMMAND, *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )

    return call


def test_it_tells_points_the_table_best_first_and_the_command_for_the_best(sweep, tmp_path):
    told = sweep("-p", "depth", "1,2", "--maximize", "auc", "--no-track")
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert lines[0] == "2 points (depth: 1, 2)"
    table = lines[lines.index("") + 1 :]
    assert table[0].split() == ["point", "depth", "auc", "state", "time", "ran", "run"]
    assert [line.split()[:4] for line in table[1:3]] == [["2", "2", "11.9", "done"], ["1", "1", "10.9", "done"]]
    assert "Best: auc 11.9, point 2: depth 2" in table
    command = next(line.strip() for line in table if line.strip().startswith("stagebook run"))
    assert command == "stagebook run notebook.ipynb -p depth 2"
    best = subprocess.run(
        [COMMAND[0], *command.split()[1:], "--no-track"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "All is up to date: 2 stages reused" in best.stdout
    assert (tmp_path / lines[-1].split()[-3].rstrip(",")).exists()


def test_it_says_where_mlflow_is_as_a_run_does(sweep, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    words = ["-p", "depth", "1,2"]
    told = sweep(*words, CI="1")  # so that it waits for the process that records
    assert told.returncode == 0, told.stderr
    last = told.stdout.splitlines()[-1]
    assert last.startswith("MLflow:   ")
    assert last.endswith(f"mlflow ui --backend-store-uri sqlite:///{tmp_path}/.stagebook/mlflow.db")
    server = {"MLFLOW_TRACKING_URI": "http://me:secret@127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "CI": "1"}
    away = sweep(*words, **server).stdout.splitlines()[-1]
    assert away.startswith("MLflow:   http://127.0.0.1:9 (nothing answers there now; all is kept")
    assert "MLflow" not in sweep(*words, "--no-track").stdout
    assert "MLflow" not in sweep(*words, "--json").stdout


def test_a_failed_point_exits_1_and_says_why(sweep):
    told = sweep("-p", "depth", "1,13", "--no-track")
    assert told.returncode == 1
    assert "  point 2: train: cell 3, line 2: ValueError: unlucky" in told.stdout.splitlines()
    assert "1 of 2 points failed" in told.stdout
    assert "Name what counts to see the best point: --maximize auc or --minimize auc." in told.stdout


def test_json_gives_events_with_their_point(sweep):
    told = sweep("-p", "depth", "1,2", "--minimize", "auc", "--no-track", "--json")
    events = [json.loads(line) for line in told.stdout.splitlines()]
    assert (events[0]["event"], events[0]["points"]) == ("SweepStarted", 2)
    loads = [one for one in events if one["event"] == "StageFinished" and one["stage"] == "load"]
    assert sorted((one["point"], one["state"]) for one in loads) in (
        [(1, "done"), (2, "reused")],
        [(1, "reused"), (2, "done")],
    )
    points = [one for one in events if one["event"] == "PointFinished"]
    assert {one["point"]: one["metrics"] for one in points} == {1: {"auc": 10.9}, 2: {"auc": 11.9}}
    assert (events[-1]["event"], events[-1]["best"], events[-1]["state"]) == ("SweepFinished", 1, "done")


def test_killed_in_the_middle_it_takes_up_what_is_left(sweep, tmp_path):
    written(tmp_path, CELLS)
    words = ["-p", "depth", "3:20", "--search", "optuna", "--trials", "5", "--maximize", "auc", "--no-track", "-j", "1"]
    process = subprocess.Popen([*COMMAND, *words], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    seen = []
    while len(seen) < 3:
        seen.append(process.stdout.readline())  # the headline and two points
    process.send_signal(signal.SIGKILL)
    process.wait()
    told = sweep(*words, "--json")
    points = [one for one in map(json.loads, told.stdout.splitlines()) if one["event"] == "PointFinished"]
    assert told.returncode == 0, told.stderr
    assert len(points) == 5
    assert [one["ran"] for one in sorted(points, key=lambda one: one["point"])[:2]] == [0, 0]
    assert (tmp_path / "log").read_text() == "load "


def test_interrupted_it_exits_130_and_says_how_to_go_on(tmp_path):
    written(tmp_path, [*CELLS, ("stage:wait", "print(auc)\nimport time\ntime.sleep(300)")])
    process = subprocess.Popen(
        [*COMMAND, "-p", "depth", "1,2,3", "--no-track", "--json"], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    while '"CellStarted", "stage": "wait"' not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    rest = process.stdout.read()
    assert process.wait() == 130
    assert json.loads(rest.splitlines()[-1])["state"] == "interrupted"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-p", "depth", "1,2", "--maximize", "acu"], "has a metric `acu`. Did you mean `auc`?"),
        (["-p", "depth", "1,2", "--maximize", "auc", "--minimize", "auc"], "A sweep has one metric that counts"),
        (["-p", "depth", "1:9", "--search", "optuna"], "add --maximize METRIC or --minimize METRIC"),
        (["-p", "depth", "1:9", "--trials", "4"], "--trials is for a search"),
        (["-p", "depth", "1,x"], "Parameter `depth` (default 2) takes an int, and 'x' is none."),
        (["-p", "depth", "1,2", "--to", "tarin"], "There is no stage `tarin` in notebook.ipynb. Did you mean `train`?"),
        (["-p", "depth", "1:200", "-p", "lr", "0:1:0.01"], "That makes 20,200 points, and 10,000 are the most."),
        (["-p", "depth", "2"], "There is nothing to sweep"),
    ],
)
def test_mistakes_exit_2_with_a_sentence_and_no_traceback(sweep, words, told):
    answer = sweep(*words, "--no-track")
    assert answer.returncode == 2
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr
