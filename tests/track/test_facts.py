"""What MLflow is told of a run: where its code stands, what its stages started from, every number, when what ran."""

from __future__ import annotations

import subprocess
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient
from notebooks_factory import written
from recording import record_in_this_process

from stagebook.run.api import run_notebook
from stagebook.run.provenance import CHANGES, Inquiry
from stagebook.store.digests import digest_of

SCORES = "{'auc': len(rows) / 4, 'f1': 0.5, 'hits@5/': 1}"
LONG = "x" * 9000
NEW = b"what git does not know"
CELLS = [
    ("parameters", "depth = 2\nnote = 'short'"),
    ("setup", "import json"),
    ("stage:load", "with open('data.csv') as file:\n    rows = file.read().split()"),
    ("", f"%%stage train metrics=loss,scores\nloss = [3, 2, 1.5]\nscores = {SCORES}"),
    ("stage:show", "print(rows, loss)"),
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Two runs of a notebook in a git repository that has been changed since the commit; the second reuses a stage."""
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        record_in_this_process(patch)
        path = written(folder, CELLS)
        (folder / "data.csv").write_text("1 2")
        (folder / ".gitignore").write_text(".stagebook\nignored.txt\n")
        for words in (
            ["init", "-q"],
            ["add", "."],
            ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "as it was"],
        ):
            subprocess.run(["git", "-C", str(folder), *words], check=True)
        (folder / "data.csv").write_text("1 2 3")
        (folder / "ignored.txt").write_text("ignored")
        (folder / "new").mkdir()
        (folder / "new/größe\n.txt").write_bytes(NEW)
        (folder / "large.bin").write_bytes(bytes(10**8 + 1))
        first = run_notebook(path, parameters={"depth": 3, "note": LONG})
        edited = [*CELLS[:4], ("stage:show", "print(loss, rows)")]
        second = run_notebook(written(folder, edited), parameters={"depth": 3, "note": LONG})
    client = MlflowClient(f"sqlite:///{folder}/.stagebook/mlflow.db")
    return folder, client, first, second


def found(recorded, run):
    """MLflow's run of one of ours, and those of its stages by name."""
    _, client, *_ = recorded
    experiment = client.get_experiment_by_name("notebook").experiment_id
    [parent] = client.search_runs([experiment], filter_string=f"tags.`stagebook.run` = '{run.id}'")
    within = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    stages = client.search_runs([experiment], filter_string=within)
    return parent, {stage.data.tags["stagebook.stage"]: stage for stage in stages}


def test_a_series_is_recorded_step_by_step_and_a_dict_by_its_entries(recorded):
    _, client, first, _ = recorded
    parent, stages = found(recorded, first)
    for run in (parent, stages["train"]):
        history = client.get_metric_history(run.info.run_id, "loss")
        assert [(one.step, one.value) for one in history] == [(0, 3), (1, 2), (2, 1.5)]
        assert (run.data.metrics["scores.auc"], run.data.metrics["scores.f1"]) == (0.75, 0.5)
        assert run.data.metrics["scores.hits_5_"] == 1, "as MLflow takes names"
    assert first.metrics == {"loss": 1.5, "scores.auc": 0.75, "scores.f1": 0.5, "scores.hits@5/": 1}


def test_where_the_code_stands_is_told(recorded):
    folder, client, first, _ = recorded
    parent, _ = found(recorded, first)
    head = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert parent.data.tags["mlflow.source.git.commit"] == head.stdout.strip()
    assert parent.data.tags["stagebook.git.changed"] == "yes"
    changes = Path(
        client.download_artifacts(parent.info.run_id, "changes.diff", str(folder / ".stagebook"))
    ).read_text()
    assert "-1 2\n" in changes
    assert "+1 2 3\n" in changes
    _, _, unknown = changes.partition(
        "# Files that git does not know, with digests of what they held at the run's end:\n"
    )
    assert unknown.splitlines() == [
        "# 100000001 bytes  large.bin",
        f"# {digest_of(NEW)}  'new/gr\\xf6\\xdfe\\n.txt'",
    ]
    assert parent.data.tags["stagebook.store"] == str(folder / ".stagebook")
    assert len(parent.data.tags["stagebook.notebook.digest"]) == 32
    assert parent.data.tags["stagebook.version.python"].startswith("3.")


def test_files_that_git_does_not_know_are_listed_up_to_a_number_and_are_no_change(tmp_path):
    for number in range(203):
        (tmp_path / f"{number:03}.txt").write_text("x")
    path = written(tmp_path, CELLS)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", path.name], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    (tmp_path / "kept").mkdir()
    known = Inquiry(path).answer(tmp_path / "kept")
    lines = (tmp_path / "kept" / CHANGES).read_text().splitlines()
    assert (known.changed, len(lines), lines[-1]) == (False, 202, "# and 3 more")
    assert lines[1] == f"# {digest_of(b'x')}  000.txt"


def test_a_reused_stage_names_the_run_that_made_it(recorded):
    *_, first, second = recorded
    _, stages = found(recorded, second)
    assert {name: stage.data.tags.get("stagebook.origin") for name, stage in stages.items()} == {
        "load": first.id,
        "train": first.id,
        "show": None,
    }


def test_what_a_stage_started_from_is_known_by_its_content(recorded):
    *_, first, _ = recorded
    _, stages = found(recorded, first)
    inputs = {
        name: {(one.dataset.name, one.dataset.source_type): one.dataset.digest for one in stage.inputs.dataset_inputs}
        for name, stage in stages.items()
    }
    assert set(inputs["load"]) == {("data.csv", "local")}
    assert set(inputs["show"]) == {("rows", "stagebook"), ("loss", "stagebook")}
    rows = stages["load"].data.tags["stagebook.output.rows"].partition("#")[0]
    assert inputs["show"]["rows", "stagebook"] == rows


def test_a_trace_shows_when_what_ran(recorded):
    folder, client, first, second = recorded
    mlflow.set_tracking_uri(f"sqlite:///{folder}/.stagebook/mlflow.db")
    try:
        experiment = client.get_experiment_by_name("notebook").experiment_id
        for run, ran in ((first, ["load", "train", "show"]), (second, ["show"])):
            parent, _ = found(recorded, run)
            [trace] = client.search_traces(locations=[experiment], run_id=parent.info.run_id)
            names = {span.span_id: span.name for span in trace.data.spans}
            below = [(names.get(span.parent_id), span.name) for span in trace.data.spans]
            root = f"notebook {run.id}"
            assert [name for above, name in below if above == root] == ran
            assert [name for above, name in below if above == "show"][-1] == "cell 5"
            for span in trace.data.spans:
                assert 0 <= span.end_time_ns - span.start_time_ns <= run.duration * 1e9 + 1e6
    finally:
        mlflow.set_tracking_uri(None)


def test_a_long_parameter_is_cut_as_mlflow_would_refuse_it(recorded):
    *_, first, _ = recorded
    parent, _ = found(recorded, first)
    assert parent.data.params == {"depth": "3", "note": f"{LONG[:5999]}…"}
