"""Forms for parameters and for sweeps: their fields, what they give, what they say of what is wrong."""

from __future__ import annotations

import json

import ipywidgets
import pytest
from ipywidgets.widgets import widget
from tests.notebooks_factory import written

from stagebook.errors import UsageError
from stagebook.widgets.form import parameter_form
from stagebook.widgets.sweep import sweep_form

PARAMETERS = """
depth: int = 6  # of the trees, 1..20
many: int = 5
share = 0.3  # between 0 and 1
rate: float = 0.125
criterion = "gini"  # one of: gini, entropy
name = "trees"
quick = False
steps = [1, 2]
limit: int | None = 9
seed: int | None = None
where = __import__("os").getcwd()
pair = (1, 2)
hf_token = ""
"""
CELLS = [("parameters", PARAMETERS), ("", "%%stage train metrics=auc,loss\nauc = depth * share\nloss = 1 / depth")]


@pytest.fixture
def form(tmp_path, monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    return parameter_form(written(tmp_path, CELLS), track=False)


def entry(form, name):
    return form.fields[name].entry


def test_each_parameter_has_the_field_that_fits_it(form):
    kinds = {name: type(field.entry).__name__ for name, field in form.fields.items()}
    assert kinds == {
        "depth": "IntSlider",
        "many": "BoundedIntText",
        "share": "FloatSlider",
        "rate": "FloatText",
        "criterion": "Dropdown",
        "name": "Text",
        "quick": "Checkbox",
        "steps": "Text",
        "limit": "BoundedIntText",
        "seed": "Text",
        "where": "Text",
        "pair": "Text",
        "hf_token": "Password",
    }
    assert (entry(form, "depth").min, entry(form, "depth").max, entry(form, "share").step) == (1, 20, 0.01)
    assert entry(form, "depth").tooltip == "of the trees, 1..20"
    assert form.words()[2:] == [], "what nobody has changed is left to the notebook"


@pytest.mark.parametrize(
    ("name", "value", "given"),
    [
        ("depth", 8, "8"),
        ("share", 0.1 + 0.2 + 0.2, "0.5"),
        ("rate", 0.001, "0.001"),
        ("criterion", "entropy", "entropy"),
        ("name", "my trees", "my trees"),
        ("quick", True, "True"),
        ("steps", "[3]", "[3]"),
        ("seed", "7", "7"),
        ("where", "'/tmp'", "'/tmp'"),
        ("pair", "(3, 4)", "(3, 4)"),
    ],
)
def test_what_is_changed_is_given_as_the_command_line_takes_it(form, name, value, given):
    entry(form, name).value = value
    assert form.words()[2:] == ["-p", name, given]


def test_none_is_a_box_beside_the_field(form):
    (row, _) = form.fields["limit"].children
    box = next(one for one in row.children if isinstance(one, ipywidgets.Checkbox))
    box.value = True
    assert form.words()[2:] == ["-p", "limit", "None"]
    assert entry(form, "limit").disabled


@pytest.mark.parametrize(
    ("name", "value", "told", "mended"),
    [
        ("steps", "[1, 2", "takes a list (written as [1, 2]), and '[1, 2' is none", "[1, 2]"),
        ("seed", "many", "takes an int", ""),
    ],
)
def test_what_is_wrong_is_told_below_the_field_and_nothing_starts(form, name, value, told, mended):
    entry(form, name).value = value
    _, wrong = form.fields[name].children
    assert told in wrong.value
    assert wrong.layout.display == ""
    form.run()
    assert form.view is None
    entry(form, name).value = mended
    assert (wrong.value, wrong.layout.display) == ("", "none")


def test_a_secret_is_in_the_environment_and_in_no_widget(form):
    entry(form, "hf_token").value = "open-sesame"
    assert entry(form, "hf_token").value == ""
    assert entry(form, "hf_token").placeholder == "given; type to replace it"
    assert form.words()[2:] == ["--secret", "hf_token"]
    assert form.environment() == {"HF_TOKEN": "open-sesame"}
    states = [one.get_state() for one in widget._instances.values()]
    assert entry(form, "hf_token").get_state() in states
    assert "open-sesame" not in json.dumps(states, default=repr)


def test_a_secret_that_the_environment_has_is_taken_from_there(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "from-there")
    form = parameter_form(written(tmp_path, CELLS))
    assert entry(form, "hf_token").placeholder == "from the environment variable HF_TOKEN"
    assert form.environment() == {"HF_TOKEN": "from-there"}


def test_without_parameters_there_is_no_form(tmp_path):
    path = written(tmp_path, [("stage:a", "x = 1")])
    for make in (parameter_form, sweep_form):
        with pytest.raises(UsageError, match="has no parameters"):
            make(path)


@pytest.fixture
def sweep(tmp_path):
    return sweep_form(written(tmp_path, CELLS), track=False)


def test_a_sweep_says_how_many_points_before_it_starts(sweep):
    assert sweep._count.value == "1 point"
    sweep.values["depth"].value = "2:6:2"
    sweep.values["criterion"].value = "gini,entropy"
    assert sweep._count.value == "6 points"
    assert sweep.words()[2:] == ["-p", "depth", "2:6:2", "-p", "criterion", "gini,entropy", "--no-track"]
    sweep.values["depth"].value = "2:600000"
    assert sweep._wrong["depth"].value.startswith("Parameter `depth`: ")
    assert sweep._button.disabled


def test_a_search_asks_for_the_metric_and_takes_ranges(sweep):
    assert list(sweep.metric.options) == ["auc", "loss"]
    sweep.search.value = "optuna"
    sweep.values["share"].value = "0.1:0.9"
    assert (sweep._count.value, sweep._button.disabled) == ("Name the metric that counts.", True)
    sweep.metric.value = "loss"
    sweep.direction.value = "minimize"
    assert (sweep._count.value, sweep._button.disabled) == ("20 points", False)
    asked = ["--minimize", "loss", "--search", "optuna", "--trials", "20"]
    assert sweep.words()[2:] == ["-p", "share", "0.1:0.9", *asked, "--no-track"]


def test_a_sweep_is_followed_to_its_table_and_picture(tmp_path):
    cells = [("parameters", "depth: int = 2"), ("", "%%stage a metrics=auc\nauc = 1 / (depth - 3)")]
    form = sweep_form(written(tmp_path, cells), track=False)
    form.values["depth"].value = "2,3"
    form.metric.value = "auc"
    form.run()
    points = form.points
    assert points.is_running
    assert points.wait(120)
    assert points.now["said"] == "2 of 2 points are over, 1 failed."
    assert [head["text"] for head in points.heads] == ["point", "depth", "auc", "state", "took", ""]
    assert [row["texts"][:4] for row in points.rows] == [["1", "2", "-1", "done"], ["2", "3", "", "failed"]]
    assert [row["best"] for row in points.rows] == [True, False]
    assert "ZeroDivisionError" in points.rows[1]["texts"][-1]
    assert points.picture["svg"].lstrip().startswith("<?xml")
