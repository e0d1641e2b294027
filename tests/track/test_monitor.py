"""A monitor over a log of requests, with a real registry, a real webhook, a real retraining."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner
from notebooks_factory import written
from recording import record_in_this_process
from tests.asked import DAY, FIRST, TRAIN, ask

from stagebook.cli import main
from stagebook.drift.acting import MONITOR, Record, Tell
from stagebook.drift.monitor import Watch, history_of, report_due
from stagebook.errors import StagebookError
from stagebook.run.api import run_notebook
from stagebook.track.place import client_for


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a notebook whose model is the one in use."""
    folder = tmp_path_factory.mktemp("monitored")
    with pytest.MonkeyPatch.context() as patch:
        record_in_this_process(patch)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)  # MLflow sets it, for tests that came before
        patch.chdir(folder)
        assert run_notebook(written(folder, TRAIN, "flights.ipynb")).state == "done"
        client = client_for(folder / ".stagebook")
        client.set_registered_model_alias("flights", "champion", "1")
        yield folder


@pytest.fixture
def watch(trained, tmp_path):
    """Of days, with a history of its own."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "mlflow.db").symlink_to(trained / ".stagebook" / "mlflow.db")
    return Watch("models:/flights@champion", tmp_path / "log", home, DAY, DAY)


def after(days):
    return FIRST + days * DAY + timedelta(hours=1)


def test_each_day_is_reported_once_and_missed_days_are_caught_up_with(watch):
    ask(watch.log, 0)
    ask(watch.log, 1, moved=2)
    first = report_due(watch, "flights", now=after(2))
    assert [(str(one.window), one.detected, one.rows) for one in first] == [
        ("2026-11-02", False, 800),
        ("2026-11-03", True, 800),
    ]
    assert first[1].drifted[0] == "prediction"
    assert "delay" in first[1].drifted
    assert report_due(watch, "flights", now=after(2)) == []
    ask(watch.log, 4)
    later = report_due(watch, "flights", now=after(5))
    assert [(str(one.window), one.share is None, one.note) for one in later] == [
        ("2026-11-04", True, "no requests: nothing is said"),
        ("2026-11-05", True, "no requests: nothing is said"),
        ("2026-11-06", False, later[2].note),
    ]
    history = history_of(watch, "flights")
    assert [one.rows for one in history.reported] == [800, 800, 0, 0, 800]
    page = (history.folder / "history.html").read_text()
    assert f'href="{first[1].page}"' in page
    assert "data:image/svg+xml" in history._repr_html_()
    assert "prediction" in (history.folder / first[1].page).read_text()


def test_too_few_rows_are_no_verdict(watch):
    ask(watch.log, 0, rows=5, moved=9)
    [one] = report_due(watch, "flights", now=after(1))
    assert (one.share, one.detected, one.note) == (None, False, "fewer than 30 rows: nothing is said")


def test_a_log_without_a_row_and_one_that_is_not_there(watch):
    with pytest.raises(StagebookError, match="There is no request log in"):
        report_due(watch, "flights", now=after(1))
    watch.log.mkdir()
    assert report_due(watch, "flights", now=after(1)) == []


def test_an_input_can_say_when_a_row_is_of(watch):
    frame = ask(watch.log, 0, rows=400)
    frame["at"] = [f"2013-0{1 + one // 200}-15" for one in range(400)]
    frame.to_parquet(next(watch.log.rglob("*.parquet")))
    month = replace(watch, by="at", length=timedelta(days=28), step=timedelta(days=28))
    assert [one.rows for one in report_due(month, "flights")] == [200]
    with pytest.raises(StagebookError, match="has no column `att`. Did you mean `at`?"):
        report_due(replace(month, by="att"), "flights")


def test_labels_that_came_later_say_how_good_it_was(watch, tmp_path):
    frame = ask(watch.log, 0)
    labels = frame[["stagebook.request", "stagebook.row"]].assign(late=frame["prediction"] ^ (frame.index % 4 == 0))
    labels.to_csv(tmp_path / "labels.csv", index=False)
    [one] = report_due(replace(watch, labels=tmp_path / "labels.csv", target="late"), "flights", now=after(1))
    assert one.performance["accuracy"] == pytest.approx(0.75)
    assert one.before["accuracy"] > 0.85, "of the training data, which has labels"


def test_mlflow_has_each_window_once_under_the_version(watch, trained):
    recorded = replace(watch, steps={"record": Record(watch.home)})
    ask(watch.log, 0)
    ask(watch.log, 1, moved=2)
    report_due(recorded, "flights", now=after(2))
    history = history_of(watch, "flights")
    for one in history.reported:
        history.add(replace(one, todo=("record",)))  # as if it had been killed before it noted that MLflow knows
    report_due(recorded, "flights", now=after(2))
    client = client_for(trained / ".stagebook")
    experiment = client.get_experiment_by_name("flights monitor").experiment_id
    assert client.get_experiment(experiment).artifact_location == (watch.home / "mlartifacts").as_uri()
    [run] = client.search_runs([experiment], f"tags.`{MONITOR}` = 'flights'")
    shares = client.get_metric_history(run.info.run_id, "drift.share")
    assert [one.value for one in shares] == [0.0, 0.5]
    assert [one.timestamp for one in shares] == [int((FIRST + n * DAY).timestamp() * 1000) for n in (1, 2)]
    told = json.loads(client.get_model_version("flights", "1").tags["stagebook.drift"])
    assert (told["window"], told["detected"]) == ("2026-11-03", True)


def test_what_mlflow_gets_lies_beside_its_record(watch, trained):
    """Not in `mlruns` wherever the monitor was started: a service of MLflow's for that record would not find it."""
    ask(watch.log, 0)
    report_due(replace(watch, steps={"record": Record(watch.home)}), "flights", now=after(1))
    kept = client_for(trained / ".stagebook").get_experiment_by_name("flights monitor").artifact_location
    assert kept.startswith("file://")
    assert kept.endswith("/mlartifacts")


