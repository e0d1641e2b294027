"""When a run is recorded: as it goes on, or afterwards."""

from __future__ import annotations

import threading

import pytest
from notebooks_factory import pipeline

from stagebook.run.plan import Planner
from stagebook.run.recording import Deferred, environment_for
from stagebook.store.blobs import Store


class Recorder:
    def __init__(self):
        self.told = []
        self.made = threading.Event()
        self.is_closed = False

    def make(self):
        self.made.set()
        return self

    def __call__(self, event):
        if event == "fail":
            raise ConnectionError("no server")
        self.told.append(event)

    def environment(self, stage):
        return {"MLFLOW_RUN_ID": stage}

    def close(self):
        self.is_closed = True


@pytest.fixture
def recorder():
    return Recorder()


def test_a_run_that_is_soon_over_is_left_to_somebody_else(recorder):
    deferred = Deferred(recorder.make, patience=600)
    deferred("event")
    assert deferred.stop()
    deferred.close()
    assert not recorder.made.is_set()


def test_a_run_that_lasts_is_recorded_with_what_was_missed(recorder):
    deferred = Deferred(recorder.make, patience=0.05)
    deferred("first")
    assert recorder.made.wait(60)
    deferred("second")
    assert not deferred.stop()
    deferred.close()
    assert recorder.told == ["first", "second"]
    assert recorder.is_closed


def test_a_stage_that_records_by_itself_has_the_recorder_at_once(recorder):
    deferred = Deferred(recorder.make, patience=600)
    deferred("first")
    assert deferred.environment("a") == {"MLFLOW_RUN_ID": "a"}
    assert recorder.told == ["first"]


def test_what_went_wrong_with_missed_events_is_raised_by_the_next(recorder):
    deferred = Deferred(recorder.make, patience=600)
    deferred("fail")
    deferred.environment("a")
    with pytest.raises(ConnectionError, match="no server"):
        deferred("second")


def test_only_stages_that_may_use_mlflow_wait_for_its_variables(recorder, tmp_path):
    made = pipeline([("stage:a", "x = 1"), ("stage:b", "import mlflow\nmlflow.log_metric('x', 1)")])
    environment = environment_for(recorder, Planner(made, {}, Store.at(tmp_path / "store")))
    assert environment("a") == {}
    assert environment("b") == {"MLFLOW_RUN_ID": "b"}


def test_all_stages_may_use_what_setup_imports(recorder, tmp_path):
    made = pipeline([("setup", "import mlflow\nmlflow.autolog()"), ("stage:a", "x = 1")])
    environment = environment_for(recorder, Planner(made, {}, Store.at(tmp_path / "store")))
    assert environment("a") == {"MLFLOW_RUN_ID": "a"}
