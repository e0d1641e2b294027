"""`stagebook diff`: runs and notebooks, however they are named; text, JSON and Markdown; exit status as of diff."""

from __future__ import annotations

import json
import subprocess

import pytest
from click.testing import CliRunner
from notebooks_factory import written

from stagebook.cli import main

CELLS = [
    ("parameters", "depth = 2"),
    ("stage:a", "%%stage a metrics=x\nx = depth * 10"),
    ("stage:b", "y = [x, '`'] + ['|']"),
    ("stage:c", "print(y)"),
]


def diff(*words):
    result = CliRunner().invoke(main, ["diff", *(str(word) for word in words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of an edited notebook: the folder, and their ids."""
    from stagebook.run.api import run_notebook

    folder = tmp_path_factory.mktemp("runs")
    first = run_notebook(written(folder, CELLS), track=False)
    cells = [*CELLS[:2], ("stage:b", "%%stage b retries=1\ny = [x, '`']"), ("stage:d", "print(y)")]
    second = run_notebook(written(folder, cells), track=False, parameters={"depth": "3"}, out=folder / "out")
    return folder, first.id, second.id


def test_two_runs_as_text(runs):
    folder, first, second = runs
    told = diff("last~1", "last", "--store", folder / ".stagebook")
    lines = told.stdout.splitlines()
    assert told.exit_code == 1
    assert lines[0] == f"{first} -> {second}"
    assert lines[2:5] == ["Stages", "  ~  b  code +1 -1; retries: none -> 1", "  =  d  was c, the same code"]
    assert "    -y = [x, '`'] + ['|']" in lines
    assert lines[lines.index("Parameters") + 1] == "  depth  2 -> 3"
    assert lines[lines.index("Metrics") + 1] == "  a  x  20 -> 30  +10"
    assert lines[lines.index("Artifacts with another content") + 1 :][:2] == ["  a  x", "  b  y"]
    assert "Edges" not in lines
    assert lines[-1].startswith("Duration: ")


def test_two_runs_as_json(runs):
    folder, first, second = runs
    told = json.loads(diff(first, folder / "out", "--store", folder / ".stagebook", "--format", "json").stdout)
    assert (told["same"], told["before"], told["now"]) == (False, first, second)
    assert told["runs"]["metrics"] == [{"stage": "a", "name": "x", "before": 20.0, "now": 30.0, "difference": 10.0}]
    assert [(one["stage"], one["kind"], one["was"]) for one in told["pipelines"]["stages"]] == [
        ("b", "changed", "b"),
        ("d", "renamed", "c"),
    ]
    (x, _) = told["runs"]["artifacts"]
    assert (x["stage"], x["name"]) == ("a", "x")
    assert x["before"] != x["now"]


def test_markdown_holds_tables_and_folds_code_away(runs):
    folder, first, second = runs
    told = diff("last~1", folder / "out/run.json", "--store", folder / ".stagebook", "--format", "markdown").stdout
    assert told.startswith(f"### Pipeline: `{first}` → `{second}`\n")
    assert "\n| ~ | `b` | code +1 -1; retries: none -&gt; 1 |\n" in told
    assert "\n| `a` | `x` | `20` | `30` | +10 |\n" in told
    assert "<details><summary>code of b</summary>\n\n```diff\n@@ -1 +1 @@\n" in told


def test_a_run_and_itself_are_the_same(runs):
    folder, first, _ = runs
    told = diff(first, first, "--store", folder / ".stagebook")
    assert (told.exit_code, "No difference." in told.stdout) == (0, True)


def test_a_run_with_the_notebook_of_now_shows_what_was_edited_since(runs):
    folder, first, _ = runs
    assert diff("last", folder / "notebook.ipynb", "--store", folder / ".stagebook").exit_code == 0
    assert diff(first, folder / "notebook.ipynb", "--store", folder / ".stagebook").exit_code == 1


def test_a_run_whose_output_notebook_is_gone_is_compared_without_its_code(runs, tmp_path):
    folder, first, _ = runs
    (tmp_path / "run.json").write_bytes((folder / f".stagebook/runs/{first}/run.json").read_bytes())
    told = diff(tmp_path, "last", "--store", folder / ".stagebook")
    assert "  a  x  20 -> 30  +10" in told.stdout
    assert "The code is not compared: a run's output notebook is no longer beside its run.json." in told.stdout


def test_a_notebook_in_gits_history(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b.c"]
    written(tmp_path, CELLS)
    for words in (["init", "-q"], ["add", "notebook.ipynb"], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], check=True)
    assert diff("HEAD:notebook.ipynb", "notebook.ipynb").exit_code == 0
    written(tmp_path, [*CELLS[:3], ("stage:c", "print(y, y)")])
    told = diff("HEAD:notebook.ipynb", "notebook.ipynb")
    assert (told.exit_code, "    +print(y, y)" in told.stdout) == (1, True)
    told = diff("HEAD:nope.ipynb", "notebook.ipynb")
    assert (told.exit_code, told.stderr.startswith("stagebook: git does not show HEAD:nope.ipynb: ")) == (2, True)


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("last~2", "There is no `last~2`: notebook.ipynb has 2 runs in "),
        ("20991231-000000-0000", "There is no run `20991231-000000-0000` in "),
        ("nope.ipynb", "There is no notebook at nope.ipynb."),
    ],
)
def test_what_is_not_there_is_told_with_what_is(runs, reference, told):
    folder, _, _ = runs
    answer = diff(reference, "last", "--store", folder / ".stagebook")
    assert (answer.exit_code, told in answer.stderr) == (2, True)


def test_a_store_without_runs_says_so(tmp_path):
    answer = diff("last~1", "last", "--store", tmp_path)
    assert answer.exit_code == 2
    assert "no run in" in answer.stderr
