"""A server that goes away in the middle: nothing is lost, and nothing is there twice."""

from __future__ import annotations

import subprocess
import sys
import time

from mlflow import MlflowClient
from notebooks_factory import written

from stagebook.events import Notice
from stagebook.run.api import run_notebook

COUNT = 500
CELLS = [
    ("parameters", "depth = 2"),
    ("", f"%%stage train metrics=scores\nscores = {{f'm{{n}}': n + depth for n in range({COUNT})}}"),
    *((f"stage:s{number}", f"x{number} = scores['m{number}']") for number in range(4)),
]


def sync(folder):
    command = [sys.executable, "-m", "stagebook", "sync", "notebook.ipynb"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_what_a_server_did_not_get_it_gets_once(server, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.delenv("CI", raising=False)
    path = written(tmp_path, CELLS)
    run_notebook(path, later=True)
    behind = MlflowClient(server.store)  # what the server has written, also when it is gone
    deadline = time.monotonic() + 120
    while not runs_of(behind):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    server.stop()  # while the process that records is at it
    told = []
    run_notebook(path, parameters={"depth": 3}, listeners=(told.append,))
    [notice] = [event.message for event in told if isinstance(event, Notice)]
    assert f"could not be recorded in MLflow at {server.url} yet" in notice
    assert "stagebook sync" in notice
    away = sync(tmp_path)
    assert away.returncode == 1
    assert "2 runs could not be recorded" in away.stderr
    server.start()
    done = sync(tmp_path)
    assert (done.returncode, done.stdout.count("is recorded.")) == (0, 2), done.stderr
    assert sync(tmp_path).stdout == "MLflow knows all there is to say.\n"
    parents = [run for run in runs_of(behind) if "stagebook.run" in run.data.tags]
    assert sorted(run.data.params["depth"] for run in parents) == ["2", "3"]
    for parent in parents:
        family = [one for one in runs_of(behind) if one.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
        assert sorted(one.data.tags["stagebook.stage"] for one in family) == ["s0", "s1", "s2", "s3", "train"]
        assert {one.info.status for one in [parent, *family]} == {"FINISHED"}
        train = next(one for one in family if one.data.tags["stagebook.stage"] == "train")
        for run in (parent, train):
            assert sum(name.startswith("scores.") for name in run.data.metrics) == COUNT
            for number in (0, 250, 499):
                assert len(behind.get_metric_history(run.info.run_id, f"scores.m{number}")) == 1


def runs_of(client):
    experiment = client.get_experiment_by_name("notebook")
    return client.search_runs([experiment.experiment_id]) if experiment is not None else []
