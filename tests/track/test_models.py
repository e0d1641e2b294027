"""Models in the registry: what a version holds and leads to, each result once, aliases, gates, and the way back."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import numpy as np
import pytest
from late_models import CELLS, Registry
from recording import record_in_this_process
from tracking_server import Server

from stagebook.events import Notice
from stagebook.run.unrecorded import take_notes

pytestmark = pytest.mark.timeout(600)  # each model is packed in a kernel of its own


@pytest.fixture
def registry(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    record_in_this_process(monkeypatch)
    return Registry(tmp_path)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """A model's life: the first is promoted, run again, a worse one is not, a better one is and is taken back."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        record_in_this_process(patch)
        one = Registry(tmp_path_factory.mktemp("registered"))
        told, store = {}, ["--store", str(one.home)]

        def step(name, *words):
            told[name] = (one.command(*words), one.aliases())

        step("unrecorded", "lineage", "late", *store)
        step("first", "run", str(one.path), "--promote", "-p", "depth", "2")
        step("again", "run", str(one.path), "--promote", "-p", "depth", "2")
        step("worse", "run", str(one.path), "--promote", "-p", "depth", "1")
        step("refused", "promote", str(one.path))
        step("better", "run", str(one.path), "-p", "depth", "5")
        step("promoted", "promote", "late", "--why", "deeper trees", *store)
        step("already", "promote", "late/3", *store)
        step("back", "rollback", str(one.path), "--why", "too slow")
        step("no further", "rollback", str(one.path))
        one.told = told
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{one.home}/mlflow.db")
        yield one


@pytest.fixture
def server(story, tmp_path):
    """MLflow's server on the story's record."""
    one = Server(tmp_path, store=f"sqlite:///{story.home}/mlflow.db")
    one.start()
    try:
        yield one
    finally:
        one.stop()


class TestVersion:
    def test_it_predicts_what_the_notebooks_model_does(self, story):
        loaded = mlflow.pyfunc.load_model("models:/late/1")
        said = loaded.predict(loaded.input_example)
        assert said.shape == (5, 2)
        assert np.allclose(said.sum(axis=1), 1)

    def test_its_signature_is_of_what_the_stage_read(self, story):
        signature = mlflow.models.get_model_info("models:/late/1").signature
        columns = [(one.name, one.type.name, one.required) for one in signature.inputs]
        assert columns == [("size", "double", True), ("shop", "boolean", True), ("age", "double", False)]

    def test_its_requirements_are_pinned_and_of_what_it_stands_on(self, story):
        folder = mlflow.artifacts.download_artifacts("models:/late/1")
        lines = Path(folder, "requirements.txt").read_text().splitlines()
        assert all("==" in line for line in lines)
        assert {"mlflow", "scikit-learn", "pandas", "skops"} <= {line.split("==")[0] for line in lines}
        assert not {"stagebook", "papermill", "jupyterlab"} & {line.split("==")[0] for line in lines}

    def test_it_is_saved_in_a_form_that_runs_no_code_when_loaded(self, story):
        assert story.versions()[0].tags["stagebook.serialization"] == "skops"
        assert Path(mlflow.artifacts.download_artifacts("models:/late/1"), "model.skops").is_file()

    def test_its_tags_lead_to_run_stage_and_data(self, story):
        version = story.versions()[0]
        run = story.client.get_run(version.run_id)
        assert run.data.tags["stagebook.stage"] == version.tags["stagebook.stage"] == "train"
        assert run.data.tags["stagebook.fingerprint"] == version.tags["stagebook.fingerprint"]
        assert run.data.tags["stagebook.output.model"] == version.tags["stagebook.content"]
        assert run.outputs.model_outputs[0].model_id in version.source
        assert list(json.loads(version.tags["stagebook.data"])) == ["data.csv"]
        parent = story.client.get_run(run.data.tags["mlflow.parentRunId"])
        assert parent.data.tags["stagebook.run"] == version.tags["stagebook.run"]

    def test_lineage_prints_the_chain(self, story):
        result = story.command("lineage", "models:/late@champion", "--store", str(story.home))
        assert result.exit_code == 0, result.output
        run = story.versions()[0].tags["stagebook.run"]
        for part in (run, "made by 3 stages", "load ", "prepare ", "train ", "data.csv", "depth = 2"):
            assert part in result.output
        told = json.loads(story.command("lineage", "late/1", "--store", str(story.home), "--format", "json").output)
        assert [stage["stage"] for stage in told["stages"]] == ["load", "prepare", "train"]
        assert told["missing"] == []

    def test_the_runs_of_two_versions_are_compared(self, story):
        result = story.command("lineage", "late/3", "--diff", "late/1", "--store", str(story.home))
        assert result.exit_code == 0, result.output
        assert "depth  2 -> 5" in result.output


