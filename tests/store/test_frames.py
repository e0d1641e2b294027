"""Frames and series come back exactly as they were, whichever way they are stored, and can be written to."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stagebook.store.codecs.frame import codec

HOUR_EAST = datetime.timezone(datetime.timedelta(hours=1))
DATES = pd.to_datetime(["2020-01-01 12:30", None, "2021-07-05 08:00"])


def column(values, **how):
    return pd.DataFrame({"x": pd.Series(values, **how)})


def indexed(index):
    return pd.DataFrame({"x": [1, 2]}, index=index)


AS_ARROW = {
    "ints": column([1, 2, -3]),
    "small unsigned ints": column([1, 2, 3], dtype="uint8"),
    "floats with missing": column([1.5, np.nan, -0.0, np.inf]),
    "half floats": column([1.5, 2.5], dtype="float16"),
    "booleans": column([True, False]),
    "datetimes": column(DATES),
    "datetimes to the second": column(DATES.as_unit("s")),
    "datetimes with zone": column(DATES.tz_localize("Europe/Berlin")),
    "datetimes with offset": column(DATES.tz_localize(HOUR_EAST)),
    "timedeltas": column(pd.to_timedelta([1, None], unit="s")),
    "categories": column(pd.Categorical(["b", "a", None], categories=["b", "a", "never"])),
    "ordered categories": column(pd.Categorical(["b", "a"], categories=["b", "a"], ordered=True)),
    "categories of ints": column(pd.Categorical([3, 1, 3])),
    "nullable ints": column([1, None], dtype="Int64"),
    "nullable floats": column([1.5, None], dtype="Float32"),
    "nullable booleans": column([True, None], dtype="boolean"),
    "nullable strings": column(["a", None], dtype="string"),
    "arrow floats, missing and NaN": pd.DataFrame(
        {"x": pd.arrays.ArrowExtensionArray(pa.array([1.5, None, float("nan")]))}
    ),
    "arrow timestamps": column(DATES.tz_localize("UTC"), dtype=pd.ArrowDtype(pa.timestamp("us", "UTC"))),
    "arrow dates": column([datetime.date(2020, 1, 1), None], dtype=pd.ArrowDtype(pa.date32())),
    "a range": indexed(pd.RangeIndex(5, 1, -2, name="r")),
    "a named index": indexed(pd.Index([4, 5], name="key")),
    "an index named as a column": indexed(pd.Index([4, 5], name="x")),
    "an index of datetimes": indexed(pd.DatetimeIndex(["2020-01-01", "2021-07-05"], name="t")),
    "a column named as Arrow names an index": pd.DataFrame({"__index_level_0__": [1, 2]}, index=[4, 5]),
    "no rows": column([], dtype="int16"),
    "several kinds": pd.DataFrame({"i": [1, 2], "f": [0.5, np.nan], "b": [True, False], "d": DATES[:2]}),
}
AS_PICKLE = {
    "datetimes in UTC": column(DATES.tz_localize("UTC")),
    "objects": column([1, "a", None, (1, 2)]),
    "strings as objects": column(["a", "b"], dtype=object),
    "categories of objects": column(pd.Categorical(pd.Series(["a", None], dtype=object))),
    "complex numbers": column([1j, 2]),
    "big-endian ints": pd.DataFrame({"x": np.array([1, 2], dtype=">i4")}),
    "sparse": column(pd.arrays.SparseArray([0, 0, 1])),
    "periods": column(pd.period_range("2020", periods=2, freq="M")),
    "intervals": column(pd.interval_range(0, 2)),
    "python strings": column(["a", None], dtype="string[python]"),
    "arrow lists": column([[1], [2, 3]], dtype=pd.ArrowDtype(pa.list_(pa.int64()))),
    "arrow decimals": column([decimal.Decimal("1.50"), None], dtype=pd.ArrowDtype(pa.decimal128(5, 2))),
    "arrow strings": column(["a", None], dtype=pd.ArrowDtype(pa.string())),
    "an index with a frequency": indexed(pd.date_range("2020", periods=2, freq="D")),
    "an index of categories": indexed(pd.CategoricalIndex(["a", "b"], name="c")),
    "an index of intervals": indexed(pd.interval_range(0, 2)),
    "two index levels": indexed(pd.MultiIndex.from_tuples([(1, "a"), (2, "b")], names=["i", None])),
    "nullable index": indexed(pd.Index([1, None], dtype="Int64")),
    "duplicate columns": pd.DataFrame([[1, 2.5]], columns=["a", "a"]),
    "columns of ints": pd.DataFrame([[1, 2.5]]),
    "columns of mixed kinds": pd.DataFrame([[1, 2.5]], columns=[0, "a"]),
    "two column levels": pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    "columns with a name": pd.DataFrame([[1, 2]], columns=pd.Index(["a", "b"], name="kind")),
    "nothing": pd.DataFrame(),
    "only columns": pd.DataFrame(columns=["a", "b"]),
    "only rows": pd.DataFrame(index=[3, 4]),
    "forbidden duplicates": column([1]).set_flags(allows_duplicate_labels=False),
}


def with_attrs():
    frame = column([1, 2])
    frame.attrs = {"source": "survey", "years": [2020, 2021]}
    return frame


AS_PICKLE["attributes"] = with_attrs()
EVERY_FRAME = AS_ARROW | AS_PICKLE
EVERY_SERIES = {f"series of {name}": frame["x"] for name, frame in EVERY_FRAME.items() if "x" in frame} | {
    "series named by an int": pd.Series([1], name=3),
    "series named by a NumPy int": pd.Series([1], name=np.int64(3)),
    "series named by a tuple": pd.Series([1], name=("a", 1)),
    "series without name": pd.Series([1.5]),
    "series with an index named value": pd.Series([1], name="x", index=pd.Index([2], name="value")),
}


def assert_same(after, before):
    assert type(after) is type(before)
    assert_equal = pd.testing.assert_frame_equal if before.ndim == 2 else pd.testing.assert_series_equal
    assert_equal(after, before, check_exact=True, check_freq=True, check_flags=True)
    assert after.attrs == before.attrs
    for index, other in zip(after.axes, before.axes, strict=True):
        assert type(index) is type(other)
        assert index.identical(other)
        assert getattr(index, "freq", None) == getattr(other, "freq", None)
    kinds = [(after.dtype, before.dtype)] if before.ndim == 1 else zip(after.dtypes, before.dtypes, strict=True)
    for dtype, other in kinds:
        assert repr(dtype) == repr(other)
        assert type(getattr(dtype, "tz", None)) is type(getattr(other, "tz", None))
    if before.ndim == 1:
        assert type(after.name) is type(before.name)


@pytest.mark.parametrize("value", [*EVERY_FRAME.values(), *EVERY_SERIES.values()], ids=[*EVERY_FRAME, *EVERY_SERIES])
def test_it_comes_back_as_it_was(shelf, value):
    before = value.copy(deep=True)
    assert_same(shelf.round_trip(value), value)
    assert_same(value, before)


OF_PANDAS_3 = {"datetimes with offset", "categories", "ordered categories", "python strings"}
"""Pandas 2 has other dtypes for these: they come back as they were, by the other way."""

NEW_PANDAS = int(pd.__version__.split(".")[0]) >= 3


@pytest.mark.parametrize("name", [name for name in AS_ARROW if NEW_PANDAS or name not in OF_PANDAS_3])
def test_what_arrow_keeps_is_stored_as_arrow(name, tmp_path):
    assert codec.write(AS_ARROW[name], tmp_path / "file")


@pytest.mark.parametrize("name", [name for name in AS_PICKLE if NEW_PANDAS or name not in OF_PANDAS_3])
def test_what_arrow_would_change_is_left_to_pickle(name, tmp_path):
    assert not codec.write(AS_PICKLE[name], tmp_path / "file")


def test_the_default_kind_of_text_comes_back(shelf):
    assert_same(shelf.round_trip(column(["a", None, "ä"])), column(["a", None, "ä"]))
    assert_same(shelf.round_trip(indexed(["a", "b"])), indexed(["a", "b"]))


def test_arrow_and_missing_stay_apart(shelf):
    values = shelf.round_trip(AS_ARROW["arrow floats, missing and NaN"])["x"].array
    assert pa.array(values).null_count == 1
    assert np.isnan(values._pa_array[2].as_py())


def set_cell(df):
    df.loc[0, "x"] = 7


def set_position(df):
    df.iloc[1, 0] = 7


def set_rows(df):
    df.loc[df["x"] == 2, "x"] = 7


def add_to_column(df):
    df["x"] += 1


def replace_all(df):
    df.iloc[:, :] = df.to_numpy()[::-1]


def new_column(df):
    df["new"] = df["x"]
    df.drop(columns="x", inplace=True)


def new_row(df):
    df.loc[len(df)] = df.loc[0]


def sort(df):
    df.sort_values("x", ascending=False, inplace=True)


def fill(df):
    df.fillna({"x": 0}, inplace=True)


@pytest.mark.parametrize(
    "change", [set_cell, set_position, set_rows, add_to_column, replace_all, new_column, new_row, sort, fill]
)
@pytest.mark.parametrize("dtype", ["int64", "float64", "Int64", "double[pyarrow]", "object"])
def test_a_loaded_frame_can_be_changed_in_place_and_the_store_does_not_change(shelf, change, dtype):
    frame = pd.DataFrame({"x": pd.array([1, 2, 3], dtype=dtype)})
    frame = pd.concat([frame] * 1000, ignore_index=True)
    loaded = shelf.round_trip(frame)
    expected = frame.copy()
    change(expected)
    change(loaded)
    pd.testing.assert_frame_equal(loaded, expected)
    assert_same(shelf.round_trip(frame), frame)


@pytest.mark.parametrize("name", ["datetimes", "datetimes with zone", "categories", "nullable strings", "timedeltas"])
def test_a_cell_of_any_kind_can_be_set(shelf, name):
    frame = AS_ARROW[name]
    loaded = shelf.round_trip(frame)
    loaded.loc[1, "x"] = loaded.loc[0, "x"]
    assert loaded.loc[1, "x"] == frame.loc[0, "x"]
    assert_same(shelf.round_trip(frame), frame)


def test_a_loaded_series_can_be_changed_in_place(shelf):
    series = pd.Series(range(3000), name="n")
    loaded = shelf.round_trip(series)
    loaded[0] = 5
    loaded.iloc[1] = 6
    loaded += 1
    assert loaded[:3].tolist() == [6, 7, 3]
    assert_same(shelf.round_trip(series), series)


MADE_FROM = {
    "a shallow copy": lambda df: df.copy(deep=False),
    "renamed columns": lambda df: df.rename(columns=str),
    "a selection": lambda df: df[["x"]],
    "one more column": lambda df: df.assign(y=1),
    "another index": lambda df: df.reset_index(drop=True),
    "the same dtypes": lambda df: df.astype(df.dtypes),
    "a column": lambda df: df["x"],
    "a frame of it": pd.DataFrame,
}


@pytest.mark.parametrize("make", MADE_FROM.values(), ids=MADE_FROM)
@pytest.mark.parametrize("dtype", ["int64", "object", "Int64", "category", "datetime64[ns]"])
@pytest.mark.parametrize("index", ["range", "freq"])
def test_a_frame_and_what_was_made_from_it_stay_apart(shelf, make, dtype, index):
    """pandas shares their memory until one is written to: written to after loading, one must not change the other."""
    frame = pd.DataFrame({"x": pd.Series([1, 2, 1] * 400).astype(dtype)})
    frame.index = pd.RangeIndex(1200) if index == "range" else pd.date_range("2020", periods=1200, freq="D")
    loaded = shelf.round_trips(a=frame, b=make(frame), both=[frame, make(frame)])
    loaded["a"].iloc[0, 0] = loaded["a"].iloc[1, 0]
    assert_same(loaded["b"], make(frame))
    assert_same(loaded["both"][1], make(frame))
    assert loaded["both"][0] is loaded["a"]


LABELS = st.one_of(st.none(), st.text(max_size=3), st.integers(-3, 3))
COLUMNS = st.one_of(
    st.lists(st.integers(-(2**40), 2**40), min_size=3, max_size=3).map(pd.Series),
    st.lists(st.floats(), min_size=3, max_size=3).map(pd.Series),
    st.lists(st.sampled_from(["a", "ü", "", None]), min_size=3, max_size=3).map(pd.Series),
    st.lists(st.sampled_from(["a", "b", None]), min_size=3, max_size=3).map(lambda v: pd.Series(v, dtype="category")),
    st.lists(st.one_of(st.none(), st.booleans()), min_size=3, max_size=3).map(lambda v: pd.Series(v, dtype="boolean")),
    st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=3, max_size=3).map(lambda v: pd.Series(v, dtype=object)),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    columns=st.lists(COLUMNS, max_size=4),
    labels=st.lists(LABELS, min_size=4, max_size=4),
    index=st.one_of(st.none(), st.lists(LABELS, min_size=3, max_size=3)),
)
def test_frames_of_all_sorts_come_back_as_they_were(shelf, columns, labels, index):
    frame = pd.concat(columns, axis=1) if columns else pd.DataFrame(index=range(3))
    frame.columns = pd.Index(labels[: len(columns)])
    if index is not None:
        frame.index = pd.Index(index)
    assert_same(shelf.round_trip(frame), frame)


MIXED = pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("abc")).assign(d=list("wxyz"))
LAYOUTS = {
    "of a matrix": pd.DataFrame(np.arange(12.0).reshape(4, 3), columns=list("abc")),
    "of columns": pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [4.0, 5.0, 6.0]}),
    "of a matrix and a column": MIXED,
    "of a matrix, with an attribute": pd.DataFrame(np.arange(6.0).reshape(3, 2), columns=["a", "b"]),
    "of a transposed matrix": pd.DataFrame(np.arange(12.0).reshape(3, 4).T, columns=list("abc")),
    "every other row": pd.DataFrame(np.arange(24.0).reshape(8, 3), columns=list("abc"))[::2],
}
LAYOUTS["of a matrix, with an attribute"].attrs["unit"] = "m"


@pytest.mark.parametrize("frame", LAYOUTS.values(), ids=LAYOUTS)
def test_numbers_lie_in_memory_in_the_order_in_which_they_did(shelf, frame):
    """Else sums and products differ in their last bits."""
    loaded = shelf.round_trip(frame)
    pd.testing.assert_frame_equal(loaded, frame)
    before, after = (one.select_dtypes("number").to_numpy() for one in (frame, loaded))
    assert (after.strides[0] > after.strides[1]) == (before.strides[0] > before.strides[1])
    loaded.iloc[0, 0] = 7.0
    assert frame.iloc[0, 0] != 7.0
