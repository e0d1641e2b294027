"""What the test cells of flights.ipynb ask of the nodes' results."""

from pathlib import Path

import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

PROJECT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def load():
    """Run the pipeline as `kedro run` does, and give what loads its datasets by name."""
    bootstrap_project(PROJECT)
    with KedroSession.create(project_path=PROJECT) as session:
        session.run()
        yield session.load_context().catalog.load


def test_features(load):
    """Cell 8 of the notebook."""
    categories = load("categories")
    quantities = load("quantities")
    trips = load("trips")

    known_too_late = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}
    assert not known_too_late & {*categories, *quantities}, "the model would see the future"
    assert (trips["report_hour"] < trips["time_hour"]).all(), "a report from after the scheduled hour"
    assert trips["temp"].notna().mean() > 0.99, "most flights lost their weather"


def test_split(load):
    """Cell 10 of the notebook."""
    X_train = load("X_train")
    X_test = load("X_test")
    hold_out = load("params:hold_out")
    days = load("days")
    held_out = load("held_out")
    late_share = load("late_share")

    assert not set(X_train.index) & set(X_test.index), "a flight is on both sides"
    assert hold_out == "flights" or not set(days[held_out]) & set(days[~held_out]), "a day is on both sides"
    assert 0 < late_share < 1, "nobody is late, or everybody"


def test_evaluate(load):
    """Cell 14 of the notebook."""
    auc_linear = load("auc_linear")
    auc_boosting = load("auc_boosting")

    assert min(auc_linear, auc_boosting) > 0.6, "no better than a guess"
    assert max(auc_linear, auc_boosting) < 0.9, "too good: look for a leak"
