"""Values at a glance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest

from stagebook.book.drifting import MIME
from stagebook.drift.api import drift
from stagebook.widgets.previews import cards_of, figures_of, preview_of

TABLE = pd.DataFrame({"delay": range(9), "carrier": ["<b>UA</b>"] * 9})
WIDE = pd.DataFrame({f"c{number}": [1.23456789] for number in range(20)})


def test_of_a_frame_its_head_is_shown_as_text():
    shown = preview_of(TABLE)
    assert shown["about"].startswith("9 rows, 2 columns · ")
    assert shown["heads"] == ["", "delay", "carrier"]
    assert shown["kinds"][1] == "int64"
    assert shown["rows"][1] == ["1", "1", "<b>UA</b>"]
    assert len(shown["rows"]) == 6


def test_a_comparison_is_a_table_of_its_columns():
    shown = preview_of(drift(TABLE, TABLE.assign(delay=100), names=("January", "July")))
    assert shown["about"] == "Drift: 1 of 2 columns has drifted · January to July"
    assert shown["rows"][0][:2] == ["delay", "yes"]
    assert [row[0] for row in shown["rows"]] == ["delay", "carrier"]


def test_of_a_wide_frame_the_first_columns_are_shown():
    shown = preview_of(WIDE)
    assert shown["heads"] == ["", *(f"c{number}" for number in range(8)), "…"]
    assert shown["rows"] == [["0", *["1.23457"] * 8, "…"]]


def test_a_polars_frame_and_a_series_are_tables_too():
    assert preview_of(pl.DataFrame({"a": [1, 2]}))["rows"] == [["1"], ["2"]]
    assert preview_of(pd.Series([1, 2], name="late"))["heads"] == ["", "late"]


@pytest.mark.parametrize(
    ("value", "about", "text"),
    [
        (np.zeros((3, 4)), "3 by 4 · float64 · 96 B", "0, 0, 0, 0, 0, 0, …"),
        (np.arange(3), "3 values · int64 · 24 B", "0, 1, 2"),
        (np.float64(0.5), "", "0.5"),
        (list(range(100)), "100 long", "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
        ({"a": 1}, "1 long", "{'a': 1}"),
        (None, "", "None"),
    ],
)
def test_of_other_values_there_is_a_line_and_the_beginning(value, about, text):
    assert preview_of(value) == {"about": about, "text": text}


def test_a_long_text_is_cut():
    assert len(preview_of("x" * 10_000)["text"]) <= 600


def test_the_pictures_of_cells_are_found():
    png = {"output_type": "display_data", "data": {"image/png": "aGk=\n", "text/plain": "<Figure>"}}
    text = {"output_type": "stream", "name": "stdout", "text": "hello"}
    assert figures_of([[text, png], [png]]) == ["aGk=", "aGk="]


def test_cards_of_comparisons_are_told_from_other_html():
    table = {"output_type": "display_data", "data": {"text/html": "<table></table>"}}
    card = {"output_type": "display_data", "data": {"text/html": ["<div>", "</div>"], MIME: {}}}
    assert cards_of([[table], [card, table]]) == ["<div></div>"]
