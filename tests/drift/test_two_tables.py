"""Verdicts of the whole, roles, thresholds, and how good predictions are."""

import pickle

import numpy as np
import pandas as pd
import pytest

from stagebook.drift.api import drift
from stagebook.run.metrics import numbers_of


def frame(rows=500, *, moved=0.0, flip=0.1, seed=0):
    rng = np.random.default_rng(seed)
    label = rng.random(rows) < 0.3
    wrong = rng.random(rows) < flip
    return pd.DataFrame(
        {
            "still": rng.normal(size=rows),
            "moved": rng.normal(moved, 1, rows),
            "late": label,
            "said": label ^ wrong,
            "chance": np.clip(np.where(label ^ wrong, 0.8, 0.2) + rng.normal(0, 0.05, rows), 0, 1),
            "minutes": rng.normal(moved, 10, rows),
        }
    )


BEFORE, NOW = frame(), frame(moved=1.0, flip=0.3, seed=1)


def test_the_whole_has_drifted_from_a_share_on():
    features = ["still", "moved"]
    found = drift(BEFORE, NOW, columns=features)
    assert ([one.name for one in found.drifted], found.share, found.detected) == (["moved"], 0.5, True)
    assert not drift(BEFORE, NOW, columns=features, limit=0.6).detected


def test_a_target_or_a_prediction_that_drifts_is_enough():
    still = drift(BEFORE, NOW.assign(late=BEFORE["late"]), columns=["still"], target="late")
    assert not still.detected
    found = drift(BEFORE, NOW, columns=["still"], prediction="said")
    assert [(one.name, one.role) for one in found.drifted] == [("said", "prediction")]
    assert found.detected
    assert found.share == 0.0, "a prediction is no feature"


def test_a_threshold_is_for_all_or_for_one():
    assert drift(BEFORE, NOW, columns=["moved"], threshold=1e-80).drifted == ()
    both = drift(BEFORE, NOW, columns=["still", "moved"], thresholds={"moved": 1e-80, "still": 0.99999})
    assert [one.name for one in both.drifted] == ["still"]


def test_the_worst_columns_come_first():
    before = pd.DataFrame({name: np.arange(2000.0) for name in "abc"})
    now = before.assign(a=before["a"] * 1.2, b=before["b"] * 3)
    assert [one.name for one in drift(before, now).columns] == ["b", "a", "c"]


def test_as_metrics_it_is_its_numbers():
    found = drift(BEFORE, NOW, columns=["still", "moved"])
    numbers, _ = numbers_of({"drift": found})
    scores = {f"drift.score.{one.name}": one.score for one in found.columns}
    assert numbers == {"drift.share": 0.5, "drift.columns": 1.0, "drift.detected": 1.0, **scores}


def test_classes_are_measured_before_and_now():
    found = drift(BEFORE, NOW, target="late", prediction="said").performance
    assert found.task == "classification"
    assert found.reference["accuracy"] == pytest.approx((BEFORE["late"] == BEFORE["said"]).mean())
    assert found.current["accuracy"] == pytest.approx((NOW["late"] == NOW["said"]).mean())
    assert found.current["f1"] < found.reference["f1"]


def test_chances_are_measured_by_rank_and_by_distance():
    found = drift(BEFORE, NOW, target="late", prediction="chance").performance
    assert found.current["roc_auc"] < found.reference["roc_auc"] < 1
    assert found.reference["brier"] == pytest.approx(((BEFORE["chance"] - BEFORE["late"]) ** 2).mean())
    assert found.reference["accuracy"] == pytest.approx(((BEFORE["chance"] >= 0.5) == BEFORE["late"]).mean())


def test_a_side_of_one_class_has_no_rank():
    found = drift(BEFORE, NOW[~NOW["late"]], target="late", prediction="chance").performance
    assert "roc_auc" in found.reference
    assert "roc_auc" not in found.current
    assert found.current["accuracy"] == pytest.approx((NOW["chance"][~NOW["late"]] < 0.5).mean())


def test_numbers_are_measured_by_their_errors():
    said = [one.assign(said=one["minutes"] + 2) for one in (BEFORE, NOW)]
    found = drift(*said, target="minutes", prediction="said").performance
    assert found.task == "regression"
    assert found.current["mean_error"] == pytest.approx(2)
    assert found.current["root_mean_squared_error"] == pytest.approx(2)


def test_labels_that_have_not_come_yet_leave_that_side_out():
    found = drift(BEFORE, NOW.drop(columns="late"), target="late", prediction="said").performance
    assert found.current == {}
    assert found.reference["accuracy"] > 0.8


def test_it_can_be_stored_and_is_the_same_again():
    found = drift(BEFORE, NOW, target="late", prediction="chance")
    assert pickle.loads(pickle.dumps(found)) == found
