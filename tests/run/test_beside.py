"""`stagebook compare`: runs beside one another, however they are named; text, JSON and Markdown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from notebooks_factory import written

from stagebook.cli import main
from stagebook.run.api import run_notebook
from stagebook.run.beside import side_by_side
from stagebook.run.compare import Side

CELLS = [
    ("parameters", "depth = 2\nseed = 1"),
    ("setup", "def up(x): return x + 1"),
    ("stage:load", "rows = list(range(9))"),
    ("", "%%stage train metrics=auc,loss\nauc = depth + len(rows)\nloss = up(seed)"),
    ("stage:show", "print(auc)"),
    ("stage:other", "%%stage other metrics=n\nn = 3"),
]


def compare(*words):
    result = CliRunner().invoke(main, ["compare", *(str(word) for word in words)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three runs: as it is, with another parameter, and edited with a stage that fails; the folder and their ids."""
    folder = tmp_path_factory.mktemp("runs")
    first = run_notebook(written(folder, CELLS), track=False)
    second = run_notebook(written(folder, CELLS), track=False, parameters={"depth": "3"})
    edited = [CELLS[0], ("setup", "def up(x): return x + 2"), ("stage:load", "rows = list(range(8))"), *CELLS[3:]]
    third = run_notebook(written(folder, [*edited, ("stage:bad", "1 / 0")]), track=False)
    return folder, first.id, second.id, third.id


@pytest.fixture
def found(runs):
    folder, *ids = runs
    return json.loads(compare(*ids, "--store", folder / ".stagebook", "--format", "json").stdout)


def lines_of(told):
    assert told.exit_code == 0, told.stderr
    return [line.split() for line in told.stdout.splitlines()]


def test_a_column_for_each_run_with_what_it_was_given_and_came_to(runs):
    folder, first, second, third = runs
    told = compare("last~2", folder / ".stagebook/runs" / second, "last", "--store", folder / ".stagebook")
    lines = lines_of(told)
    assert lines[0] == ["run", first, second, third]
    assert ["state", "done", "done", "failed"] in lines
    assert lines[lines.index(["Parameters"]) + 1 :][:2] == [
        ["depth", "2", "3", "2"],
        ["the", "same", "in", "all:", "seed", "=", "1"],
    ]
    assert lines[lines.index(["Metrics"]) + 1 :][:3] == [
        ["auc", "11", "12", "(+1)", "10", "(-1)"],
        ["loss", "2", "2", "3", "(+1)"],
        ["n", "3", "3", "3"],
    ]
    head, *_, depth = told.stdout[: told.stdout.index("  the same")].splitlines()
    assert depth.startswith("  depth")
    assert [depth[head.index(run)] for run in (first, second, third)] == ["2", "3", "2"], "a column throughout"


def test_what_became_of_each_stage_and_why_it_differs(found):
    stages = {row["stage"]: row for row in found["stages"]}
    assert {name: row["states"] for name, row in stages.items()} == {
        "load": ["done", "reused", "done"],
        "train": ["done", "done", "done"],
        "show": ["done", "done", "done"],
        "other": ["done", "reused", "reused"],
        "bad": [None, None, "failed"],
    }
    assert stages["other"]["reasons"] == ["", "", ""]
    assert stages["load"]["reasons"] == [
        "",
        "",
        "its code changed (cell 3: `rows = list(range(9))` -> `rows = list(range(8))`)",
    ]
    assert stages["train"]["reasons"] == [
        "",
        "parameter `depth` changed: 2 -> 3",
        "the setup code it uses changed (cell 2: `return x + 1` -> `return x + 2`); "
        "input `rows` changed: `load` came out different",
    ]
    assert len(set(stages["train"]["fingerprints"])) == 3


def test_nobody_is_best_unless_it_is_said_what_is_better(runs, found):
    folder, *ids = runs
    assert [(row["name"], row["best"], row["direction"]) for row in found["metrics"]] == [
        ("auc", [], None),
        ("loss", [], None),
        ("n", [], None),
    ]
    words = [*ids, "--store", folder / ".stagebook", "--maximize", "auc,n", "--minimize", "loss"]
    metrics = json.loads(compare(*words, "--format", "json").stdout)["metrics"]
    assert [(row["name"], row["best"]) for row in metrics] == [("auc", [1]), ("loss", [0, 1]), ("n", [])]
    assert ["auc", "11", "12", "(+1,", "best)", "10", "(-1)"] in lines_of(compare(*words))


