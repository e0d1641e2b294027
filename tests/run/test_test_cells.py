"""Test cells, run on the stored results of their stages."""

from __future__ import annotations

import hashlib
import random
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from notebooks_factory import written

from stagebook.errors import UsageError
from stagebook.events import CellTested, RunStarted
from stagebook.run.api import plan_notebook, run_notebook
from stagebook.run.asserting import explain_asserts, where_raised
from stagebook.run.testing import run_tests

KEY = "sesame-open-up"
SETUP = """import random
import pandas as pd
def same_length(a, b):
    assert len(a) == len(b)"""
LOAD = """raw = pd.DataFrame({'x': [1.0, None, 3.0]})
low, df, who = [1], 'old', 'load'
base = 2
print(api_key)"""
CHANGE = """low.append(2)
df.loc[0, 'y'] = raw.loc[0, 'x'] = 99
assert (len(low), df.y[0], raw.x[0]) == (2, 99, 99)"""
CELLS = [
    ("parameters", "depth = 2\napi_key = ''"),
    ("setup", SETUP),
    ("stage:load", LOAD),
    ("stage:clean", "df = raw.assign(y=depth)\nrandom.seed(3)\nrandom.random()\ngone = (n for n in raw)"),
    ("stage:clean", "def scaled(one):\n    return base * one"),
    ("stage:report", "df = df.assign(z=0)\nwho = 'report'\nprint(scaled(1))"),
]  # fmt: skip


def drawn(seed):
    """The second number that comes of a seed."""
    return [generator.random() for generator in [random.Random(seed)] for _ in range(2)][1]


# By what it shows: a test cell, and what came of it.
TESTS = {
    "what the stage makes": "# Only its own columns.\nassert list(df.columns) == ['x', 'y']",
    "what it took, and what others made before it": "assert (len(raw), low) == (3, [1])",
    "what stands in the notebook there": "assert who == 'report'",
    "a change in place": CHANGE,
    "after a change in place": "assert (low, df.y[0], raw.x[0]) == ([1], 2, 1)",
    "random state": f"assert random.random() == {drawn(3)!r}",
    "a function that reads what another stage made": "assert scaled(depth) == 4",
    "a chain of calls": "\n\nlimit = 0\nassert df.isna().sum().sum() == limit",
    "two lists": "assert [1, 2, 3] == [1, 5, 3], '100% of them'",
    "a function of setup": "print('on the way')\nsame_length([1], [1, 2])",
    "an exception": "import math\n1 / (low[0] - 1)",
    "pytest.skip": "import pytest\npytest.skip('not today')",
    "a kernel that dies": "import os\nos._exit(3)",
    "a secret": "assert api_key == 'other'",
    "a value that cannot be stored": "assert gone",
}


def contents(folder):
    """The results that are kept, and the blobs: each file with its digest."""
    files = [path for part in ("records", "blobs") for path in (folder / part).rglob("*") if path.is_file()]
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def tested(tmp_path_factory):
    """The results of `TESTS` by what they show, and the contents of the store before and after."""
    path = written(tmp_path_factory.mktemp("tested"), [*CELLS, *(("test:clean", source) for source in TESTS.values())])
    run = run_notebook(path, parameters={"api_key": KEY}, track=False)
    assert run.state == "done", [stage.reason for stage in run.stages]
    before = contents(path.parent / ".stagebook")
    told = []
    report = run_tests(path, parameters={"api_key": KEY}, listeners=(told.append,))
    assert [event.tested for event in told if isinstance(event, CellTested)] == list(report.tested)
    return dict(zip(TESTS, report.tested, strict=True)), before, contents(path.parent / ".stagebook"), report


@pytest.mark.parametrize("what", list(TESTS)[:7])
def test_a_test_gets_what_its_stage_left_or_took_and_else_what_stands_there(tested, what):
    one = tested[0][what]
    assert (one.outcome, one.failure) == ("passed", None)


def test_nothing_of_a_test_is_kept(tested):
    _, before, after, _ = tested
    assert {path: after.get(path) for path in before} == before
    assert [path for path in after.keys() - before.keys() if path.suffix != ".json"] == []


@pytest.mark.parametrize(
    ("what", "line", "words"),
    [
        ("a chain of calls", 4, [" == 0\n +  where ", "sum()", "isna"]),
        ("two lists", 1, ["100% of them\nassert [1, 2, 3] == [1, 5, 3]", "At index 1 diff: 2 != 5"]),
        ("an exception", 2, ["division by zero"]),
    ],
)
def test_a_failure_tells_line_and_values(tested, what, line, words):
    one = tested[0][what]
    assert (one.outcome, one.failure.cell, one.failure.line) == ("failed", one.cell, line)
    assert [word for word in words if word not in one.failure.message] == []
    assert "-v" not in one.failure.message, "what pytest says of its own options"


def test_a_failure_in_what_the_cell_calls_tells_the_way_there(tested):
    one = tested[0]["a function of setup"]
    assert (one.failure.name, one.failure.line) == ("AssertionError", 2)
    assert one.failure.trail == ("cell 2, line 4, in same_length: assert len(a) == len(b)",)
    assert one.output == "on the way"


def test_a_test_is_called_by_the_comment_that_it_begins_with(tested):
    titles = [one.title for one in tested[0].values()]
    assert titles == ["Only its own columns.", *(f"cell {number}" for number in range(8, 22))]


def test_what_pytest_skip_skips_is_skipped_and_no_fault(tested):
    one = tested[0]["pytest.skip"]
    assert (one.outcome, one.reason, one.stale) == ("skipped", "not today", False)


