"""Every run is in MLflow: a real sqlite store, a real server."""

from __future__ import annotations

import html
import json
import re
import socket
from pathlib import Path

import pytest
from mlflow import MlflowClient
from notebooks_factory import written
from recording import record_in_this_process

from stagebook.events import Notice
from stagebook.run.api import run_notebook

ARTIFACTS = ["graph.svg", "notebook.html", "notebook.ipynb", "run.json"]
CELLS = [
    ("parameters", "depth = 2"),
    ("stage:train", "%%stage train metrics=auc\nauc = depth / 4"),
    ("stage:extra", "import mlflow\nmlflow.log_metric('own', 7)\nmlflow.log_param('note', 'mine')\nz = auc"),
]


@pytest.fixture
def run(tmp_path, monkeypatch, recording_here):
    """Run a notebook in `tmp_path`, recorded there."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def start(cells=CELLS, **options):
        return run_notebook(written(tmp_path, cells), **options)

    return start


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """What is recorded of a notebook that has run and was run again: the client, and both runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        record_in_this_process(patch)
        folder = tmp_path_factory.mktemp("twice")
        path = written(folder, CELLS)
        runs = [run_notebook(path), run_notebook(path)]
        yield MlflowClient(f"sqlite:///{folder}/.stagebook/mlflow.db"), runs


@pytest.fixture
def client(tmp_path):
    return MlflowClient(f"sqlite:///{tmp_path}/.stagebook/mlflow.db")


def recorded(client, name="notebook"):
    """The runs of an experiment: parents, newest first, and for each its children by stage."""
    experiment = client.get_experiment_by_name(name)
    runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time DESC"])
    parents = [one for one in runs if "mlflow.parentRunId" not in one.data.tags]
    return [
        (
            parent,
            {
                one.data.tags["stagebook.stage"]: one
                for one in runs
                if one.data.tags.get("mlflow.parentRunId") == parent.info.run_id
            },
        )
        for parent in parents
    ]


def test_a_run_has_its_parameters_metrics_and_a_child_for_each_stage(twice):
    _, (parent, stages) = recorded(twice[0])
    assert parent.info.status == "FINISHED"
    assert parent.data.params == {"depth": "2"}
    assert parent.data.metrics["auc"] == 0.5
    assert set(stages) == {"train", "extra"}
    assert stages["train"].data.metrics["auc"] == 0.5
    assert stages["train"].data.metrics["duration_seconds"] > 0
    assert len(stages["train"].data.tags["stagebook.fingerprint"]) == 32


def test_mlflow_calls_in_a_stage_land_in_the_stages_run(twice):
    _, (_, stages) = recorded(twice[0])
    assert stages["extra"].data.metrics["own"] == 7
    assert stages["extra"].data.params == {"note": "mine"}
    assert stages["extra"].info.status == "FINISHED"


def test_what_each_stage_records_itself_lands_in_its_own_run_also_by_autolog(run, client):
    setup = "import mlflow\nimport numpy as np\nfrom sklearn.linear_model import LinearRegression\nmlflow.autolog()"
    fit = "x = np.arange(9.0).reshape(-1, 1)\nmodel = LinearRegression().fit(x, x[:, 0])"
    cells = [("setup", setup), ("stage:a", "mlflow.log_metric('ma', 1)"), ("stage:b", "mlflow.log_metric('mb', 2)")]
    cells.append(("stage:fit", fit))
    first = run(cells)
    assert {stage.stage: stage.state for stage in first.stages} == {"a": "done", "b": "done", "fit": "done"}
    [(_, stages)] = recorded(client)  # and no run beside
    assert stages["a"].data.metrics["ma"] == 1
    assert stages["b"].data.metrics["mb"] == 2
    assert stages["fit"].data.metrics["training_r2_score"] == 1
    assert {one.dataset.source_type for one in stages["fit"].inputs.dataset_inputs} <= {"code"}, "only MLflow's own"
    assert {stage.state for stage in run(cells).stages} == {"reused"}


