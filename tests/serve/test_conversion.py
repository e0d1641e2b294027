"""ONNX Runtime serves a model only where its answers are the model's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stagebook.serve.onnx import NotConvertibleError, proved
from stagebook.serve.schema import Column, Schema

NAMES = ["a", "b", "c"]
NUMBERS = Schema(tuple(Column(name, "double") for name in NAMES))
MIXED = Schema((*NUMBERS.columns, Column("city", "string")))


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    numbers = pd.DataFrame(random.normal(size=(300, 3)).round(2), columns=NAMES)
    return numbers.assign(city=random.choice(["x", "y"], 300))


@pytest.fixture(scope="module")
def late(table):
    return (table["a"] + table["b"] > 0).astype(int)


def test_a_linear_model_converts_in_double_precision_with_what_it_refuses(table, late):
    from sklearn.linear_model import LogisticRegression

    proof = proved(LogisticRegression().fit(table[NAMES], late), "predict_proba", NUMBERS, table[NAMES][:5])
    assert proof.difference < 1e-12
    assert {column.missing for column in proof.schema.columns} == {False}
    assert max(column.limit for column in proof.schema.columns) < float("inf")


def test_a_forest_converts_in_the_precision_in_which_it_compares(table, late):
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(10, random_state=0).fit(table[NAMES], late)
    proof = proved(forest, "predict_proba", NUMBERS, table[NAMES][:5])
    assert set(proof.layout.types) == {"float32"}  # in double, 0.15 goes the other way than in the model
    assert {column.missing for column in proof.schema.columns} == {True}


def test_texts_known_and_unknown_and_missing_convert_where_the_model_takes_them(table, late):
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    def model(unknown):
        cities = make_column_transformer((OneHotEncoder(handle_unknown=unknown), ["city"]), remainder="passthrough")
        return make_pipeline(cities, LogisticRegression()).fit(table, late)

    assert proved(model("ignore"), "predict_proba", MIXED, table[:5]).schema.columns[-1].missing
    with pytest.raises(NotConvertibleError, match="refuses some"):
        proved(model("error"), "predict_proba", MIXED, table[:5])


def test_what_does_not_convert_or_is_not_the_same_is_said(table, late):
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import SplineTransformer

    spline = make_pipeline(SplineTransformer(), Ridge()).fit(table[NAMES], late)
    with pytest.raises(NotConvertibleError, match="skl2onnx does not convert it"):
        proved(spline, "predict", NUMBERS, table[NAMES][:5])
    boosted = HistGradientBoostingClassifier(max_iter=5, categorical_features=[0])
    classes = table.assign(a=table["a"].abs().round())[NAMES]
    with pytest.raises(NotConvertibleError):
        proved(boosted.fit(classes, late), "predict", NUMBERS, classes[:5])


def test_a_difference_is_found(table, late, monkeypatch):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(table[NAMES], late)
    answer = model.predict_proba
    monkeypatch.setattr(model, "predict_proba", lambda rows: answer(rows) + 1e-4, raising=False)
    with pytest.raises(NotConvertibleError, match="are not the model's"):
        proved(model, "predict_proba", NUMBERS, table[NAMES][:5])
