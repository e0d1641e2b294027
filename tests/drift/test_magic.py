"""`%drift` and `%%stage ... drift=` in a running IPython."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stagebook.drift.result import Drift


@pytest.fixture
def shell(ipython, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    january = pd.DataFrame({"delay": rng.normal(size=300), "carrier": rng.choice(["AA", "UA"], 300)})
    ipython.user_ns |= {"january": january, "july": january.assign(delay=january["delay"] + 1), "few": 3}
    return ipython


def test_names_of_the_notebook_are_compared_and_the_result_is_a_value(shell):
    found = shell.run_line_magic("drift", "january july --no-report --columns delay")
    assert isinstance(found, Drift)
    assert (found.reference, found.current, found.share) == ("january", "july", 1.0)
    assert found.report == ""
    assert not Path("drift-reports").exists()


def test_evidentlys_report_is_a_click_away_and_comes_while_one_goes_on(shell):
    found = shell.run_line_magic("drift", "january july")
    assert 'href="drift-reports/january-to-july.html"' in found._repr_html_()
    report = Path(found.report)
    assert "is being made" in report.read_text()
    deadline = time.monotonic() + 120
    while report.stat().st_size < 1_000_000:
        assert time.monotonic() < deadline, report.read_text()
        time.sleep(0.2)
    assert "Dataset Drift" in report.read_text()


def test_files_and_names_go_together(shell):
    shell.user_ns["january"].to_parquet("january.parquet")
    found = shell.run_line_magic("drift", "january.parquet july --no-report --threshold delay=1e-300 --target carrier")
    assert not found.drifted
    assert [one.name for one in found.columns if one.role == "target"] == ["carrier"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("january jule", "There is no `jule`. Did you mean `july`?"),
        ("january few", "`few` is no table: it is of type int."),
        ("january", "%drift: Missing argument 'CURRENT'."),
        ("january july --no", "%drift: No such option"),
        ("january 'july", "cannot be read"),
        ("january july --fail-on drift", "--fail-on is for the command line."),
    ],
)
def test_what_cannot_be_is_said_in_a_line(shell, line, told, capsys):
    assert shell.run_line_magic("drift", line) is None
    assert told in capsys.readouterr().out


def test_its_help_has_examples(shell, capsys):
    assert shell.run_line_magic("drift", "--help") is None
    assert "models:/flights@champion" in capsys.readouterr().out


def test_a_stage_cell_compares_when_it_is_done(shell, capsys):
    shell.run_cell("%%stage watch drift='january:july as summer'\ncount = len(july)\n")
    assert shell.user_ns["summer"].detected
    told = capsys.readouterr().out
    assert "<Drift: drift, 1 of 2 columns, january -> july>" in told
    assert "[stage watch]" in told


def test_a_stage_cell_whose_tables_are_none_says_so_and_keeps_what_it_made(shell, capsys):
    shell.run_cell("%%stage watch drift=january:few\ncount = 7\n")
    assert shell.user_ns["count"] == 7
    assert "drift: `few` is no table: it is of type int." in capsys.readouterr().out
