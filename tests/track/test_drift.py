"""Drift in the record: what a version was trained on as what data was before, and what MLflow keeps of a comparison."""

import json
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from notebooks_factory import written
from recording import record_in_this_process

from stagebook.cli import main
from stagebook.drift.api import drift
from stagebook.errors import StagebookError
from stagebook.run.api import run_notebook
from stagebook.track.place import client_for

TRAIN = [
    ("setup", "import numpy as np\nimport pandas as pd\nfrom sklearn.linear_model import LogisticRegression"),
    (
        "stage:load",
        "rng = np.random.default_rng(0)\n"
        "trips = pd.DataFrame({'delay': rng.normal(size=400), 'seats': rng.normal(size=400), 'note': 'x'})\n"
        "late = trips['delay'] > 0",
    ),
    ("", "%%stage train model=model\nmodel = LogisticRegression().fit(trips[['delay', 'seats']], late)"),
]
WATCH = [
    (
        "stage:load",
        "import numpy as np\nimport pandas as pd\nrng = np.random.default_rng(1)\n"
        "july = pd.DataFrame({'delay': rng.normal(2, 1, 400), 'seats': rng.normal(size=400)})",
    ),
    ("", "%%stage watch drift=models:/flights@challenger:july\nprint(len(july))"),
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a notebook whose model is registered, and of one that watches the data."""
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        record_in_this_process(patch)
        assert run_notebook(written(folder, TRAIN, "flights.ipynb")).state == "done"
        yield folder


@pytest.fixture(scope="module")
def watched(trained):
    """A run of the notebook that watches."""
    return run_notebook(written(trained, WATCH, "watch.ipynb"))


def now(**columns):
    return pd.DataFrame({"delay": [0.1] * 300, "seats": [0.2] * 300, **columns})


def test_before_is_what_the_version_was_trained_on(trained):
    found = drift("models:/flights/1", now(), home=trained / ".stagebook")
    assert found.reference == "trips of models:/flights/1"
    assert found.reference_rows == 400
    assert {one.name for one in found.columns} == {"delay", "seats"}, "of the table, what the model takes"
    assert found.detected


def test_a_column_that_is_no_input_is_there_where_it_is_named(trained):
    found = drift("models:/flights/1", now(note="x"), target="note", home=trained / ".stagebook")
    assert {one.name: one.role for one in found.columns} == {"delay": "feature", "seats": "feature", "note": "target"}


def test_the_command_takes_it_too(trained, monkeypatch):
    monkeypatch.chdir(trained)
    now().to_parquet("now.parquet")
    done = CliRunner().invoke(main, ["drift", "models:/flights@challenger", "now.parquet", "--fail-on", "drift"])
    assert done.exit_code == 4, done.output
    assert "trips of models:/flights/1, 400 rows" in done.output


def test_what_a_stage_made_last_can_be_named(trained, monkeypatch):
    monkeypatch.chdir(trained)
    now().to_parquet("now.parquet")
    done = CliRunner().invoke(main, ["drift", "flights.ipynb:trips", "now.parquet"])
    assert done.exit_code == 0, done.output
    assert "note" in done.output, "all of its columns"
    gone = CliRunner().invoke(main, ["drift", "flights.ipynb:trip", "now.parquet"])
    assert (gone.exit_code, "Did you mean `trips`?" in gone.output) == (2, True)


def test_without_its_store_it_is_said_what_to_do(trained, tmp_path):
    (trained / ".stagebook" / "blobs").rename(tmp_path / "blobs")
    try:
        with pytest.raises(StagebookError, match="is not in .* any more .* Run flights.ipynb again, or give the data"):
            drift("models:/flights/1", now(), home=trained / ".stagebook")
    finally:
        (tmp_path / "blobs").rename(trained / ".stagebook" / "blobs")


def test_a_stage_compares_with_a_version_each_time(watched):
    assert watched.state == "done"
    assert watched.metrics["drift.detected"] == 1
    again = run_notebook(watched.notebook)
    assert {one.stage: one.state for one in again.stages} == {"load": "reused", "watch": "done"}


def test_mlflow_has_scores_card_and_all_of_it(trained, watched, tmp_path):
    client = client_for(trained / ".stagebook")
    experiment = client.get_experiment_by_name("watch").experiment_id
    runs = client.search_runs([experiment], f"tags.`stagebook.run` = '{watched.id}'")
    metrics = {name: value for run in runs for name, value in run.data.metrics.items()}
    assert metrics["drift.score.delay"] < 0.05 < metrics["drift.score.seats"]
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    kept = {artifact.path for artifact in client.list_artifacts(parent.info.run_id, "drift")}
    assert kept == {"drift/drift.html", "drift/drift.json"}
    kept_at = client.download_artifacts(parent.info.run_id, "drift/drift.json", str(tmp_path))
    told = json.loads(Path(kept_at).read_text())
    assert [one["name"] for one in told["columns"] if one["drifted"]] == ["delay"]
