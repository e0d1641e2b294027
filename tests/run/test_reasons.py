"""The line that says why a stage runs: which part changed, since which run, and what it was and is."""

from __future__ import annotations

import pytest
from notebooks_factory import pipeline

from stagebook.plan import Change
from stagebook.run.reasons import came_out, changed_lines, changes_since, one_line, reason, stage_sources

R = "20261125-0350-ab12"


def code_of(*cells):
    setup = ("setup", "f = g = print\nx = a = b = []")
    return stage_sources(pipeline([setup, *(("stage:a", source) for source in cells)]))["a"]["code"]


@pytest.mark.parametrize(
    ("before", "now", "told"),
    [
        (["depth = 3"], ["depth = 4"], "cell 1: `depth = 3` -> `depth = 4`"),
        (["x = 1"], ["x = 1", "y = 2"], "cell 2: `y = 2` is new"),
        (["x = 1\ny = 2"], ["x = 1"], "cell 1: `y = 2` is gone"),
        (["x = 1"], ["x = 2\ny = 3\nz = 4"], "cell 1: `x = 1` -> `x = 2`, +2 lines"),
        (["x = 1\nk = 0\ny = 3\nz = 4"], ["x = 2\nk = 0"], "cell 1: `x = 1` -> `x = 2`, -2 lines"),
        (["x = 1\nk = 0\ny = 3"], ["x = 2\nk = 0\ny = 4"], "cell 1: `x = 1` -> `x = 2`, +1 -1 lines"),
        (["x = 1\nk = 0"], ["x = 2\nk = 0\ny = 4"], "cell 1: `x = 1` -> `x = 2`, +1 line"),
        (["x = 1\ny = 2"], ["x = 1", "y = 2"], "its lines are the same, in other cells"),
        (["%precision 2\nx = 1"], ["%precision 3\nx = 1"], "cell 1: `%precision 2` -> `%precision 3`"),
        (["!ls"], ["!ls -l"], "cell 1: `!ls` -> `!ls -l`"),
        (["for i in x:\n    f(i)"], ["for i in x:\n    g(i)"], "cell 1: `f(i)` -> `g(i)`"),
    ],
)
def test_changed_lines_show_the_first_and_count_the_others(before, now, told):
    assert changed_lines([(1, text) for text in _texts(before)], list(enumerate(_texts(now), start=1))) == told


def _texts(cells):
    return [text for _, text in code_of(*cells)]


def test_comments_and_layout_are_no_changed_lines():
    assert code_of("x = f(1,\n      2)  # why", "x = 1;")[0][1] == code_of("x = f(1, 2)", "")[0][1]


def test_long_lines_are_cut_where_they_differ():
    long = "model = RandomForestClassifier(n_estimators=200, max_features='sqrt', max_depth={}, random_state=0)"
    told = changed_lines([(4, long.format(3))], [(4, long.format(12))])
    assert told == "cell 4: `…s='sqrt', max_depth=3, random_state=0)` -> `…s='sqrt', max_depth=12, random_state=0)`"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change("code", "", "", R, "cell 4: `a` -> `b`"), f"its code changed since run {R} (cell 4: `a` -> `b`)"),
        (Change("code", "f" * 32, "e" * 32, R), f"its code changed since run {R}"),
        (Change("setup", "", "", R, "c"), f"the setup code it uses changed since run {R} (c)"),
        (Change("parameter:depth", "2", "5", R), f"parameter `depth` changed since run {R}: 2 -> 5"),
        (Change("parameter:day", "0" * 31 + "a", "5", R), f"parameter `day` changed since run {R}"),
        (Change("package:numpy", "2.4.5", "2.4.6", R), f"package `numpy` changed since run {R}: 2.4.5 -> 2.4.6"),
        (Change("package:numpy", None, "2.4.6", R), f"package `numpy` is new since run {R}"),
        (Change("module:helpers/clean.py", "a", "b", R), f"module `helpers` changed since run {R} (helpers/clean.py)"),
        (Change("module:own.py", None, "b", R), f"module `own` changed since run {R} (own.py)"),
        (Change("python", "3.10", "3.11", R), f"Python changed since run {R}: 3.10 -> 3.11"),
        (Change("input:df", "a", "b", R, "`load` came out different"), "input `df` changed: `load` came out different"),
        (Change("file:data.csv", "a" * 32, None, R), f"file data.csv is gone since run {R}"),
        (Change("file:data.csv", "a", "b", R), f"file data.csv changed since run {R}"),
        (Change("environment:HOME", "a", "b"), "environment variable `HOME` changed: a -> b"),
    ],
)
def test_each_part_has_its_words(change, told):
    assert reason([change]) == told


def test_several_parts_are_one_line_that_names_the_run_once():
    changes = [
        Change("code", "", "", R, "cell 4: `a` -> `b`"),
        Change("parameter:depth", "2", "5", R),
        Change("module:own/a.py", "a", "b", R),
        Change("module:own/b.py", "a", "b", R),
        Change("package:x", "1", "2", R),
        Change("package:y", "1", "2", R),
    ]
    assert reason(changes) == (
        f"its code changed since run {R} (cell 4: `a` -> `b`); parameter `depth` changed: 2 -> 5; "
        "module `own` changed (own/a.py, own/b.py); and 2 more"
    )


def test_what_changed_code_imports_or_reads_anew_goes_without_saying():
    last = {"run": R, "parts": {"code": "1", "parameter:a": "1"}, "sources": {"code": [[1, "x = a"]]}}
    (change,) = changes_since(last, {"code": "2", "parameter:b": "1"}, {"code": [(1, "x = b")]}, str)
    assert change == Change("code", "x = a", "x = b", R, "cell 1: `x = a` -> `x = b`")


@pytest.mark.parametrize(
    ("source", "before", "run", "told"),
    [
        ("load", "load", R, f"`load` came out different in run {R}"),
        ("load", "load", "now", "`load` came out different in this run"),
        ("load", None, None, "`load` came out different"),
        ("clean", "load", R, "it comes from `clean`, no longer from `load`"),
        (None, "load", None, ""),
    ],
)
def test_an_input_says_where_its_new_content_comes_from(source, before, run, told):
    assert came_out(source, before, run, this="now") == told


def test_the_code_shown_is_the_stages_own_and_the_setup_it_uses():
    made = pipeline([("setup", "def f():\n    return 1  # one\n\ndef g():\n    return 2"), ("stage:a", "print( f() )")])
    assert stage_sources(made) == {"a": {"code": [(2, "print(f())")], "setup": [(1, "def f():\n    return 1")]}}


def test_what_an_exception_says_is_one_line_of_bounded_length():
    assert one_line("ValueError: a\n  b\tc") == "ValueError: a b c"
    assert len(one_line("x" * 1000)) == 240