def test_a_cell_that_could_not_be_run_is_an_error(tested):
    died, unstored = tested[0]["a kernel that dies"], tested[0]["a value that cannot be stored"]
    assert died.outcome == "error"
    assert str(died.failure).startswith("cell 19: DeadKernel: the kernel died (exit status 3).")
    assert unstored.outcome == "error"
    assert "`gone` (generator) of stage `clean`, which cannot be stored" in unstored.failure.message


def test_secrets_are_masked(tested):
    message = tested[0]["a secret"].failure.message
    assert KEY not in message
    assert "••••••" in message


def test_the_report_counts(tested):
    report = tested[3]
    assert {outcome: report.count(outcome) for outcome in ("passed", "failed", "error", "skipped")} == {
        "passed": 7,
        "failed": 5,
        "error": 2,
        "skipped": 1,
    }
    assert not report.passed


def test_tests_of_stale_stages_are_skipped_or_have_them_run_first(bench):
    cells = [
        ("parameters", "n = 1\nkind = 'a'"),
        ("stage:a", "x, spare = n, 5"),
        ("stage:b", "y = [x, kind]"),
        ("test:a", "assert x == n"),
        ("test:b", "assert y[0]"),
    ]
    bench.write(cells)
    report = run_tests(bench.path)
    assert [one.reason.partition(" (")[0] for one in report.tested] == ["stage `a` is stale", "stage `b` is stale"]
    assert not (bench.folder / ".stagebook").exists(), "nothing was run"
    bench.run()
    store = bench.folder / ".stagebook"
    report = run_tests(bench.path, stages=["b"], parameters={"kind": "b"}, store=store)
    (other,) = report.tested
    assert (other.outcome, other.stale, report.passed) == ("skipped", True, False)
    assert other.reason.startswith("stage `b` is stale (parameter `kind` changed since run ")
    assert other.reason.endswith(f"run it first: stagebook run {bench.path} -p kind b --store {store} --to b")

    cells[-2:] = [("test:a", "assert spare == 5"), ("test:b", "assert (y[1], spare) == ('b', 5)")]
    bench.write(cells)
    kept = run_tests(bench.path).tested
    assert [one.outcome for one in kept] == ["skipped", "skipped"]
    assert "stage `a` has not kept `spare` when it ran, and it reads that: run it again: " in kept[0].reason
    assert kept[0].reason.endswith("--only a --force")
    events = []
    report = run_tests(bench.path, parameters={"kind": "b"}, run=True, listeners=(events.append,))
    assert [(one.outcome, one.failure) for one in report.tested] == [("passed", None)] * 2
    assert sum(isinstance(event, RunStarted) for event in events) == 2, "one for `b`, one for what `a` had not kept"
    plan = plan_notebook(bench.path, parameters={"kind": "b"})
    assert [one.action for one in plan.decisions] == ["reuse", "reuse"], "all that was run is kept"


def test_stages_that_are_mapped_or_skipped_or_fail_or_are_never_stored(bench):
    bench.write(
        [
            ("setup", "import random"),
            ("stage:never", "fresh = [1]", {"cache": False}),
            ("stage:off", "extra = 1", {"when": "fresh == []"}),
            ("stage:broken", "z = 1 / 0"),
            ("stage:each", "drawn = one + random.random()", {"foreach": "one in fresh"}),
            ("test:never", "assert fresh == [1]"),
            ("test:off", "assert extra"),
            ("test:broken", "assert z"),
            ("test:each", "assert [1 < one < 2 for one in drawn] == [True]"),
        ]
    )
    never, off, broken, each = run_tests(bench.path, run=True).tested
    assert (never.outcome, never.failure) == (each.outcome, each.failure) == ("passed", None)
    assert (off.outcome, off.stale) == ("skipped", False)
    assert off.reason == "stage `off` was skipped: `fresh == []` is false (fresh = [1])"
    assert (broken.outcome, broken.failure.name) == ("error", "StageFailed")
    assert "stage `broken` has not run through: cell 4, line 1: ZeroDivisionError" in broken.failure.message
    (alone,) = run_tests(bench.path, stages=["never"]).tested
    assert alone.reason == "stage `never` is never stored (`cache=false`): test it with --run"


@pytest.mark.parametrize(
    ("cells", "stages", "told"),
    [
        ([("stage:load", "x = 1"), ("test:load", "assert x")], ["laod"], "no stage `laod` in notebook.ipynb. Did you"),
        ([("stage:a", "x = 1"), ("stage:b", "x"), ("test:a", "x")], ["b"], "No cell of notebook.ipynb tests `b`."),
        ([("stage:a", "x = 1")], [], "notebook.ipynb has no test cells. Tag one `test:NAME`"),
    ],
    ids=["no such stage", "no test of it", "no test at all"],
)  # fmt: skip
def test_nothing_to_test_is_an_error_that_says_why(bench, cells, stages, told):
    bench.write(cells)
    with pytest.raises(UsageError) as error:
        run_tests(bench.path, stages=stages)
    assert told in str(error.value)


def test_without_pytest_assertions_stay_plain(monkeypatch):
    shell = InteractiveShell()
    monkeypatch.setitem(sys.modules, "_pytest.assertion", None)
    explain_asserts(shell)
    result = shell.run_cell("\nx = 1\nassert x == 2, 'not two'", silent=True)
    assert (str(result.error_in_exec), where_raised(result.error_in_exec, shell)) == ("not two", (2, []))
