"""`when` and `foreach`: what they read, and what becomes of the names of a mapped stage."""

from __future__ import annotations

import pytest
from notebooks_factory import arrows, codes, findings, pipeline

from stagebook.model import Foreach


def test_a_condition_reads_its_names():
    cells = [("stage:a", "score = 1"), ("stage:b", "print(2)", {"when": "score > max(0, 0.5) and [s for s in ()]"})]
    assert arrows(cells) == {"a -> b": "score"}


def test_a_condition_on_a_name_that_nothing_makes_is_refused():
    assert codes([("stage:a", "print(1)", {"when": "scroe > 1"})]) == ["SB201"]


@pytest.mark.parametrize(
    ("said", "meant"),
    [("xs", Foreach("xs", "xs")), ("x in xs", Foreach("x", "xs")), ("  x  in  xs ", Foreach("x", "xs"))],
)
def test_foreach_names_a_list_and_perhaps_its_elements(said, meant):
    cells = [("stage:a", "xs = [1]"), ("stage:b", "print(xs)", {"foreach": said})]
    assert pipeline(cells).stage("b").options.foreach == meant


@pytest.mark.parametrize("said", ["", "x of xs", "x in", "1", "in xs", "x in y in z", "for in xs", 3])
def test_what_is_no_mapping_is_refused(said):
    found = findings([("stage:a", "xs = [1]"), ("stage:b", "print(xs)", {"foreach": said})])
    assert found[0].code == "SB104"
    assert "takes the name of a list, or `ITEM in LIST`" in found[0].message


@pytest.mark.parametrize("said", ["", "a >", "x = 1", "a; b", 3])
def test_what_is_no_condition_is_refused(said):
    found = findings([("stage:a", "print(1)", {"when": said})])
    assert (found[0].code, "Python expression" in found[0].message) == ("SB104", True)


def test_the_element_needs_no_maker_and_the_list_does():
    cells = [("stage:a", "xs = [1]"), ("", "%%stage b foreach='x in xs'\ny = x + 1"), ("stage:c", "print(y)")]
    assert arrows(cells) == {"a -> b": "xs", "b -> c": "y"}
    assert codes(cells[1:]) == ["SB201"]


def test_elements_under_the_lists_name_make_that_list_anew():
    cells = [("stage:a", "xs = [[1]]"), ("", "%%stage b foreach=xs\nxs.append(2)"), ("stage:c", "print(xs)")]
    assert arrows(cells) == {"a -> b": "xs", "b -> c": "xs"}


def test_an_element_of_another_name_cannot_be_changed_in_place():
    cells = [("stage:a", "xs = [[1]]"), ("", "%%stage b foreach='x in xs'\nx.append(2)"), ("stage:c", "print(xs)")]
    assert codes(cells) == ["SB210"]
