"""The pipeline as a picture, in each format."""

import json

import pytest
from tests.notebooks_factory import pipeline

from stagebook.book.draw import draw

DIAMOND = [
    ("stage:load", "x = 1"),
    ("stage:left", "a = x"),
    ("stage:right", "b = x"),
    ("stage:join", "print(a, b)"),
]
TEXTS = {
    "one stage": (
        [("stage:a", "print(1)")],
        """\
notebook.ipynb: 1 stage
  ● a  (cell 1)""",
    ),
    "a chain": (
        [("stage:a", "x = 1"), ("stage:b", "y = x"), ("stage:b", "y = y + 1"), ("stage:c", "print(x, y)")],
        """\
notebook.ipynb: 3 stages
  ● a  (cell 1)
  │
  ● b  (cells 2, 3)
  │     ◂─ a (x)
  │
  ● c  (cell 4)
        ◂─ a (x)
        ◂─ b (y)""",
    ),
    "a diamond": (
        DIAMOND,
        """\
notebook.ipynb: 4 stages
  ● load  (cell 1)
  │
  ├─● left  (cell 2)
  │     ◂─ load (x)
  ├─● right  (cell 3)
  │     ◂─ load (x)
  │
  ● join  (cell 4)
        ◂─ left (a)
        ◂─ right (b)

Neighbours on branches (─●) can run at the same time.""",
    ),
    "several roots and leaves, and needs": (
        [
            ("stage:a", "x = 1"),
            ("stage:b", "print(1)"),
            ("", "%%stage c needs=b\nprint(x)"),
            ("", "%%stage d needs=b\nprint(2)"),
        ],
        """\
notebook.ipynb: 4 stages
  ┌─● a  (cell 1)
  ├─● b  (cell 2)
  │
  ├─● c  (cell 3)
  │     ◂─ a (x)
  │     ◂┄ b, a declared need
  └─● d  (cell 4)
        ◂┄ b, a declared need

Neighbours on branches (─●) can run at the same time.""",
    ),
}


@pytest.mark.parametrize(("cells", "text"), TEXTS.values(), ids=TEXTS.keys())
def test_text_shows_names_on_the_edges_and_what_can_run_at_the_same_time(cells, text):
    assert draw(pipeline(cells)) == text


def edge_of(names):
    source = "\n".join(f"{name} = 1" for name in names)
    return draw(pipeline([("stage:a", source), ("stage:b", f"print({', '.join(names)})")])).splitlines()[-1]


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (list("abcd"), "a, b, c, d"),
        (list("abcde"), "a, b, c, d, e"),
        (list("abcdef"), "a, b, c, d and 2 more"),
        ([letter * 40 for letter in "abc"], f"{'a' * 40} and 2 more"),
        (["a" * 200], "a" * 200),
    ],
)
def test_edge_shows_as_many_names_as_are_read_at_a_glance(names, label):
    assert edge_of(names).strip() == f"◂─ a ({label})"


def test_mermaid_draws_needs_dotted_and_keeps_names_out_of_its_syntax():
    cells = [("stage:end", "x = 1"), ("stage:b-2", "print(x)"), ("", "%%stage c needs=end\nprint(1)")]
    assert draw(pipeline(cells), "mermaid").splitlines() == [
        "flowchart TD",
        '    s0["end"]',
        '    s1["b-2"]',
        '    s2["c"]',
        '    s0 -->|"x"| s1',
        "    s0 -.-> s2",
    ]


def test_dot_draws_needs_dashed():
    cells = [("stage:a", "x = 1"), ("stage:b-2", "print(x)"), ("", "%%stage c needs=a\nprint(1)")]
    lines = draw(pipeline(cells), "dot").splitlines()
    assert (lines[0], lines[-1]) == ("digraph pipeline {", "}")
    assert '  "a" -> "b-2" [label="x"];' in lines
    assert '  "a" -> "c" [style=dashed];' in lines


def test_json_holds_stages_edges_and_parameters():
    picture = json.loads(
        draw(pipeline([("parameters", "n = 1"), ("stage:a", "x = [n]"), ("stage:b", "x.append(2)")]), "json")
    )
    assert picture["parameters"] == [{"name": "n", "value": 1, "kind": "int"}]
    assert picture["stages"] == [
        {"name": "a", "cells": [2], "reads": [], "makes": ["x"], "changes": []},
        {"name": "b", "cells": [3], "reads": ["x"], "makes": [], "changes": ["x"]},
    ]
    assert picture["edges"] == [{"source": "a", "target": "b", "names": ["x"]}]


@pytest.mark.parametrize("value", ["{1}", "b'a'", "{(1, 2): 3}", "1e999", "1j"])
def test_default_that_json_does_not_have_is_shown_as_python_writes_it(value):
    picture = json.loads(draw(pipeline([("parameters", f"n = {value}"), ("stage:a", "print(n)")]), "json"))
    assert isinstance(picture["parameters"][0]["value"], str)