class TestStory:
    def test_each_result_is_registered_once_and_told_of_later_runs(self, story):
        versions = story.versions()
        assert [version.version for version in versions] == [1, 2, 3]
        registered, evaluated = versions[0].tags["stagebook.run"], versions[0].tags["stagebook.evaluated"]
        assert story.client.get_run(evaluated).data.tags["stagebook.run"] > registered

    def test_the_first_becomes_champion(self, story):
        result, aliases = story.told["first"]
        assert result.exit_code == 0, result.output
        assert "there is no champion yet" in result.output
        assert "Version 1 of `late` is @champion now, the first." in result.output
        assert aliases == {"champion": 1}

    def test_the_run_of_the_champion_itself_passes_its_gate(self, story):
        result, aliases = story.told["again"]
        assert result.exit_code == 0, result.output
        assert "is @champion already" in result.output
        assert aliases == {"champion": 1}

    def test_a_worse_one_stays_the_challenger(self, story):
        result, aliases = story.told["worse"]
        assert result.exit_code == 3, result.output
        assert "champion.auc = " in result.output
        assert aliases == {"champion": 1, "challenger": 2}
        refused, aliases = story.told["refused"]
        assert refused.exit_code == 3
        assert "@champion stays with version 1" in refused.output
        assert aliases == {"champion": 1, "challenger": 2}

    def test_a_better_one_takes_over_by_whom_and_why(self, story):
        run, aliases = story.told["better"]
        assert "a version of `late` in MLflow" in run.output
        assert aliases == {"champion": 1, "challenger": 3}
        result, aliases = story.told["promoted"]
        assert "Version 3 of `late` is @champion now, after version 1." in result.output
        assert aliases == {"champion": 3}
        note = json.loads(story.versions()[2].tags["stagebook.promoted.champion"])
        assert (note["why"], note["before"]) == ("deeper trees", "1")
        assert note["by"]
        assert "is @champion already" in story.told["already"][0].output

    def test_lineage_tells_of_both(self, story):
        result = story.command("lineage", "late/3", "--store", str(story.home))
        assert ": deeper trees" in result.output
        assert "rolled back.champion, by " in result.output
        assert ": too slow" in result.output

    def test_it_is_taken_back_as_far_as_there_was_one(self, story):
        result, aliases = story.told["back"]
        assert "@champion of `late` is version 1 again, after version 3." in result.output
        assert aliases == {"champion": 1}
        result, aliases = story.told["no further"]
        assert result.exit_code == 2
        assert "version 1 is the first that has it" in result.output
        assert aliases == {"champion": 1}

    def test_a_version_of_unknown_origin_is_not_promoted(self, story):
        story.client.create_registered_model("strange")
        story.client.create_model_version("strange", story.versions()[0].source)
        refused = story.command("promote", "strange/1", "--store", str(story.home))
        assert refused.exit_code == 2
        assert "it cannot be told where it comes from" in refused.output
        lineage = story.command("lineage", "strange/1", "--store", str(story.home))
        assert lineage.exit_code == 1
        assert "missing: " in lineage.output

    @pytest.mark.parametrize(
        ("words", "told"),
        [
            (["lineage", "lat"], "There is no registered model `lat`. Did you mean `late`?"),
            (["lineage", "late/7"], "Model `late` has no version 7"),
            (["lineage", "late@best"], "No version of model `late` is called @best. There is: @champion."),
            (["promote", "late", "--from", "best"], "No version of model `late` is called @best."),
            (["promote", "a/b/c"], "`a/b/c` names no model version."),
        ],
    )
    def test_what_is_asked_for_and_not_there_is_told(self, story, words, told):
        result = story.command(*words, "--store", str(story.home))
        assert result.exit_code == 2
        assert told in result.output

    def test_where_nothing_is_recorded_that_is_told(self, story):
        result, _ = story.told["unrecorded"]
        assert result.exit_code == 2
        assert "No run has been recorded in" in result.output


