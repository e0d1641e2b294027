"""What differs between two notebooks: stages, options, setup, defaults of parameters, edges."""

from __future__ import annotations

import pytest
from notebooks_factory import pipeline

from stagebook.book.compare import ValueDifference, compare_pipelines
from stagebook.model import Edge

CELLS = [
    ("parameters", "depth = 2"),
    ("setup", "import math"),
    ("stage:load", "x = 1"),
    ("stage:fit", "y = x + depth\nz = 1"),
    ("stage:show", "print(y)"),
]


def edited(number, *cell):
    """CELLS with another cell in place of `number`, or without it."""
    return [*CELLS[: number - 1], *([cell] if cell else []), *CELLS[number:]]


def compared(cells, before=CELLS):
    return compare_pipelines(pipeline(before), pipeline(cells))


@pytest.mark.parametrize(
    "cells",
    [CELLS, edited(4, "stage:fit", "y = x+depth  # sum\n\nz = 1"), [("", "1 + 1"), *CELLS]],
    ids=["nothing", "layout and comments", "moved down"],
)
def test_what_does_not_count_is_no_difference(cells):
    assert compared(cells).same


def test_a_changed_stage_shows_its_changed_lines():
    (stage,) = compared(edited(4, "stage:fit", "y = x - depth\nz = 1")).stages
    assert (stage.stage, stage.kind, stage.was) == ("fit", "changed", "fit")
    assert stage.lines == ("@@ -1,2 +1,2 @@", "-y = x + depth", "+y = x - depth", " z = 1")


def test_lines_that_look_like_a_head_are_shown():
    (stage,) = compared([("stage:a", "x = 1\n++ x")], [("stage:a", "x = 1\n-- x")]).stages
    assert stage.lines[1:] == (" x = 1", "--- x", "+++ x")


def test_changed_options_are_told_however_they_are_spelt():
    found = compared(edited(4, "", "%%stage fit retries=2 writes=a,b cache=false\ny = x + depth\nz = 1"))
    assert [(stage.lines, stage.options) for stage in found.stages] == [
        (
            (),
            (
                ValueDifference("cache", None, "false"),
                ValueDifference("retries", None, "2"),
                ValueDifference("writes", None, "a,b"),
            ),
        )
    ]
    assert compared(edited(4, "", "%%stage fit\ny = x + depth\nz = 1")).same


def test_stages_added_and_removed_come_with_their_code_and_edges():
    found = compared(edited(5, "stage:report", "print(z)"))
    assert [(one.stage, one.kind, one.lines) for one in found.stages] == [
        ("report", "added", ("@@ -0,0 +1 @@", "+print(z)")),
        ("show", "removed", ("@@ -1 +0,0 @@", "-print(y)")),
    ]
    assert found.edges_added == (Edge("fit", "report", ("z",)),)
    assert found.edges_removed == (Edge("fit", "show", ("y",)),)


def test_a_renamed_stage_with_the_same_code_is_told_as_renamed_and_changes_no_edge():
    found = compared(edited(4, "stage:train", "y = x + depth\nz = 1"))
    assert [(one.stage, one.kind, one.was, one.lines) for one in found.stages] == [("train", "renamed", "fit", ())]
    assert (found.edges_added, found.edges_removed) == ((), ())


def test_names_that_flow_anew_are_another_edge():
    found = compared(edited(5, "stage:show", "print(y, z)"))
    assert found.edges_added == (Edge("fit", "show", ("y", "z")),)
    assert found.edges_removed == (Edge("fit", "show", ("y",)),)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("depth = 3", [ValueDifference("depth", "2", "3")]),
        ("depth = 2\nwidth = 'a'", [ValueDifference("width", None, "'a'")]),
        ("depth = 1 + 1", []),
        ("depth = min(2, 3)", [ValueDifference("depth", "2", "min(2, 3)")]),
    ],
)
def test_defaults_of_parameters(source, told):
    found = compared(edited(1, "parameters", source)).parameters
    assert [one for one in found if one.now != "1 + 1"] == told


def test_changed_setup_shows_its_lines():
    found = compared(edited(2, "setup", "import math\nimport json"))
    assert found.setup == ("@@ -1 +1,2 @@", " import math", "+import json")
    assert found.stages == ()