def test_a_version_is_asked_though_its_files_cannot_be_written_beside(watch, trained):
    """MLflow itself would write `registered_model_meta` there; in a container the store is read-only."""
    ask(watch.log, 0)
    before = sorted((trained / ".stagebook/mlartifacts").rglob("*"))
    assert [one.rows for one in report_due(watch, "flights", now=after(1))] == [800]
    assert sorted((trained / ".stagebook/mlartifacts").rglob("*")) == before
    assert not [path for path in before if path.name == "registered_model_meta"]


@pytest.mark.parametrize("verb", ["monitor", "lineage", "drift", "promote", "rollback"])
def test_mlflow_that_is_away_is_told_in_a_line(trained, monkeypatch, tmp_path, verb):
    monkeypatch.chdir(trained)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    ask(tmp_path / "log", 0).to_parquet(tmp_path / "now.parquet")
    words = {
        "monitor": ["models:/flights@champion", "--once", "--log", str(tmp_path / "log"), "--window", "1d"],
        "drift": ["models:/flights@champion", str(tmp_path / "now.parquet")],
    }.get(verb, ["flights.ipynb"])
    done = CliRunner().invoke(main, [verb, *words])
    assert done.exit_code == 2, done.output
    told = "stagebook: MLflow cannot be asked about model `flights` (nothing answers there)."
    assert done.output.startswith(told)
    assert "MLFLOW_TRACKING_URI" in done.output


def test_a_monitor_goes_on_where_mlflow_is_still_starting(trained, tmp_path):
    ask(tmp_path / "log", 0)
    words = ["monitor", "models:/flights@champion", "--log", str(tmp_path / "log"), "--window", "1d"]
    away = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:9", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    with subprocess.Popen(
        [sys.executable, "-m", "stagebook", *words],
        cwd=trained,
        env={**os.environ, **away},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        said = [process.stderr.readline(), process.stderr.readline()]
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert said[0].startswith("stagebook: MLflow cannot be asked")
    again = datetime.strptime(said[1].strip(), "The next look is at %Y-%m-%d %H:%M:%S UTC.")
    assert again - datetime.now(timezone.utc).replace(tzinfo=None) < timedelta(seconds=15)


