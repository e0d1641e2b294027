"""`stagebook drift` for people, for CI, for other programs."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from stagebook.cli import main


@pytest.fixture
def tables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    frames = {"a": rng.normal(size=400), "b": rng.normal(2, 1, 400)}
    for name, values in frames.items():
        pd.DataFrame({"delay": values, "carrier": rng.choice(["AA", "UA"], 400)}).to_csv(f"{name}.csv", index=False)
    return tmp_path


def invoked(*words):
    return CliRunner().invoke(main, ["drift", *words])


def test_a_line_for_each_column_the_worst_first(tables):
    done = invoked("a.csv", "b.csv")
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert lines[0] == "Drift: 1 of 2 columns has drifted."
    assert lines[1:3] == ["  before  a.csv, 400 rows", "  now     b.csv, 400 rows"]
    assert lines[4].startswith("! delay")
    assert "Kolmogorov-Smirnov p-value" in lines[4]
    assert lines[5].startswith("  carrier")
    assert any(line.startswith("  delay: ") and line.endswith(" now") for line in lines)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["a.csv", "b.csv", "--fail-on", "drift"], 4),
        (["a.csv", "b.csv", "--fail-on", "drift", "--share", "0.6"], 0),
        (["a.csv", "b.csv", "--fail-on", "column", "--share", "0.6"], 4),
        (["a.csv", "b.csv", "--fail-on", "column", "--columns", "carrier"], 0),
        (["a.csv", "b.csv", "--fail-on", "column", "--threshold", "delay=1e-300"], 0),
        (["a.csv", "a.csv", "--fail-on", "column"], 0),
    ],
)
def test_the_exit_status_says_what_ci_asks(tables, words, status):
    assert invoked(*words).exit_code == status


def test_where_nothing_could_be_tested_there_is_no_verdict(tables):
    Path("head.csv").write_text("delay,carrier\n")
    done = invoked("a.csv", "head.csv")
    assert done.exit_code == 0
    assert done.output.startswith("No verdict: no column could be tested.\n")
    assert "No verdict" in invoked("a.csv", "head.csv", "--format", "html").output


def test_json_holds_all_of_it(tables):
    found = json.loads(invoked("a.csv", "b.csv", "--format", "json").output)
    assert (found["detected"], found["share"]) == (True, 0.5)
    assert [column["name"] for column in found["columns"]] == ["delay", "carrier"]
    assert found["columns"][0]["score"] < 0.05 == found["columns"][0]["threshold"]


def test_a_page_and_evidentlys_report_beside_it(tables):
    done = invoked("a.csv", "b.csv", "--format", "html", "--out", "drift.html", "--report", "pages/evidently.html")
    assert done.exit_code == 0, done.output
    assert re.search(r"^(Drift|No drift): .+ columns .+\. Written to drift\.html\.$", done.output, re.MULTILINE)
    page = Path("drift.html").read_text()
    assert page.startswith("<!doctype html>")
    assert 'href="pages/evidently.html"' in page
    report = Path("pages/evidently.html").read_text()
    assert "Dataset Drift" in report
    assert "delay" in report
    assert len(report) > 1_000_000


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["a.csv", "c.csv"], "There is no file c.csv."),
        (["a.csv", "b.csv", "--columns", "carier"], "Did you mean `carrier`?"),
        (["a.csv", "b.csv", "--threshold", "low"], "--threshold takes a number, or COLUMN=NUMBER, and low is none."),
        (["a.csv", "b.csv", "--kind", "numeric"], "`numeric` is no COLUMN=VALUE."),
        ([".", "b.csv", "--since", "yesterday"], "`yesterday` is no time."),
        (["a.csv", "b.csv", "--since", "7d"], "--since and --until are for a log of requests, and neither table is"),
        ([".", "b.csv"], "There is no request log in the folder `.`. `stagebook serve` writes one"),
        (["a.csv", "bb.csv"], "There is no file bb.csv. Did you mean `b.csv`?"),
        (["flights@champion", "b.csv"], "If a model's training data is meant, write models:/flights@champion."),
        (["trips.ipynb", "b.csv"], "trips.ipynb is a notebook. Name what a stage of it made: trips.ipynb:NAME."),
        (["a.csv", "other.csv", "--fail-on", "drift"], "No column could be tested, so --fail-on has nothing to go by."),
        (["a.csv", "head.csv", "--fail-on", "column"], "Compare tables that have rows, and columns of the same names."),
        (
            ["a.csv", "models:/nothing@champion"],
            "There is no registry at .stagebook/mlflow.db that knows models:/nothing",
        ),
        (["a.csv", "gone.ipynb:trips"], "gone.ipynb"),
        (["a.csv", "b.csv", "--out", "no/where.txt"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(tables, words, told):
    Path("trips.ipynb").touch()
    Path("head.csv").write_text("delay,carrier\n")
    Path("other.csv").write_text("speed\n1\n")
    done = invoked(*words)
    assert done.exit_code == 2
    assert told in done.output
    assert "Traceback" not in done.output
