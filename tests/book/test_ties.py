"""Names that share an object, and what of them is taken together."""

from __future__ import annotations

from tests.notebooks_factory import pipeline

from stagebook.book.relinking import relink
from stagebook.book.ties import Ties
from stagebook.model import Learned


def test_who_changes_one_takes_and_provides_all():
    ties = Ties()
    ties.tie("b", ["x", "y", "z"])
    assert ties.held_together({"x"}, {"x"}, {}) == {"x": "b", "y": "b", "z": "b"}
    assert ties.around({"x"}) == {"x", "y", "z"}


def test_who_looks_at_one_takes_it_from_where_it_is():
    ties = Ties()
    ties.tie("b", ["x", "y"])
    assert ties.held_together(set(), {"x"}, {"x": "a"}) == {}
    assert ties.held_together(set(), {"x", "y", "other"}, {"x": "a", "y": "b"}) == {"x": "b", "y": "b"}


def test_what_one_stage_provides_is_taken_from_there_whoever_holds_it_too():
    ties = Ties()
    ties.tie("b", ["x", "y", "model"])
    assert ties.held_together(set(), {"x", "y"}, {"x": "a", "y": "a"}) == {}


def test_a_name_that_stands_for_another_object_is_tied_no_more():
    ties = Ties()
    ties.tie("b", ["x", "y", "z"])
    ties.untie(["z"])
    assert ties.around({"x"}) == {"x", "y"}
    ties.untie(["y"])
    assert ties.held_together({"x"}, {"x"}, {}) == {}


def inputs(cells, *tied):
    linked = relink(pipeline(cells), {"b": Learned(tied=frozenset(tied))})
    return {stage: dict(taken) for stage, taken in linked.inputs.items() if taken}


ALIAS = [("stage:a", "x = [1]"), ("stage:b", "y = x")]


def test_a_change_through_a_second_name_reaches_the_first():
    found = inputs([*ALIAS, ("stage:c", "y.append(2)"), ("stage:d", "print(x)")], ("x", "y"))
    assert found == {"b": {"x": "a"}, "c": {"x": "b", "y": "b"}, "d": {"x": "c"}}


def test_a_change_through_the_first_name_reaches_the_second():
    found = inputs([*ALIAS, ("stage:c", "x.append(2)"), ("stage:d", "print(y)")], ("x", "y"))
    assert found["c"] == {"x": "b", "y": "b"}
    assert found["d"] == {"y": "c"}


def test_without_a_change_stages_take_each_name_from_its_own_stage():
    found = inputs([*ALIAS, ("stage:c", "len(x)"), ("stage:d", "len(y)"), ("stage:e", "print(x is y)")], ("x", "y"))
    assert found["c"] == {"x": "a"}
    assert found["d"] == {"y": "b"}
    assert found["e"] == {"x": "b", "y": "b"}


def test_a_name_bound_anew_is_left_alone():
    found = inputs([*ALIAS, ("stage:c", "y = [3]"), ("stage:d", "y.append(4)"), ("stage:e", "print(x)")], ("x", "y"))
    assert found["d"] == {"y": "c"}
    assert found["e"] == {"x": "a"}
