"""The table of runs."""

from __future__ import annotations

import shutil

from tests.notebooks_factory import written
from tests.widgets.conftest import watched

from stagebook.widgets.pipeline import pipeline_view
from stagebook.widgets.runs import columns_of, runs_table


def facts(run, **more):
    stages = [{"stage": "a", "state": "done", "metrics": more.pop("metrics", {})}]
    return {
        "id": run,
        "started": f"2026-11-30T07:0{run}:00+00:00",
        "state": "done",
        "duration": 10.0 - int(run),
        "parameters": {"depth": 3, "name": "x", "same": 1},
        "stages": stages,
        **more,
    }


def test_a_column_knows_the_order_of_its_rows_and_leaves_out_what_has_none():
    runs = [
        facts("3", metrics={"auc": 0.9, "loss": float("nan")}, parameters={"depth": 10, "name": "b", "same": 1}),
        facts("2", metrics={"auc": 0.85}),
        facts("1", metrics={"auc": 0.9, "loss": 2.0}, parameters={"depth": 9, "name": "b", "same": 1}),
    ]
    columns = {column.head: column for column in columns_of(runs)}
    assert list(columns) == ["run", "started", "state", "took", "ran", "depth", "name", "auc", "loss"]
    assert columns["depth"].places() == [2, 0, 1], "as numbers, not as text"
    assert columns["name"].places() == [0, 1, 0]
    assert columns["auc"].places() == [1, 0, 1]
    assert columns["loss"].places() == [None, None, 0]
    assert columns["loss"].texts == ("nan", "", "2")
    assert columns["took"].texts == ("7.0 s", "8.0 s", "9.0 s")


def test_a_notebook_that_never_ran_has_an_empty_table(tmp_path):
    table = runs_table(written(tmp_path, [("stage:a", "x = 1")]))
    assert (table.title, table.rows) == ("notebook.ipynb: no run yet", [])


def test_runs_are_compared_and_read_anew(ran, book, tmp_path):
    shutil.copytree(book.parent, tmp_path, dirs_exist_ok=True)
    book = tmp_path / book.name
    table = runs_table(book)
    assert table.title == "flights.ipynb: 1 run"
    again = watched(pipeline_view(book, track=False))
    again.run("-p", "depth", "10")
    assert again.view.states()["report"] == "failed"
    table._handle_custom_msg({"do": "refresh"}, [])
    assert table.title == "flights.ipynb: 2 runs"
    texts = [dict(zip([head["text"] for head in table.heads], row["texts"], strict=True)) for row in table.rows]
    told = [(one["state"], one["depth"], one["score"]) for one in texts]
    assert told == [("failed", "10", "2"), ("done", "4", "0.8")]

    table._handle_custom_msg({"do": "compare", "runs": [row["id"] for row in table.rows]}, [])
    sections = {section["title"]: section for section in table.beside}
    assert ("depth", "4", "10") in sections["Parameters"]["rows"]
    assert sections["Metrics"]["rows"] == (("score", "0.8", "2 (+1.2)"),)
    table._handle_custom_msg({"do": "compare", "runs": [table.rows[0]["id"]]}, [])
    assert table.trouble == "Name two runs or more to be compared: last~1 last."


def test_whoever_has_no_widgets_gets_the_table_as_text_and_html(ran, book):
    forms = runs_table(book)._repr_mimebundle_()[0]
    assert "application/vnd.jupyter.widget-view+json" in forms
    assert "score" in forms["text/plain"].splitlines()[0]
    assert "<table>" in forms["text/html"]
