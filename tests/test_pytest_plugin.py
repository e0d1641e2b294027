"""`pytest notebook.ipynb`: test cells as pytest's own items."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from notebooks_factory import notebook, written

pytest_plugins = ["pytester"]

INSTALLED = any(one.name == "stagebook" for one in entry_points(group="pytest11"))
PLUGIN = () if INSTALLED else ("-p", "stagebook.pytest_plugin")
OTHERS = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")

CELLS = [
    ("stage:a", "x = [1, 2]"),
    ("stage:b", "y = x + [3]", {"when": "len(x) > 5"}),
    ("stage:c", "z = 1 / 0"),
    ("test:a", "# Two of them: x[0], x[1]\nassert len(x) == 2"),
    ("test:a", "print('on the way')\nassert x == [1, 3], 'the second'"),
    ("test:b", "assert y"),
    ("test:c", "assert z"),
]


@pytest.fixture
def run(pytester):
    """Run pytest in a folder of its own, in this process where it only collects."""
    pytester.makeini("[pytest]\ntestpaths = .\n")

    def call(*words):
        if "--collect-only" in words:
            return pytester.runpytest_inprocess(*PLUGIN, *OTHERS, *words)
        return pytester.runpytest_subprocess(*PLUGIN, *OTHERS, "-p", "no:nbval", *words)

    return call


def test_test_cells_are_run_as_items_and_tell_what_they_compare(pytester, run):
    written(pytester.path, CELLS, "mine.ipynb")
    pytester.makeconftest(
        "import stagebook.errors as ours\n"
        "def pytest_report_header():\n"
        "    return f'ours by {type(ours.__loader__).__name__}'"
    )
    result = run("mine.ipynb", "-v", "-rfs", "--stagebook-run")
    result.assert_outcomes(passed=1, failed=2, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "ours by SourceFileLoader",
            "mine.ipynb::a::Two of them: x[[]0], x[[]1] PASSED*",
            "mine.ipynb::a::cell 5 FAILED*",
            "mine.ipynb::b::cell 6 SKIPPED (stage `b` was skipped*",
            "mine.ipynb::c::cell 7 FAILED*",
            "*___ a: cell 5 ___*",
            "    print('on the way')",
            ">   assert x == [[]1, 3], 'the second'",
            "E   AssertionError: the second",
            "E   assert [[]1, 2] == [[]1, 3]",
            "E     At index 1 diff: 2 != 3",
            "mine.ipynb, cell 5:2: AssertionError",
            "*- Captured cell output call -*",
            "on the way",
            "*___ c: cell 7 ___*",
            "E   StageFailed: stage `c` has not run through: cell 3, line 1: ZeroDivisionError: division by zero",
            "FAILED mine.ipynb::a::cell 5 - AssertionError: the second",
            "SKIPPED [[]1] mine.ipynb:1: stage `b` was skipped: `len(x) > 5` is false (x = [[]1, 2])",
        ]
    )
    side_by_side = run("-n", "2", "--dist", "load", "--junit-xml", "results.xml")
    side_by_side.assert_outcomes(passed=1, failed=1, skipped=2)
    side_by_side.stdout.fnmatch_lines(["E     At index 1 diff: 2 != 3", "FAILED mine.ipynb::a::cell 5 - Assertion*"])
    told = (pytester.path / "results.xml").read_text()
    assert "stage `c` is stale (it failed in run " in told
    assert "run it first: stagebook run " in told
    one = run("mine.ipynb::a::Two of them: x[0], x[1]", "--collect-only", "-q")
    assert [line for line in one.outlines if "::" in line] == ["mine.ipynb::a::Two of them: x[0], x[1]"]


def test_only_notebooks_that_are_ours_are_collected(pytester, run):
    written(pytester.path, CELLS, "mine.ipynb")
    written(pytester.path, [("", "print('\"test:a')"), ("a", "x")], "foreign.ipynb")
    written(pytester.path, [("test:smoke", "assert 1")], "of_another_tool.ipynb")
    written(pytester.path, [("stage:a", "x = 1")], "untested.ipynb")
    (pytester.path / "damaged.ipynb").write_text('{"cells": [{"tags": ["test:a"')
    output = notebook(CELLS)
    output["cells"][0]["metadata"]["stagebook_run"] = {"state": "done"}
    (pytester.path / "output.ipynb").write_text(json.dumps(output))
    written(pytester.path, [("stage:a", "x = missing"), ("test:a", "assert x")], "wrong.ipynb")
    result = run("--collect-only", "-q")
    found = [line for line in result.outlines if "::" in line]
    assert [line.partition("::")[0] for line in found] == ["mine.ipynb"] * 4
    result.stdout.fnmatch_lines(
        [
            "wrong.ipynb cannot run as a pipeline.",
            "cell 1, line 1: error SB201: `missing` is read here, but no cell defines it.",
            "ERROR wrong.ipynb",
        ]
    )
    assert result.parseoutcomes().get("error", result.parseoutcomes().get("errors")) == 1, "wrong.ipynb, and no other"
    assert run("untested.ipynb", "--collect-only").ret == pytest.ExitCode.NO_TESTS_COLLECTED
    named = run("damaged.ipynb", "--collect-only")
    named.stdout.fnmatch_lines(["*damaged.ipynb is not a notebook: its JSON breaks off*"])
    theirs = run("mine.ipynb", "--nbval-lax", "--collect-only", "-q")
    assert [line for line in theirs.outlines if "::" in line] == [f"mine.ipynb::Cell {n}" for n in range(len(CELLS))]


def test_who_has_no_notebooks_loads_nothing_of_it():
    code = "import pytest, sys\nbefore = set(sys.modules)\nimport stagebook.pytest_plugin\n"
    code += "print(*sorted(set(sys.modules) - before))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["stagebook", "stagebook.pytest_plugin"]
