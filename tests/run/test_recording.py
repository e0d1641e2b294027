"""When a run is recorded: as it goes on, or when it is over."""

from __future__ import annotations

import threading

import pytest
from notebooks_factory import pipeline

from stagebook.events import RunStarted, StageFinished
from stagebook.run import recording
from stagebook.run.job import StageResult
from stagebook.run.plan import Planner
from stagebook.run.record import Run
from stagebook.run.recording import Journal, environment_for
from stagebook.run.request import Request
from stagebook.run.unrecorded import unrecorded
from stagebook.store.blobs import Store


@pytest.fixture
def started(monkeypatch):
    """Set as soon as a process is asked to record; none is started."""
    asked = threading.Event()
    monkeypatch.setattr(recording, "start_recorder", lambda home, *, wait=False: asked.set())
    return asked


@pytest.fixture
def journal(tmp_path):
    """Makes a journal of a run that has just begun."""
    request = Request.of(tmp_path / "notebook.ipynb", later=True)
    request.folder.mkdir(parents=True)

    def run():
        return Run(
            id=request.id,
            state="running",
            notebook=request.source,
            output=None,
            folder=request.folder,
            store=request.store,
            home=request.home,
            parameters={"depth": 2},
            stages=(),
            started="2026-11-29T12:00:00+00:00",
            duration=1.0,
            versions={},
        )

    def make(patience):
        return Journal(request, run, patience=patience)

    return make


BEGUN = RunStarted("run", "notebook.ipynb", ("a",), {}, "folder")
DONE = StageFinished("a", "done", "new", 1.0, "key", {}, StageResult("a", "done", metrics={"auc": 0.5}))


def kept(tmp_path):
    return [
        (one.facts["state"], [stage["stage"] for stage in one.facts["stages"]])
        for one in unrecorded(tmp_path / ".stagebook")
    ]


def test_a_run_is_known_of_as_soon_as_it_begins_and_recorded_when_it_is_over(journal, started, tmp_path):
    with journal(600) as told:
        told(BEGUN)
        told(DONE)
        assert kept(tmp_path) == [("running", [])]
    assert not started.is_set()


def test_a_run_that_lasts_is_recorded_as_it_stands(journal, started, tmp_path):
    with journal(0) as told:
        told(BEGUN)
        assert started.wait(60)
        told(DONE)
        assert kept(tmp_path) == [("running", ["a"])]
        assert not next(unrecorded(tmp_path / ".stagebook")).is_over


def test_a_run_that_breaks_off_has_failed(journal, started, tmp_path):
    told = journal(600)
    told(BEGUN)
    told(DONE)
    told.__exit__(MemoryError, MemoryError(), None)
    assert kept(tmp_path) == [("failed", ["a"])]
    assert started.is_set()


class Calls:
    def environment(self, stage):
        return {"MLFLOW_RUN_ID": stage}


def test_only_stages_that_may_use_mlflow_wait_for_its_variables(tmp_path):
    made = pipeline([("stage:a", "x = 1"), ("stage:b", "import mlflow\nmlflow.log_metric('x', 1)")])
    environment = environment_for(Calls(), Planner(made, {}, Store.at(tmp_path / "store")))
    assert environment("a") == {}
    assert environment("b") == {"MLFLOW_RUN_ID": "b"}


def test_all_stages_may_use_what_setup_imports(tmp_path):
    made = pipeline([("setup", "import mlflow\nmlflow.autolog()"), ("stage:a", "x = 1")])
    environment = environment_for(Calls(), Planner(made, {}, Store.at(tmp_path / "store")))
    assert environment("a") == {"MLFLOW_RUN_ID": "a"}
