"""The options `model` and `gate`: how they are written, what is found wrong with them, what they keep."""

from __future__ import annotations

import pytest
from notebooks_factory import codes, findings, pipeline

from stagebook.book.registered import champion_of, registered_names
from stagebook.model import ModelOption

TRAIN = "%%stage train metrics=auc"


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("model", ModelOption("model")),
        ("model.predict_proba", ModelOption("model", "predict_proba")),
        ("model as churn", ModelOption("model", "predict", "churn")),
        ("model.transform as late flights 2", ModelOption("model", "transform", "late flights 2")),
    ],
)
def test_a_model_is_a_value_with_a_method_and_a_name(text, option):
    found = pipeline([("", f'%%stage train model="{text}"\nmodel = 1')])
    assert found.stage("train").options.model == option


@pytest.mark.parametrize("text", ["", "1", "a.b.c", "model as", "model as a/b", "model as a:b", "for", "a b"])
def test_anything_else_is_no_model(text):
    assert "SB104" in codes([("stage:train", "model = 1\nb = 2", {"model": text})])


def test_it_is_registered_as_the_notebook_if_no_name_is_given():
    found = pipeline([("", "%%stage a model=m\nm = 1"), ("", '%%stage b model="n as other"\nn = m')])
    assert registered_names(found) == {"a": "notebook", "b": "other"}


def test_a_model_is_kept_though_nobody_reads_it_and_nobody_minds():
    cells = [("", f"{TRAIN} model=model\nauc = 1\nmodel = 2\nrest = auc"), ("stage:show", "print(rest)")]
    assert findings(cells) == []
    assert pipeline(cells).outputs["train"] == ("model", "rest")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (
            [("", "%%stage train model=modle\nmodel = 1")],
            "Stage `train` names `modle` in `model`, and does not make it.",
        ),
        (
            [("", "%%stage a\nm = 1"), ("", "%%stage b model=m\nprint(m)")],
            "Stage `b` names `m` in `model`, and does not make it.",
        ),
        (
            [("", "%%stage a\nsizes = [1]"), ("", '%%stage b model=m foreach="size in sizes"\nm = size')],
            "Stage `b` is mapped, so that `m` is a list of models.",
        ),
    ],
)
def test_a_model_that_is_not_there_is_an_error(cells, told):
    [found] = [one for one in findings(cells) if one.code == "SB211"]
    assert found.message == told
    assert found.severity == "error"


def test_two_models_of_one_name_are_an_error():
    cells = [("", "%%stage a model=m\nm = 1"), ("", "%%stage b model=n\nn = m")]
    [found] = [one for one in findings(cells) if one.code == "SB213"]
    assert found.message == "Stages `a` and `b` both register their model as `notebook`."
    assert found.remedy == 'Give one a name of its own: model="n as NAME".'


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ("acu > 0", "The gate of stage `test` names `acu`, a metric neither its own nor of a stage before it."),
        ("later > 0", "The gate of stage `test` names `later`, a metric neither its own nor of a stage before it."),
        ("auc > champion.f1", "The gate of stage `test` names `champion.f1`, a metric of no stage."),
    ],
)
def test_a_gate_on_a_metric_that_is_not_there_is_an_error(gate, told):
    cells = [
        ("", f"{TRAIN} model=model\nmodel = 1\nauc = 1"),
        ("stage:test", "score = model", {"metrics": "score", "gate": gate}),
        ("", "%%stage after metrics=later\nlater = score"),
    ]
    [found] = [one for one in findings(cells) if one.code == "SB212"]
    assert found.message == told


def test_a_gate_may_name_entries_of_dicts_and_metrics_of_stages_before():
    cells = [
        ("", f"{TRAIN} model=model\nmodel = 1\nauc = {{'a b': 1}}"),
        ("stage:test", "score = model", {"metrics": "score", "gate": "auc['a b'] > 0 and score >= champion.score"}),
    ]
    assert findings(cells) == []


def test_a_champion_of_no_certain_model_is_an_error():
    models = [("", f"{TRAIN} model=a\na = auc = 1"), ("", '%%stage other model="b as b"\nb = 2')]
    gated = ("stage:test", "print(a, b)", {"gate": "auc >= champion.auc"})
    assert "SB212" in codes([*models, gated])
    assert "SB212" in codes([("", f"{TRAIN}\nauc = 1"), ("stage:test", "print(auc)", {"gate": "auc >= champion.auc"})])


def test_a_gate_is_about_the_model_of_its_stage_or_of_the_one_before_it():
    cells = [
        ("", f'{TRAIN} model="a as first"\na = auc = 1'),
        ("", '%%stage next model="b as second"\nb = a'),
        ("stage:test", "print(a)"),
    ]
    found = pipeline(cells)
    assert [champion_of(name, found) for name in ("train", "next", "test")] == ["first", "second", "first"]


def test_a_gate_that_is_none_says_why():
    [found] = [one for one in findings([("stage:a", "x = 1", {"gate": "open(x) > 1"})]) if one.code == "SB104"]
    assert "`open(x)` is not allowed in it" in found.message
