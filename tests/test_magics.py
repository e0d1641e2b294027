"""The magics in a real IPython."""

from __future__ import annotations

import pytest
from notebooks_factory import written


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
    ipython.run_line_magic("pipeline", f"status {path}")
    told = capsys.readouterr().out
    assert "notebook.ipynb: no run yet" in told
    assert "(x)" in told
    assert "no findings" in told
    assert "2 stages to run, 0 to reuse." in told


def test_pipeline_finds_the_notebook_it_is_in(ipython, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", str(written(tmp_path, [("stage:alone", "x = 1")])))
    ipython.run_line_magic("pipeline", "")
    assert "alone" in capsys.readouterr().out


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A notebook that has run twice, and the ids of its runs. Another one has run since."""
    from stagebook.run.api import run_notebook

    folder = tmp_path_factory.mktemp("ran")
    path = written(folder, [("parameters", "depth = '<b>'"), ("", "%%stage a metrics=auc\nauc = len(depth)")])
    ids = [run_notebook(path, track=False, parameters={"depth": depth}).id for depth in ("<b>", "</table>")]
    run_notebook(written(folder, [("stage:a", "x = 1")], "later.ipynb"), track=False)
    return path, ids


@pytest.fixture
def runs(ran, monkeypatch):
    """The ids of the runs of the notebook in which this kernel is."""
    monkeypatch.setenv("JPY_SESSION_NAME", str(ran[0]))
    return ran[1]


def shown_by(ipython, line):
    """What a notebook gets of what the magic shows: its forms by MIME type."""
    from IPython.utils.capture import capture_output

    formats = ipython.display_formatter.active_types
    ipython.display_formatter.active_types = ["text/plain", "text/html"]  # a terminal asks for text alone
    try:
        with capture_output() as captured:
            ipython.run_line_magic("pipeline", line)
    finally:
        ipython.display_formatter.active_types = formats
    assert captured.stdout == "", captured.stdout
    [shown] = captured.outputs
    return shown.data


def test_pipeline_compares_runs_of_this_notebook_as_text_and_as_html(ipython, runs):
    shown = shown_by(ipython, "compare last~1 last --maximize auc")
    first, second = runs
    text, html = shown["text/plain"], shown["text/html"]
    assert text.splitlines()[0].split() == ["run", first, second]
    assert "auc" in text
    assert "8 (+5, best)" in text
    assert f"<th scope='col' style='text-align:left'>{second}</th>" in html
    assert "&#x27;&lt;/table&gt;&#x27;" in html
    assert html.count("</table>") == html.count("<table>"), "nothing of a run's own gets into the page"
    assert "http" not in html
    assert "color" not in html, "it has the page's colours, light or dark"


def test_pipeline_lists_runs_of_this_notebook_as_text_and_as_html(ipython, runs):
    shown = shown_by(ipython, "runs --sort auc")
    assert [line.split()[0] for line in shown["text/plain"].splitlines()] == ["run", *reversed(runs)]
    assert "&lt;/table&gt;" in shown["text/html"]
    shown = shown_by(ipython, "runs --sort auc --ascending --limit 1")
    assert shown["text/plain"].splitlines()[1].split()[0] == runs[0]


def test_a_terminal_gets_the_table_as_text(ipython, runs, capsys):
    ipython.run_line_magic("pipeline", "compare last~1 last")
    assert capsys.readouterr().out.split()[:3] == ["run", *runs]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("compare last~9 last", "There is no `last~9`: notebook.ipynb has 2 runs in "),
        ("compare", "%pipeline compare: Missing argument"),
        ("compare last last~1 --formt json", "%pipeline compare: No such option"),
        ("compare last last~1 --format json", "--format is for `stagebook compare`"),
        ("runs --sort acu", "No run has a metric `acu`. Did you mean `auc`?"),
        ("runs --ascending", "--ascending goes with --sort METRIC."),
        ("show 'x", "No closing quotation"),
    ],
)
def test_what_pipeline_cannot_show_of_runs_is_told_in_a_line(ipython, runs, capsys, line, told):
    ipython.run_line_magic("pipeline", line)
    assert told in capsys.readouterr().out


def test_wrong_verb_is_told_in_a_line(ipython, capsys):
    ipython.run_line_magic("pipeline", "shwo nowhere.ipynb")
    assert "There is no `%pipeline shwo`. Did you mean `show`?" in capsys.readouterr().out


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


def test_a_mapped_cell_runs_for_each_element_and_gathers(ipython, capsys):
    ipython.run_cell("x_sizes = [1, 2, 3]")
    ipython.run_cell('%%stage map foreach="x_size in x_sizes"\nx_double = 2 * x_size\nprint(x_double)\nx_size')
    assert ipython.user_ns["x_double"] == [2, 4, 6]
    assert "x_size" not in ipython.user_ns
    told = capsys.readouterr().out
    assert "2\n" in told
    assert told.count("[stage map]") == 1


def test_a_failing_element_fails_the_cell_and_says_which(ipython, capsys):
    ipython.run_cell("x_parts = [1, 0]\nx_inverse = 'old'")
    result = ipython.run_cell("%%stage map foreach=x_parts\nx_inverse = 1 / x_parts")
    assert not result.success
    assert ipython.user_ns["x_parts"] == [1, 0]
    told = capsys.readouterr().out
    assert "line 2" in told
    assert "Element 1 of `x_parts` failed." in told


def test_a_list_mapped_under_its_own_name_is_replaced_by_what_comes_of_it(ipython):
    ipython.run_cell("x_rows = [1, 2]")
    ipython.run_cell("%%stage map foreach=x_rows\nx_rows = x_rows + 1")
    assert ipython.user_ns["x_rows"] == [2, 3]


@pytest.mark.parametrize(("limit", "ran"), [(0.5, False), (0.9, True)])
def test_a_condition_decides_in_the_notebook_too(ipython, capsys, limit, ran):
    ipython.run_cell(f"x_limit = {limit}\nx_done = False")
    ipython.run_cell('%%stage may when="0.8 < x_limit"\nx_done = True')
    assert ipython.user_ns["x_done"] is ran
    assert ("skipped: `0.8 < x_limit` is false" in capsys.readouterr().out) is not ran