def test_output_notebook_and_run_json_are_artifacts(twice, tmp_path):
    client, (done, _) = twice
    _, (parent, _) = recorded(client)
    assert sorted(one.path for one in client.list_artifacts(parent.info.run_id)) == ARTIFACTS
    copy = Path(client.download_artifacts(parent.info.run_id, "run.json", str(tmp_path)))
    assert json.loads(copy.read_text())["id"] == done.id


def graph(client, run, folder):
    """What the titles in the graph of a run say: the whole, then arrows and boxes."""
    text = Path(client.download_artifacts(run.info.run_id, "graph.svg", str(folder))).read_text(encoding="utf-8")
    return [html.unescape(title) for title in re.findall(r"<title[^>]*>(.*?)</title>", text)]


def test_the_graph_is_an_artifact_with_the_state_of_each_stage_and_the_edges_as_they_turned_out(run, client, tmp_path):
    grow = ("", "%%stage grow\ngetattr(rows, 'app' + 'end')(len(rows))")  # nothing says so but the content
    cells = [
        ("stage:make", "rows = []"),
        grow,
        ("stage:bad", "1 / len(rows[1:])"),
        ("", "%%stage end needs=bad\nx = 1"),
    ]
    first = run(cells)
    assert first.state == "failed"
    second = run(cells)
    (again, _), (parent, _) = recorded(client)
    title, *others = graph(client, parent, tmp_path)
    assert title == f"notebook.ipynb, run {first.id}: failed"
    seconds = {stage.stage: f"{stage.duration:.1f} s" for stage in first.stages}
    assert others == [
        "bad -> end",
        "grow -> bad: rows",
        "make -> grow: rows",
        f"make: done · {seconds['make']}",
        f"grow: done · {seconds['grow']}",
        f"bad: failed · {seconds['bad']}",
        "end: not run",
    ]
    assert graph(client, again, tmp_path)[0] == f"notebook.ipynb, run {second.id}: failed"
    assert "make: reused" in graph(client, again, tmp_path)


def test_reused_stages_are_recorded_as_reused(twice):
    (_, stages), _ = recorded(twice[0])
    assert {one.data.tags["stagebook.state"] for one in stages.values()} == {"reused"}
    assert stages["train"].data.metrics["auc"] == 0.5


def test_failed_stage_and_run_are_failed(run, client):
    run([*CELLS[:2], ("stage:bad", "1 / 0")])
    [(parent, stages)] = recorded(client)
    assert (parent.info.status, stages["bad"].info.status, stages["train"].info.status) == (
        "FAILED",
        "FAILED",
        "FINISHED",
    )
    assert stages["bad"].data.tags["stagebook.reason"] == "cell 3, line 1: ZeroDivisionError: division by zero"


def test_switched_off_it_leaves_no_trace(run, tmp_path):
    run(CELLS[:2], track=False)
    assert not (tmp_path / ".stagebook/mlflow.db").exists()


def test_unreachable_server_costs_a_notice_and_not_the_run(run, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    events = []
    done = run(CELLS[:2], listeners=(events.append,))
    assert done.state == "done"
    notices = [event.message for event in events if isinstance(event, Notice)]
    assert len(notices) == 1
    told = f"Run {done.id} could not be recorded in MLflow at http://127.0.0.1:{port} yet (nothing answers there)."
    assert told in notices[0]


def test_a_server_named_by_the_environment_gets_the_runs(run, server, monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "elsewhere")
    run()
    [(parent, stages)] = recorded(MlflowClient(server.url), "elsewhere")
    assert parent.info.status == "FINISHED"
    assert stages["extra"].data.metrics["own"] == 7
    assert not (tmp_path / ".stagebook/mlflow.db").exists()


def test_a_run_that_breaks_off_does_not_stay_open(run, client, tmp_path, monkeypatch):
    from stagebook.run.output import OutputNotebook

    def fail(self):
        raise MemoryError

    monkeypatch.setattr(OutputNotebook, "save", fail)
    with pytest.raises(MemoryError):
        run(CELLS[:2])
    [(parent, _)] = recorded(client)
    assert parent.info.status == "FAILED"
    assert "graph.svg" not in [one.path for one in client.list_artifacts(parent.info.run_id)], "its edges are not known"
