"""`stagebook test`, as a person or a script calls it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from notebooks_factory import written

CELLS = [
    ("parameters", "depth = 2"),
    ("stage:a", "x = [depth]"),
    ("stage:b", "y = x * 2"),
    ("test:a", "# As deep as it is told to be.\nassert x == [depth]"),
    ("test:b", "assert len(y) == 3"),
]


@pytest.fixture
def stagebook(tmp_path):
    """Call the command in a folder with this notebook."""
    written(tmp_path, CELLS)

    def call(*words):
        command = [str(Path(sys.executable).with_name("stagebook")), *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return call


def test_stale_stages_are_told_or_run_first(stagebook):
    stale = stagebook("test", "notebook.ipynb", "b", "-p", "depth", "3")
    assert (stale.returncode, stale.stderr) == (1, "")
    assert stale.stdout.splitlines()[0] == (
        "skipped  b: cell 5 (stage `b` is stale (its input `x` comes from `a`, which runs): run it first: "
        "stagebook run notebook.ipynb -p depth 3 --to b)"
    )
    stale = json.loads(stagebook("test", "notebook.ipynb", "--format", "json").stdout)
    assert [(one["stage"], one["outcome"], one["stale"]) for one in stale["tests"]] == [
        ("a", "skipped", True),
        ("b", "skipped", True),
    ]
    told = stagebook("test", "notebook.ipynb", "--run", "-p", "depth", "3")
    lines = told.stdout.splitlines()
    assert (told.returncode, told.stderr) == (1, "")
    assert lines[0] == "a: runs (it has not run yet)"
    assert lines[4].startswith("passed   a: As deep as it is told to be. (")
    assert lines[7:12] == [
        "b: cell 5, line 1",
        ">   assert len(y) == 3",
        "E   AssertionError: assert 2 == 3",
        "E    +  where 2 = len([3, 3])",
        "",
    ]
    assert lines[12].startswith("1 passed, 1 failed in ")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nope.ipynb"], "There is no notebook at nope.ipynb."),
        (["notebook.ipynb", "c"], "There is no stage `c` in notebook.ipynb. There is: `a`, `b`."),
        (["notebook.ipynb", "-p", "dpth", "1"], "no parameter `dpth`. Did you mean `depth`?"),
    ],
)
def test_mistakes_exit_2_with_a_sentence_and_no_traceback(stagebook, words, told):
    answer = stagebook("test", *words)
    assert (answer.returncode, told in answer.stderr, "Traceback" in answer.stderr) == (2, True, False)


def test_help_says_how_skipped_tests_count(stagebook):
    told = " ".join(stagebook("test", "--help").stdout.split())
    assert "1 a test failed, or was skipped as its stage is stale" in told
    assert "stagebook test flights.ipynb --run" in told
