"""`stagebook check` and `stagebook show` as commands: what they print, and with which exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.notebooks_factory import notebook, written

from stagebook.cli import main

CLEAN = [("stage:load", "x = 1"), ("stage:report", "print(x)")]
WARNED = [("stage:load", "x = 1")]
WRONG = [("stage:load", "x = 1"), ("", "%%stage report needs=laod\nprint(x, 'now 100%')")]


def stagebook(*arguments):
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.parametrize(("cells", "status"), [(CLEAN, 0), (WARNED, 1), (WRONG, 1)])
@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_check_exits_1_where_it_has_findings(tmp_path, cells, status, form):
    assert stagebook("check", written(tmp_path, cells), "--format", form).exit_code == status


def test_check_prints_place_cause_remedy_and_a_sum(tmp_path):
    result = stagebook("check", written(tmp_path, WRONG))
    assert result.stdout.splitlines() == [
        "cell 2, line 1: error SB205: Stage `report` needs `laod`, and there is no such stage.",
        "    Did you mean `load`?",
        "notebook.ipynb: 1 error, 0 warnings.",
    ]


def test_check_of_a_clean_notebook_says_so(tmp_path):
    assert stagebook("check", written(tmp_path, CLEAN)).stdout == "notebook.ipynb: no findings.\n"


def test_check_as_json_gives_every_part_of_a_finding(tmp_path):
    (found,) = json.loads(stagebook("check", written(tmp_path, WRONG), "--format", "json").stdout)
    assert found == {
        "code": "SB205",
        "severity": "error",
        "message": "Stage `report` needs `laod`, and there is no such stage.",
        "remedy": "Did you mean `load`?",
        "stage": "report",
        "cell": 2,
        "line": 1,
    }


def test_check_as_json_of_a_clean_notebook_is_an_empty_list(tmp_path):
    assert json.loads(stagebook("check", written(tmp_path, CLEAN), "--format", "json").stdout) == []


def test_check_for_github_prints_one_escaped_command_a_finding(tmp_path):
    path = written(tmp_path, [("stage:a", "%%stage a b%0\nprint(1)")], "a,b.ipynb")
    (line,) = stagebook("check", path, "--format", "github").stdout.splitlines()
    assert line.startswith(f"::error file={tmp_path}/a%2Cb.ipynb,title=SB103::cell 1, line 1: `b%250`")


def test_check_for_github_of_a_clean_notebook_prints_no_command(tmp_path):
    assert stagebook("check", written(tmp_path, CLEAN), "--format", "github").stdout == ""


def damaged(**parts):
    return json.dumps(notebook(CLEAN) | parts)


UNREADABLE = {
    "empty": "",
    "no JSON": "# Title",
    "truncated": damaged()[:-20],
    "another JSON": "{}",
    "list": "[]",
    "null": "null",
    "no cells": damaged(cells=None),
    "odd cells": damaged(cells=[None]),
    "cell without a type": damaged(cells=[{"source": "x"}]),
    "cell of an odd type": damaged(cells=[{"cell_type": ["code"], "source": "x"}]),
    "odd source": damaged(cells=[{"cell_type": "code", "source": {}}]),
    "format 2": damaged(nbformat=2),
    "format 99": damaged(nbformat=99),
    "odd format": damaged(nbformat=[4]),
    "damaged format 3": damaged(nbformat=3),
    "no stages": json.dumps(notebook([("", "x = 1")])),
    "no code": json.dumps(notebook([])),
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("verb", ["check", "show"])
def test_what_cannot_be_read_exits_2_with_a_message(tmp_path, verb, text):
    path = tmp_path / "broken.ipynb"
    path.write_text(text)
    result = stagebook(verb, path)
    assert result.exit_code == 2
    assert "broken.ipynb" in result.stderr
    assert "Traceback" not in result.output


def odd(**cell):
    return damaged(cells=[*notebook(CLEAN)["cells"], {"cell_type": "code", "source": "1", **cell}])


ODD_BUT_READABLE = {
    "odd notebook metadata": damaged(metadata=[1]),
    "odd kernel": damaged(metadata={"kernelspec": "python"}),
    "odd tags": odd(metadata={"tags": 3}),
    "odd cell metadata": odd(metadata=3),
    "odd id": odd(id={"a": 1}),
    "unknown cell type": odd(cell_type="heading"),
}


@pytest.mark.parametrize("text", ODD_BUT_READABLE.values(), ids=ODD_BUT_READABLE.keys())
def test_odd_parts_that_do_not_matter_are_passed_over(tmp_path, text):
    path = tmp_path / "odd.ipynb"
    path.write_text(text)
    assert stagebook("check", path).exit_code == 0


def test_missing_notebook_exits_2_and_names_its_neighbour(tmp_path):
    written(tmp_path, CLEAN, "flights.ipynb")
    result = stagebook("check", tmp_path / "flight.ipynb")
    assert result.exit_code == 2
    assert "Did you mean `flights.ipynb`?" in result.stderr


def test_folder_exits_2(tmp_path):
    result = stagebook("check", tmp_path)
    assert (result.exit_code, "is a folder" in result.stderr) == (2, True)


def test_show_of_a_pipeline_with_errors_exits_2_and_lists_them(tmp_path):
    result = stagebook("show", written(tmp_path, WRONG))
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        "notebook.ipynb cannot run as a pipeline.",
        "cell 2, line 1: error SB205: Stage `report` needs `laod`, and there is no such stage.",
        "    Did you mean `load`?",
    ]


@pytest.mark.parametrize(
    ("form", "start"),
    [("text", "notebook.ipynb"), ("svg", "<svg "), ("mermaid", "flowchart"), ("dot", "digraph"), ("json", "{")],
)
def test_show_draws_in_every_format(tmp_path, form, start):
    result = stagebook("show", written(tmp_path, CLEAN), "--format", form)
    assert (result.exit_code, result.stdout[: len(start)]) == (0, start)


@pytest.mark.parametrize("form", ["text", "svg"])
def test_show_writes_what_it_would_print_to_a_file(tmp_path, form):
    path, out = written(tmp_path, CLEAN), tmp_path / "drawn"
    printed = stagebook("show", path, "--format", form).stdout
    result = stagebook("show", path, "--format", form, "--out", out)
    assert (result.exit_code, result.stdout, out.read_text(encoding="utf-8")) == (0, "", printed)


def test_show_tells_where_it_cannot_write(tmp_path):
    result = stagebook("show", written(tmp_path, CLEAN), "--out", tmp_path / "nowhere/drawn.svg")
    assert (result.exit_code, "nowhere/drawn.svg cannot be written" in result.stderr) == (2, True)


def test_installed_command_checks_a_notebook(tmp_path):
    command = Path(sys.executable).with_name("stagebook")
    path = written(tmp_path, WRONG)
    result = subprocess.run([command, "check", path], capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, result.stderr) == (1, "")
    assert result.stdout.endswith("notebook.ipynb: 1 error, 0 warnings.\n")


def test_a_notebook_in_another_language_is_refused(tmp_path):
    document = notebook([("stage:a", "x <- 1")])
    document["metadata"] = {"kernelspec": {"name": "ir", "language": "R", "display_name": "R"}}
    path = tmp_path / "r.ipynb"
    path.write_text(json.dumps(document))
    told = CliRunner().invoke(main, ["check", str(path)])
    assert told.exit_code == 2
    assert "r.ipynb is in r; stages are read from Python notebooks." in told.output
