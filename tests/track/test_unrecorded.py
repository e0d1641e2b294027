"""A run that needs no kernel is recorded by a process that outlives it, and nothing of it is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient
from notebooks_factory import written
from recording import record_in_this_process

from stagebook.plan import Selection
from stagebook.run.unrecorded import unrecorded
from stagebook.track.recorder import record_unrecorded

CELLS = [
    ("parameters", "depth = 2"),
    ("stage:train", "%%stage train metrics=auc\nauc = depth / 4"),
    ("stage:show", "print(auc)"),
]
HEAVY = {
    *("pandas", "numpy", "mlflow", "papermill", "nbformat", "nbclient", "jupyter_client", "pyarrow", "cloudpickle"),
    *("fsspec", "IPython", "zmq", "jsonschema"),
}


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Recorded beside the notebook; not as in a CI job, where one waits for the recorder."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "CI"):
        monkeypatch.delenv(name, raising=False)


def call(folder, *words, **environment):
    """`stagebook run notebook.ipynb` in a process of its own: what it printed, and the modules that it had loaded."""
    code = (
        "import sys\nfrom stagebook.cli import main\ntry:\n    main(sys.argv[1:])\n"
        "finally:\n    print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", code, "run", "notebook.ipynb", *words]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr
    told, _, loaded = done.stdout.rpartition("LOADED")
    return told + done.stderr, set(loaded.split())


def recorders(folder):
    """The processes that record what is kept in this folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if str(folder / ".stagebook") in words and any("stagebook.track.recorder" in word for word in words):
            found.append(process)
    return found


def wait_until(true, seconds=120):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it does not come to pass"
        time.sleep(0.05)


def runs_in(folder, uri=None):
    """The recorded runs of pipelines, the oldest first, each with its stages by name."""
    client = MlflowClient(uri or f"sqlite:///{folder}/.stagebook/mlflow.db")
    experiment = client.get_experiment_by_name("notebook")
    if experiment is None:
        return []
    found = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
    stages = {}
    for one in found:
        if "mlflow.parentRunId" in one.data.tags:
            stages.setdefault(one.data.tags["mlflow.parentRunId"], {})[one.data.tags["stagebook.stage"]] = one
    return [(one, stages.get(one.info.run_id, {})) for one in found if "mlflow.parentRunId" not in one.data.tags]


@pytest.fixture
def ran(tmp_path):
    """A folder with a notebook that has been run, and recorded, once."""
    written(tmp_path, CELLS)
    with pytest.MonkeyPatch.context() as patch:
        record_in_this_process(patch)
        call_here(tmp_path)
    return tmp_path


def test_a_run_in_which_nothing_changed_loads_nothing_heavy_and_is_recorded(ran):
    told, loaded = call(ran)
    assert "All is up to date: 2 stages reused" in told
    assert "mlflow ui --backend-store-uri" in told
    assert loaded & HEAVY == set()
    wait_until(lambda: not list(unrecorded(ran / ".stagebook")) and not recorders(ran))
    (first, _), (second, stages) = runs_in(ran)
    assert second.info.status == "FINISHED"
    assert second.info.start_time > first.info.start_time
    assert second.data.params == {"depth": "2"}
    assert second.data.metrics["auc"] == 0.5
    assert {name: one.data.tags["stagebook.state"] for name, one in stages.items()} == {
        "train": "reused",
        "show": "reused",
    }
    before = {name: one.data.tags for name, one in runs_in(ran)[0][1].items()}
    for tag in ("stagebook.fingerprint", "stagebook.output.auc"):
        assert stages["train"].data.tags[tag] == before["train"][tag]
    assert stages["train"].data.metrics["auc"] == 0.5


def test_notebook_and_run_json_are_kept_as_they_were_though_the_next_run_replaces_them(ran, monkeypatch):
    with_no_recorder(monkeypatch)
    call_here(ran, out=ran / "out")
    call_here(ran, out=ran / "out")
    one, two = list(unrecorded(ran / ".stagebook"))
    record_unrecorded(ran / ".stagebook")
    client = MlflowClient(f"sqlite:///{ran}/.stagebook/mlflow.db")
    for kept, (run, _) in zip((one, two), runs_in(ran)[1:], strict=True):
        copy = Path(client.download_artifacts(run.info.run_id, "run.json", str(ran)))
        assert json.loads(copy.read_text())["id"] == kept.id == run.data.tags["stagebook.run"]
        assert sorted(file.path for file in client.list_artifacts(run.info.run_id)) == [
            "graph.svg",
            "notebook.ipynb",
            "run.json",
        ]


