"""The option `drift=`: what it says, and what it is to the data flow."""

import ast

import pytest
from notebooks_factory import codes, findings, pipeline
from tests.cases.drifting import CELLS

from stagebook.book.drifting import drift_code, drift_option, option_from
from stagebook.model import DriftOption


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("a:b", DriftOption("a", "b")),
        ("models:/flights@champion:july", DriftOption("models:/flights@champion", "july")),
        ("models:/flights/3:july as summer", DriftOption("models:/flights/3", "july", "summer")),
        ("a:b target=late share=0.3", DriftOption("a", "b", target="late", share=0.3)),
        ("a:b columns=x,y threshold=0.2 as d", DriftOption("a", "b", "d", ("x", "y"), threshold=0.2)),
    ],
)
def test_the_option_is_read_and_reaches_the_kernel_whole(text, option):
    assert drift_option(text) == option
    told = drift_code(option).partition(".watch(")[2].removesuffix(")")
    assert option_from(ast.literal_eval(told)) == option


@pytest.mark.parametrize("text", ["", "a", "a:", ":b", "models:/b", "a:b as 3", "a:b what=1", "a:b share=2", "a:b x"])
def test_what_is_no_option_is_a_finding_with_an_example(text):
    [found] = [one for one in findings([("stage:s", "a = b = 1", {"drift": text})]) if one.code == "SB104"]
    assert "takes two tables, as in `january:july`" in found.message


def test_its_names_are_part_of_the_data_flow():
    made = pipeline(CELLS)
    assert {edge.names for edge in made.edges} == {("january", "july"), ("drift",)}
    assert made.stage("watch").options.metrics == ("drift",)
    assert made.outputs["watch"] == ("drift",)


def test_what_it_makes_itself_need_not_come_from_before():
    made = pipeline([("", "%%stage s drift=a:b\na = b = [1]"), ("stage:t", "print(drift)")])
    assert made.inputs["s"] == {}


def test_what_is_only_compared_is_read():
    assert codes([("stage:load", "jan = jul = [1]"), ("", "%%stage watch drift=jan:jul\nprint(1)")]) == []


def test_a_name_that_nobody_makes_is_a_finding():
    assert "SB201" in codes([("", "%%stage s drift=a:b\nb = 1")])


def test_a_models_data_may_be_other_data_tomorrow():
    made = pipeline([("", "%%stage s drift=models:/m@champion:b\nb = [1]")])
    assert made.stage("s").options.cache is False
