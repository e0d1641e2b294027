"""The magics in a real IPython."""

from __future__ import annotations

import pytest
from IPython.testing.globalipapp import start_ipython
from notebooks_factory import written


@pytest.fixture(scope="module")
def ipython():
    shell = start_ipython()
    shell.run_line_magic("load_ext", "stagebook")
    return shell


def test_stage_cell_runs_in_the_users_namespace(ipython, capsys):
    ipython.run_cell("%%stage load\nx_loaded = 21 * 2\nprint('ran')")
    assert ipython.user_ns["x_loaded"] == 42
    told = capsys.readouterr().out
    assert told.startswith("ran\n[stage load] ")


def test_last_expression_is_shown_as_in_a_plain_cell(ipython, capsys):
    ipython.run_cell("%%stage show\n6 * 7")
    assert "42" in capsys.readouterr().out


def test_traceback_counts_lines_as_the_cell_does(ipython, capsys):
    ipython.run_cell("%%stage broken\nx = 1\ny = x / 0")
    told = capsys.readouterr().out
    assert "ZeroDivisionError" in told
    assert "line 3" in told
    assert "[stage broken]" not in told


def test_unknown_option_is_told_and_the_cell_still_runs(ipython, capsys):
    ipython.run_cell("%%stage load metric=x\nz_ran = 1")
    assert "There is no option `metric`. Did you mean `metrics`?" in capsys.readouterr().out
    assert ipython.user_ns["z_ran"] == 1


def test_stage_without_a_name_runs_nothing(ipython, capsys):
    ipython.run_cell("%%stage\nnever_bound = 1")
    assert "`%%stage` names no stage." in capsys.readouterr().out
    assert "never_bound" not in ipython.user_ns


def test_pipeline_shows_checks_and_plans_a_notebook(ipython, capsys, tmp_path):
    path = written(tmp_path, [("stage:a", "x = 1"), ("stage:b", "print(x)")])
    ipython.run_line_magic("pipeline", f"show {path}")
    ipython.run_line_magic("pipeline", f"check {path}")
    ipython.run_line_magic("pipeline", f"plan {path}")
    told = capsys.readouterr().out
    assert "(x)" in told
    assert "no findings" in told
    assert "2 stages to run, 0 to reuse." in told


def test_pipeline_finds_the_notebook_it_is_in(ipython, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(written(tmp_path, [("stage:alone", "x = 1")])))
    ipython.run_line_magic("pipeline", "")
    assert "alone" in capsys.readouterr().out


def test_wrong_verb_is_told_in_a_line(ipython, capsys):
    ipython.run_line_magic("pipeline", "shwo nowhere.ipynb")
    assert "%pipeline takes show, check or plan" in capsys.readouterr().out


def test_cell_magics_and_await_work_below_the_stage_line(ipython, capsys):
    ipython.run_cell("%%stage timed\n%%time\nx_timed = 3")
    ipython.run_cell("%%stage awaited\nimport asyncio\nx_awaited = await asyncio.sleep(0, 'slept')")
    assert (ipython.user_ns["x_timed"], ipython.user_ns["x_awaited"]) == (3, "slept")
    told = capsys.readouterr().out
    assert "Wall time" in told
    assert "[stage awaited]" in told


def test_loading_twice_changes_nothing(ipython, capsys):
    ipython.run_line_magic("reload_ext", "stagebook")
    ipython.run_cell("%%stage once\nx_once = 1")
    assert capsys.readouterr().out.count("[stage once]") == 1


def test_pipeline_tells_the_findings_of_a_faulty_notebook(ipython, capsys, tmp_path):
    ipython.run_line_magic("pipeline", f"plan {written(tmp_path, [('stage:a', 'print(nowhere)')])}")
    assert "SB201: `nowhere` is read here" in capsys.readouterr().out