def with_no_recorder(monkeypatch):
    """As if the process that records were killed before it had begun."""
    monkeypatch.setattr("stagebook.run.recording.start_recorder", lambda home, *, wait=False: False)


def call_here(folder, **options):
    from stagebook.run.api import run_notebook

    return run_notebook(folder / "notebook.ipynb", later=True, **options)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL as on POSIX")
@pytest.mark.parametrize("moment", ["at once", "half way"])
def test_a_killed_recorder_loses_nothing_and_nothing_is_recorded_twice(ran, moment):
    call(ran)
    [recorder] = recorders(ran)
    if moment == "half way":
        wait_until(lambda: len(runs_in(ran)) == 2 or not recorder.is_running())
    recorder.send_signal(signal.SIGKILL)
    wait_until(lambda: not recorders(ran))
    call(ran)
    wait_until(lambda: not list(unrecorded(ran / ".stagebook")) and not recorders(ran))
    found = runs_in(ran)
    assert [run.info.status for run, _ in found] == ["FINISHED"] * 3
    assert [set(stages) for _, stages in found] == [{"train", "show"}] * 3
    assert len({run.data.tags["stagebook.run"] for run, _ in found}) == 3


def test_what_was_left_is_recorded_by_the_next_run_that_records_anyway(ran, monkeypatch):
    with_no_recorder(monkeypatch)
    call_here(ran)
    call(ran, "--force", CI="true")
    assert not list(unrecorded(ran / ".stagebook"))
    assert sorted(run.info.status for run, _ in runs_in(ran)) == ["FINISHED"] * 3


def test_a_server_that_is_away_is_told_of_by_the_next_run_and_told_later(ran, monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    call(ran, MLFLOW_TRACKING_URI=away)
    wait_until(lambda: not recorders(ran))
    told, _ = call(ran, MLFLOW_TRACKING_URI=away)
    assert "could not be recorded in MLflow at http://127.0.0.1" in told
    wait_until(lambda: not recorders(ran))
    record_unrecorded(ran / ".stagebook")  # what is meant for the server does not go elsewhere
    assert len(runs_in(ran)) == 1
    monkeypatch.setenv("MLFLOW_TRACKING_URI", away)
    assert len(list(unrecorded(ran / ".stagebook"))) == 2


def test_no_password_of_the_server_is_written_down(ran, monkeypatch):
    with_no_recorder(monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://somebody:s3cret@example.invalid")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "s3cret")
    call_here(ran)
    kept = [path.read_text() for path in (ran / ".stagebook/unrecorded").rglob("*") if path.is_file()]
    assert kept
    assert not any("s3cret" in text or "example.invalid" in text for text in kept)


def test_without_tracking_nothing_is_recorded(ran):
    call(ran, "--no-track")
    assert recorders(ran) == []
    assert not list((ran / ".stagebook").glob("unrecorded/[!.]*"))


def test_where_all_ends_with_the_run_the_record_is_there_when_it_ends(ran):
    call(ran, CI="true")
    assert len(runs_in(ran)) == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{taken.getsockname()[1]}"
    told, _ = call(ran, CI="true", MLFLOW_TRACKING_URI=away, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
    assert "could not be recorded in MLflow at http://127.0.0.1" in told


def test_one_that_cannot_be_recorded_keeps_no_other_from_it(ran, monkeypatch):
    with_no_recorder(monkeypatch)
    call_here(ran)
    call_here(ran)
    broken, whole = list(unrecorded(ran / ".stagebook"))
    facts = json.loads((broken.folder / "run.json").read_text())
    (broken.folder / "run.json").write_text(json.dumps({**facts, "started": "never"}))
    [left] = record_unrecorded(ran / ".stagebook")
    assert left.id == broken.id
    assert "never" in left.failed
    assert [one.id for one in unrecorded(ran / ".stagebook")] == [broken.id], "MLflow leaves the environment as it was"
    assert runs_in(ran)[-1][0].data.tags["stagebook.run"] == whole.id


def test_what_cannot_be_made_of_a_run_is_told_and_keeps_nothing_else_from_being_recorded(ran, monkeypatch):
    with_no_recorder(monkeypatch)
    monkeypatch.setattr("stagebook.track.extras._LARGE", 10)
    call_here(ran, selection=Selection(force=True))
    assert record_unrecorded(ran / ".stagebook") == []
    run, stages = runs_in(ran)[-1]
    assert run.data.tags["stagebook.incomplete"] == "notebook.ipynb is too large to make a page of it"
    assert (run.info.status, set(stages)) == ("FINISHED", {"train", "show"})