def test_the_objective_of_a_sweep_says_what_is_better(tmp_path):
    path = written(tmp_path, CELLS)
    swept = CliRunner().invoke(main, ["sweep", str(path), "-p", "depth", "1,2", "--minimize", "auc", "--no-track"])
    assert swept.exit_code == 0, swept.output
    folders = sorted({point.parent for point in (tmp_path / ".stagebook").rglob("run.json")})
    [metric] = json.loads(
        compare(*folders, "--store", tmp_path / ".stagebook", "--metrics", "auc", "--format", "json").stdout
    )["metrics"]
    assert (metric["direction"], metric["best"]) == ("minimize", [metric["values"].index(10)])


def test_metrics_are_shown_as_asked_for(runs):
    folder, *ids = runs
    lines = lines_of(compare(*ids, "--store", folder / ".stagebook", "--metrics", "n,auc"))
    assert [line[0] for line in lines[lines.index(["Metrics"]) + 1 :][:2]] == ["n", "auc"]
    wrong = compare(*ids, "--store", folder / ".stagebook", "--metrics", "acu")
    assert (wrong.exit_code, "has a metric `acu`. Did you mean `auc`?" in wrong.stderr) == (2, True)


def test_markdown_holds_tables(runs):
    folder, first, second, _ = runs
    told = compare(first, second, "--store", folder / ".stagebook", "--format", "markdown").stdout
    assert f"\n| run | {first} | {second} |\n| --- | --- | --- |\n" in told
    assert "\n| `depth` | `2` | `3` |\n" in told
    assert "\n| `train` | parameter `depth` changed: 2 -&gt; 3 |\n" in told


def test_a_stage_that_was_renamed_is_one_and_the_same(tmp_path):
    run_notebook(written(tmp_path, CELLS), track=False)
    run_notebook(written(tmp_path, [*CELLS[:4], ("stage:shown", "print(auc)"), CELLS[5]]), track=False)
    words = ["last~1", "last", "--store", tmp_path / ".stagebook", "--format", "json"]
    assert [row["stage"] for row in json.loads(compare(*words).stdout)["stages"]] == ["load", "train", "show", "other"]


def test_a_run_whose_notebook_is_gone_is_compared_without_its_code(runs, tmp_path):
    folder, first, _, third = runs
    (tmp_path / "run.json").write_bytes((folder / f".stagebook/runs/{third}/run.json").read_bytes())
    told = compare(first, tmp_path, "--store", folder / ".stagebook")
    assert f"The code of run {third} is not known: its notebook is not beside its run.json." in told.stdout
    assert "train  input `rows` changed: `load` came out different\n" in told.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["last", "last~7"], "There is no `last~7`: notebook.ipynb has 3 runs in "),
        (["last", "20991231-000000-0000"], "There is no run `20991231-000000-0000` in "),
        (["last"], "Name two runs or more to be compared"),
        (["last", "last~1", "--maximize", "n", "--minimize", "n"], "`n` cannot be best at its most and at its least"),
    ],
)
def test_what_cannot_be_compared_is_told_and_exits_2(runs, words, told):
    answer = compare(*words, "--store", runs[0] / ".stagebook")
    assert (answer.exit_code, told in answer.stderr) == (2, True)


def test_a_notebook_is_no_run(runs):
    folder = runs[0]
    answer = compare(folder / "notebook.ipynb", "last", "--store", folder / ".stagebook")
    assert (answer.exit_code, "notebook.ipynb is a notebook, and runs are compared." in answer.stderr) == (2, True)


def test_what_is_known_of_git_and_of_several_notebooks_is_shown(runs):
    folder, first, *_ = runs
    facts = json.loads(Path(folder, f".stagebook/runs/{first}/run.json").read_text())
    other = {**facts, "notebook": "/x/other.ipynb", "provenance": {"commit": "0123456789abcdef", "changed": True}}
    found = side_by_side([Side(first, None, facts), Side("other", None, other)])
    assert [run.notebook for run in found.runs] == ["notebook.ipynb", "other.ipynb"]
    assert (found.runs[1].commit, found.runs[1].changed) == ("0123456789abcdef", True)
    from stagebook.comparetext import side_by_side_text

    assert "0123456789 and changes" in side_by_side_text(found)
