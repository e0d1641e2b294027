"""A sweep in MLflow: a run for it, a run for each point below it, the stages below those."""

from __future__ import annotations

import socket

import pytest
from mlflow import MlflowClient
from notebooks_factory import written

from stagebook.events import Notice, PointEvent
from stagebook.run.sweep import Objective
from stagebook.run.sweeping import SweepRequest, sweep_notebook

CELLS = [
    ("parameters", "depth = 2\nkind = 'a'"),
    ("stage:load", "total = 10"),
    ("", "%%stage train metrics=auc\nif depth == 13: raise ValueError('unlucky')\nauc = total + depth"),
]


@pytest.fixture
def sweep(tmp_path, monkeypatch, recording_here):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def start(text, **options):
        request = SweepRequest(written(tmp_path, CELLS), (("depth", text), ("kind", "b")), **options)
        events = []
        return sweep_notebook(request, listeners=(events.append,)), events

    return start


def children(runs, parent):
    return [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]


def test_points_are_below_the_sweep_and_stages_below_points(sweep, tmp_path):
    done, events = sweep("1,2,3,13", objective=Objective("auc", "maximize"), jobs=3)
    assert not [event for event in events if isinstance(event, Notice)]
    client = MlflowClient(f"sqlite:///{tmp_path}/.stagebook/mlflow.db")
    [experiment] = [one for one in client.search_experiments() if one.name != "Default"]
    runs = client.search_runs([experiment.experiment_id])
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert parent.info.status == "FAILED"
    assert parent.data.tags["stagebook.sweep"] == done.id
    assert parent.data.tags["stagebook.best.depth"] == "3"
    assert parent.data.params == {"depth": "1, 2, 3, 13"}
    assert (parent.data.metrics["auc"], parent.data.metrics["points_failed"]) == (13, 1)
    files = sorted(one.path for one in client.list_artifacts(parent.info.run_id))
    assert files == ["sweep.csv", "sweep.json", "sweep.svg"]
    points = children(runs, parent)
    assert {point.info.run_name: point.info.status for point in points} == {
        "depth 1": "FINISHED",
        "depth 2": "FINISHED",
        "depth 3": "FINISHED",
        "depth 13": "FAILED",
    }
    for point in points:
        assert point.data.params == {"depth": point.info.run_name.removeprefix("depth "), "kind": "b"}
        assert {stage.info.run_name for stage in children(runs, point)} == {"load", "train"}


def test_an_unreachable_server_costs_notices_and_not_the_sweep(sweep, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    done, events = sweep("1,2")
    assert done.state == "done"
    told = [event for event in events if isinstance(event, Notice)]
    told += [one.event for one in events if isinstance(one, PointEvent) and isinstance(one.event, Notice)]
    assert len(told) == 1
    assert f"could not be recorded in MLflow at http://127.0.0.1:{port} yet" in told[0].message


def test_what_a_points_stage_records_itself_is_below_the_point(tmp_path, monkeypatch, recording_here):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    cells = [
        ("parameters", "depth = 2"),
        ("", "%%stage train metrics=auc\nimport mlflow\nauc = depth / 4\nmlflow.log_metric('own', depth)"),
    ]
    sweep_notebook(SweepRequest(written(tmp_path, cells), (("depth", "1,2"),)))
    client = MlflowClient(f"sqlite:///{tmp_path}/.stagebook/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("notebook").experiment_id])
    [sweep] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    points = children(runs, sweep)
    assert len(runs) == 1 + 2 + 2
    for point in points:
        [stage] = children(runs, point)
        assert {"own": float(point.data.params["depth"])}.items() <= stage.data.metrics.items()
        assert (point.info.status, stage.info.status) == ("FINISHED", "FINISHED")
