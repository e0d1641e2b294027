"""Columns of every type, clean or not: each gets a result that is stated, and none is refused."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import polars
import pytest

from stagebook.drift.api import drift
from stagebook.errors import StagebookError, UsageError

ROWS = 60
DAYS = pd.Series(pd.date_range("2026-01-01", periods=ROWS, freq="h"))
NUMBERS = np.arange(ROWS, dtype="float64")
NAMES = [f"name {number}" for number in range(ROWS)]

CASES = [
    ("floats", NUMBERS, "numeric", ""),
    ("whole numbers", np.arange(ROWS), "numeric", ""),
    ("few whole numbers", np.arange(ROWS) % 3, "category", ""),
    ("nullable", pd.array([*range(ROWS - 1), None], dtype="Int64"), "numeric", ""),
    ("nullable flags", pd.array([True, False, None] * (ROWS // 3), dtype="boolean"), "category", ""),
    ("small", np.arange(ROWS, dtype="uint8"), "numeric", ""),
    ("of Arrow", pd.array(NUMBERS, dtype="double[pyarrow]"), "numeric", ""),
    ("flags", np.arange(ROWS) % 2 == 0, "category", ""),
    ("lengths of time", pd.to_timedelta(NUMBERS, unit="s"), "numeric", ""),
    ("decimals", [Decimal(number) for number in range(ROWS)], "numeric", ""),
    ("words", ["a", "b", "c"] * (ROWS // 3), "category", ""),
    ("categories", pd.Categorical(["a", "b", "c"] * (ROWS // 3)), "category", ""),
    ("rarely the same", NAMES, "text", "the length of the texts"),
    ("moments", DAYS, "moment", "points in time move on by themselves"),
    ("moments with a zone", DAYS.dt.tz_localize("Europe/Zurich"), "moment", "points in time move on by themselves"),
    ("days", [date(2026, 1, 1) + timedelta(days=one) for one in range(ROWS)], "moment", "points in time move on"),
    ("moments as text", DAYS.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), "moment", "points in time move on by themselves"),
    ("days as text", ["2026-01-31", "2026-02-01", None] * (ROWS // 3), "moment", "points in time move on"),
    ("nearly days", ["2026-01-31", "2026-02-31", "soon"] * (ROWS // 3), "category", ""),
    ("mixed", [1, "two", 3.0] * (ROWS // 3), "category", "it mixes float, int, str; compared as text"),
    ("lists", [[1, 2]] * ROWS, "none", "it holds list in the reference data"),
    ("complex", NUMBERS + 1j, "none", "it holds complex numbers in the reference data"),
    ("constant", np.ones(ROWS), "numeric", ""),
    ("all missing", np.full(ROWS, np.nan), "none", "it is empty in the reference data"),
    ("none at all", [None] * ROWS, "none", "it is empty in the reference data"),
    ("endless", np.where(NUMBERS < 3, np.inf, NUMBERS), "numeric", ""),
]


@pytest.mark.parametrize(("values", "kind", "note"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_type_is_taken_for_something(values, kind, note):
    frame = pd.DataFrame({"x": values})
    [column] = drift(frame, frame.copy()).columns
    assert (column.kind, column.note[: len(note) or None]) == (kind, note)
    assert not column.drifted
    assert (column.score is not None) == (kind in ("numeric", "category", "text"))


@pytest.mark.parametrize("values", [case[1] for case in CASES], ids=[case[0] for case in CASES])
@pytest.mark.parametrize(
    "other", [NUMBERS * 5, NAMES, DAYS, [None] * ROWS], ids=["numbers", "texts", "moments", "none"]
)
def test_another_type_now_is_no_crash(values, other):
    found = drift(pd.DataFrame({"x": values}), pd.DataFrame({"x": other}))
    assert len(found.columns) == 1
    assert "x" in found._repr_html_()


def test_a_type_can_be_said():
    frame = pd.DataFrame(
        {"code": np.arange(ROWS) % 3, "id": np.arange(ROWS), "written": [str(one) for one in range(ROWS)]}
    )
    found = drift(frame, frame, kinds={"code": "numeric", "id": "category", "written": "numeric"})
    assert {one.name: one.kind for one in found.columns} == {"code": "numeric", "id": "category", "written": "numeric"}


def test_lost_and_new_columns_are_told():
    found = drift(pd.DataFrame({"a": NUMBERS, "gone": NUMBERS}), pd.DataFrame({"a": NUMBERS, "new": NUMBERS}))
    notes = {one.name: one.note for one in found.columns if one.note}
    assert notes == {"gone": "it is not in the current data", "new": "it is not in the reference data"}
    assert [(one.column, one.told) for one in found.issues] == [
        ("gone", "it is not in the current data."),
        ("new", "it is not in the reference data."),
    ]


@pytest.mark.parametrize(("before", "now"), [(0, ROWS), (ROWS, 0), (0, 0)])
def test_empty_tables_are_compared_to_no_verdict(before, now):
    frame = pd.DataFrame({"a": NUMBERS, "b": NAMES})
    found = drift(frame[:before], frame[:now], names=("January", "July"))
    assert not found.detected
    assert all(column.score is None for column in found.columns)
    assert {f"{name} has no rows." for name, rows in (("January", before), ("July", now)) if not rows} <= {
        one.told for one in found.issues
    }
    assert "no column could be tested" in found._repr_html_()


def test_what_is_wrong_with_the_data_is_told():
    before = pd.DataFrame({"gaps": NUMBERS, "far": NUMBERS, "word": ["a", "b"] * (ROWS // 2), "still": NUMBERS})
    now = before.assign(gaps=np.where(NUMBERS < 30, np.nan, NUMBERS), far=NUMBERS * 2, word="c", still=7.0)
    told = {one.column: one.told for one in drift(before, now).issues}
    assert told == {
        "gaps": "50 % are missing now, 0.0 % before.",
        "far": "50 % lie outside of its range before, 0 to 59.",
        "word": "new values: c (100 % of the rows).",
        "still": "it is 7 throughout now.",
    }


def test_names_that_are_no_texts_are_made_so():
    frame = pd.DataFrame({0: NUMBERS, ("a", 1): NUMBERS})
    assert {one.name for one in drift(frame, frame).columns} == {"0", "a, 1"}


@pytest.mark.parametrize(
    "table",
    [polars.DataFrame({"x": NUMBERS}), {"x": NUMBERS}, pd.Series(NUMBERS, name="x")],
    ids=["polars", "dict", "series"],
)
def test_other_tables_are_tables_too(table):
    [column] = drift(pd.DataFrame({"x": NUMBERS}), table).columns
    assert (column.name, column.score) == ("x", 1.0)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"current": 3}, "`current` is no table: it is of type int. Give a DataFrame or a file."),
        ({"current": "nowhere.csv"}, "There is no file nowhere.csv."),
        ({"current": pd.DataFrame([[1, 2]], columns=["a", "a"])}, "Two columns are called `a`: rename one"),
        ({"columns": ["agee"]}, "There is no column `agee` on either side. Did you mean `age`?"),
        ({"target": "label"}, "There is no column `label` on either side."),
        (
            {"kinds": {"age": "number"}},
            "Column `age` cannot be taken for `number`: say numeric, category, text, moment.",
        ),
        ({"threshold": 0}, "A threshold is a number above 0, and 0 is none."),
        ({"limit": 2}, "The share of drifted columns is a number above 0, up to 1, and 2 is none."),
    ],
)
def test_what_cannot_be_is_said(arguments, told):
    frame = pd.DataFrame({"age": NUMBERS})
    with pytest.raises(UsageError, match="^" + __import__("re").escape(told)):
        drift(frame, **{"current": frame, **arguments})


def test_a_file_that_is_no_table_is_named(tmp_path):
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "notes.txt").write_text("x")
    for name, told in (("broken.parquet", "cannot be read as parquet"), ("notes.txt", "no file of a table")):
        with pytest.raises(StagebookError, match=told):
            drift(pd.DataFrame({"x": NUMBERS}), tmp_path / name)


@pytest.mark.parametrize("suffix", ["parquet", "csv", "feather"])
def test_files_are_compared_as_frames_are(tmp_path, suffix):
    before, now = pd.DataFrame({"x": NUMBERS, "w": NAMES}), pd.DataFrame({"x": NUMBERS * 2, "w": NAMES})
    for frame, name in ((before, "a"), (now, "b")):
        getattr(frame, f"to_{suffix}")(
            tmp_path / f"{name}.{suffix}", **({"index": False} if suffix != "feather" else {})
        )
    found = drift(tmp_path / f"a.{suffix}", str(tmp_path / f"b.{suffix}"))
    assert found.columns == drift(before, now).columns
    assert (found.reference, found.current) == (f"a.{suffix}", f"b.{suffix}")