class TestRegistering:
    def test_a_failed_run_registers_nothing(self, registry):
        registry.run([*CELLS[:5], ("stage:evaluate", "1 / 0")])
        assert registry.versions() == []

    def test_points_of_a_sweep_register_nothing(self, registry):
        result = registry.command("sweep", str(registry.path), "-p", "depth", "1,2", "--maximize", "auc")
        assert result.exit_code == 0, result.output
        assert registry.versions() == []

    def test_classes_of_the_notebook_are_packed_too(self, registry, monkeypatch):
        registry.run(
            [
                ("setup", "import pandas as pd\nclass Guess:\n    def predict(self, x):\n        return x['size'] > 0"),
                ("stage:load", "table = pd.read_csv('data.csv')[['size']]"),
                ("", '%%stage train model="model as guess"\nmodel = Guess()\nknown = model.predict(table)'),
            ]
        )
        [version] = registry.versions("guess")
        assert version.tags["stagebook.flavor"] == "pyfunc"
        assert version.tags["stagebook.example"] == "table"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{registry.home}/mlflow.db")
        loaded = mlflow.pyfunc.load_model("models:/guess/1")
        assert list(loaded.predict(loaded.input_example)) == list(loaded.input_example["size"] > 0)

    def test_what_is_no_model_is_told_of_once_and_registers_nothing(self, registry):
        events = []
        run = registry.run([("", "%%stage train model=model\nmodel = 3")], listeners=(events.append,))
        told = f"`model` of run {run.id} is not registered as `late`: it is a int, and has no method `predict`."
        assert [event.message for event in events if isinstance(event, Notice)] == [told]
        assert take_notes(registry.home) == []
        assert registry.versions() == []

    def test_a_model_that_cannot_be_kept_is_not_packed(self, registry):
        run = registry.run([("", "%%stage train model=model\nmodel = (x for x in 'abc')")])
        assert run.state == "done"
        assert registry.versions() == []


def test_mlflows_pages_show_run_stages_timeline_and_model(story, server, browser):
    client = story.client
    version = client.get_model_version_by_alias("late", "champion")
    stage = client.get_run(version.run_id)
    experiment, parent = stage.info.experiment_id, stage.data.tags["mlflow.parentRunId"]
    run = f"tags.`stagebook.run` = '{version.tags['stagebook.run']}'"
    [trace] = client.search_traces(locations=[experiment], filter_string=run)
    pages = {
        f"runs/{parent}": ["Finished", "train", "evaluate", "auc", "depth", "duration_seconds"],
        f"runs/{parent}/artifacts": ["late.ipynb", "run.json", "late.html", "graph.svg"],
        f"traces?selectedEvaluationId={trace.info.trace_id}": ["load", "prepare", "train", "cell 5"],
    }
    addresses = {f"{server.url}/#/experiments/{experiment}/{page}": told for page, told in pages.items()}
    addresses[f"{server.url}/#/models/late/versions/{version.version}"] = ["champion", "stagebook.data", "train"]
    for address, told in addresses.items():
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(address)
        for text in told:
            page.get_by_text(text).first.wait_for(state="attached", timeout=60_000)
        page.close()