class Hook(BaseHTTPRequestHandler):
    """Refuses as often as it is told to, then takes what comes."""

    def do_POST(self):
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refuses = self.server.refusals > 0
        self.server.refusals -= refuses
        self.server.told += [] if refuses else [told]
        self.send_response(400 if refuses else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def hook():
    server = HTTPServer(("127.0.0.1", 0), Hook)
    server.told, server.refusals = [], 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


def test_a_webhook_is_told_of_drift_and_again_if_it_was_away(watch, hook):
    address = f"http://127.0.0.1:{hook.server_port}/key-in-the-path"
    alarmed = replace(watch, steps={"tell": Tell(address)})
    ask(watch.log, 0)
    ask(watch.log, 1, moved=2)
    hook.refusals = 1
    with pytest.raises(StagebookError, match="The webhook was not told of 2026-11-03") as raised:
        report_due(alarmed, "flights", now=after(2))
    assert "key-in-the-path" not in str(raised.value)
    assert hook.told == []
    assert report_due(alarmed, "flights", now=after(2)) == []
    [told] = hook.told
    assert told["text"].startswith("Drift of flights 1, 2026-11-03: 2 of 3 columns have drifted")
    assert (told["id"], told["drifted"]) == ("flights 2026-11-04T00:00:00+00:00", ["prediction", "delay"])
    assert report_due(alarmed, "flights", now=after(2)) == []
    assert len(hook.told) == 1


def test_drift_retrains_and_the_next_window_is_held_against_the_new_version(trained, monkeypatch, tmp_path):
    monkeypatch.chdir(trained)
    log = tmp_path / "log"
    ask(log, 0)
    ask(log, 1, moved=2)
    words = ["monitor", "models:/flights@champion", "--log", str(log), "--window", "1d", "--by", "stagebook.time"]
    words += ["--once", "--retrain", "flights.ipynb", "-p", "moved", "2.0", "-p", "seed", "1"]
    ask(log, 2, moved=2)  # its last row says that the day before is over
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 4, done.output
    assert "retraining: promoted" in done.output
    client = client_for(Path(".stagebook"))
    assert str(client.get_registered_model("flights").aliases["champion"]) == "2"
    ask(log, 2, moved=2, usual=2.0)
    ask(log, 3, moved=2, usual=2.0)
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "2026-11-04: no drift" in done.output
    assert "version 2" in done.output
    again = CliRunner().invoke(main, words)
    assert again.output == "No window is over that was not looked at.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["models:/flight@champion"], "There is no registered model `flight`."),
        (["models:/flights@campion"], "No version of model `flights` is called @campion."),
        (["models:/flights@champion", "--window", "soon"], "`soon` is no length of time."),
        (["models:/flights@champion", "--window", "1d", "--every", "2d"], "--every is longer than --window"),
        (["models:/flights@champion", "--labels", "l.csv"], "--labels needs --target"),
        (["models:/flights@champion", "-p", "a", "1"], "-p is for --retrain NOTEBOOK."),
        (["models:/flights@champion", "--labels", "l.csv", "--target", "late"], "There is no file l.csv."),
        (["models:/flights@champion", "--retrain", "gone.ipynb"], "There is no notebook at gone.ipynb."),
        (["models:/flights@champion", "--webhook", "hooks.example.com/1"], "does not begin with http:// or https://"),
        (["models:/flights@champion", "--by", "seats"], "`seats` of the request log holds numbers."),
    ],
)
def test_what_cannot_be_is_said_in_a_line(trained, monkeypatch, tmp_path, words, told):
    monkeypatch.chdir(trained)
    ask(tmp_path / "log", 0)
    done = CliRunner().invoke(
        main,
        ["monitor", *words, "--log", str(tmp_path / "log"), "--once", "--window", "1d"][
            : None if "--window" not in words else -2
        ],
    )
    assert (done.exit_code, told in done.output) == (2, True), done.output
