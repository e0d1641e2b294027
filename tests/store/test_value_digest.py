"""A value's digest changes when the value is changed in place, and not when it is only looked at."""

from __future__ import annotations

import copy
import functools
import threading

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier


def frame():
    table = pd.DataFrame({"x": [1, 2, 3], "y": [1.0, 2.0, np.nan], "o": [[1], (2,), None]})
    table["z"] = [3, 4, 5]  # columns added one by one lie in blocks of their own, until pandas puts them together
    table["w"] = table["x"] * 2.0
    table["t"] = pd.to_datetime(["2020", "2021", "2022"])
    table["u"] = table["t"].dt.tz_localize("Europe/Berlin")
    table["i"] = pd.array([1, None, 2], dtype="Int64")
    table["s"] = ["a", "b", None]
    table["a"] = pd.array([1, 2, None], dtype="int64[pyarrow]")
    table["l"] = pd.Series([[1], [2], []], dtype=pd.ArrowDtype(pa.list_(pa.int64())))
    table["c"] = pd.Categorical(["a", "b", "a"])
    table["p"] = pd.period_range("2020", periods=3, freq="M")
    table.attrs["source"] = ["survey"]
    return table


LOOKS_AT_A_FRAME = {
    "mean": lambda df: df.mean(numeric_only=True),
    "groupby": lambda df: df.groupby("x").sum(numeric_only=True),
    "values": lambda df: df.values,
    "consolidation": lambda df: df._consolidate_inplace(),
    "describe": lambda df: df.describe(),
    "repr": repr,
    "html": lambda df: df._repr_html_(),
    "index lookup": lambda df: (df.index.is_unique, df.columns.get_loc("x"), df.loc[1], df.index.get_loc(2)),
    "dtypes": lambda df: [(dtype.kind, dtype.name, hash(dtype)) for dtype in df.dtypes],
    "NumPy dtype of an Arrow one": lambda df: (df["a"].dtype.numpy_dtype, df["i"].dtype.numpy_dtype),
    "iteration": lambda df: [list(df), list(df.iterrows()), list(df.itertuples()), list(df.items())],
    "copies": lambda df: (df.copy(), df.T, df[["x", "y"]], df.sort_values("x"), df.reset_index()),
    "accessors": lambda df: (df["s"].str.upper(), df["t"].dt.year, df["c"].cat.codes),
    "counts": lambda df: (df["c"].value_counts(), df["i"].sum(), df["a"].sum(), df["y"].unique(), df["x"].hasnans),
    "columns as attributes": lambda df: (df.x, df.y.array, df.c.array.categories.is_unique),
    "memory": lambda df: df.memory_usage(deep=True),
}


@pytest.mark.parametrize("look", LOOKS_AT_A_FRAME.values(), ids=LOOKS_AT_A_FRAME)
def test_looking_at_a_frame_leaves_its_digest(shelf, look):
    table = frame()
    before = shelf.digest(table)
    look(table)
    assert shelf.digest(table) == before == shelf.digest(table)


CHANGES_OF_A_FRAME = [
    'df.loc[0, "x"] = 9',
    'df.loc[2, "y"] = 0.5',
    "df.iloc[0, 3] = 9",
    'df.loc[0, "t"] = pd.Timestamp("1999")',
    'df.loc[0, "u"] = df.loc[1, "u"]',
    'df.loc[0, "i"] = 7',
    'df.loc[0, "i"] = None',
    'df.loc[0, "s"] = "other"',
    'df.loc[0, "a"] = 7',
    'df.loc[0, "c"] = "b"',
    'df["o"][0].append(3)',
    'df["c"] = df["c"].cat.rename_categories(["q", "r"])',
    'df["c"] = df["c"].cat.add_categories(["never"])',
    'df["c"] = df["c"].cat.as_ordered()',
    'df["z"] = df["z"].astype("int32")',
    'df["t"] = df["t"].astype("datetime64[s]")',
    'df["new"] = 1',
    'del df["x"]',
    'df.rename(columns={"x": "renamed"}, inplace=True)',
    'df.insert(0, "z2", df.pop("z"))',
    'df.index.name = "key"',
    'df.columns.name = "kind"',
    "df.index = [1, 2, 3]",
    "df.index = df.index.astype(float)",
    'df.attrs["source"].append("census")',
    "df.flags.allows_duplicate_labels = False",
    'df.sort_values("x", ascending=False, inplace=True)',
    "df.drop(index=0, inplace=True)",
]


@pytest.mark.parametrize("change", CHANGES_OF_A_FRAME)
def test_changing_a_frame_changes_its_digest(shelf, change):
    table = frame()
    before = shelf.digest(table)
    exec(change, {"df": table, "pd": pd})
    assert shelf.digest(table) != before
    assert shelf.digest([table]) != shelf.digest([frame()])


@pytest.mark.parametrize("change", ["s[0] = 5", "s.name = 'm'", "s.index.name = 'k'", "s.attrs['a'] = 1", "s.pop(1)"])
def test_changing_a_series_changes_its_digest(shelf, change):
    series = pd.Series([1, 2, 3], name="n")
    before = shelf.digest(series)
    series.mean(), repr(series), series.value_counts(), series.array, series.is_unique
    assert shelf.digest(series) == before
    exec(change, {"s": series})
    assert shelf.digest(series) != before


class Reading:
    limit = 3

    def __init__(self):
        self.rows = [3, 1, 2]
        self.array = np.arange(4)

    @functools.cached_property
    def ordered(self):
        return sorted(self.rows)


class LateReading(Reading):
    """Inherits what it caches."""


VALUES_AND_CHANGES = {
    "list": (lambda: [1, [2]], ["v.append(1)", "v[1].append(2)", "v.reverse()", "v[0] = 1.0", "v[0] = True"]),
    "dict": (lambda: {"a": 1, "b": {}}, ["v['c'] = 1", "v['a'] = '1'", "v['b'][1] = 1", "v['a'] = v.pop('a')"]),
    "set": (lambda: {"a", "b"}, ["v.add('c')", "v.discard('a')", "v.add(1)"]),
    "bytearray": (lambda: bytearray(b"ab"), ["v[0] = 0"]),
    "object": (Reading, ["v.rows.append(1)", "v.array[0] = 9", "v.new = 1", "del v.rows"]),
    "object with inherited cache": (LateReading, ["v.rows.append(1)"]),
    "array": (
        lambda: np.arange(6.0),
        ["v[0] = 5", "v.shape = (2, 3)", "v.flags.writeable = False", "v.sort(); v[0]=-1"],
    ),
    "big array": (lambda: np.zeros((300, 300)), ["v[299, 299] = 1e-300", "v[0] = -0.0"]),
    "strided": (lambda: np.zeros((9, 9))[::2, ::3], ["v[1, 1] = 1"]),
    "array of objects": (lambda: np.array([[1], None], dtype=object), ["v[0].append(2)", "v[1] = 0"]),
    "masked": (lambda: np.ma.array([1, 2], mask=[0, 1]), ["v.mask[0] = True", "v.data[1] = 7"]),
    "sparse": (lambda: scipy.sparse.eye_array(5, format="csr"), ["v.data[0] = 2"]),
    "index": (lambda: pd.Index([1, 2], name="a"), ["v.name = 'b'"]),
    "random generator": (lambda: np.random.default_rng(0), ["v.random()"]),
    "iterator": (lambda: iter([1, 2]), ["next(v)"]),
    "model": (
        lambda: RandomForestClassifier(2, random_state=0).fit(np.eye(4), [0, 1, 0, 1]),
        ["v.set_params(n_estimators=3)", "v.fit(np.eye(4), [1, 0, 1, 0])", "v.estimators_.pop()"],
    ),
}
CASES = [(make, change) for make, changes in VALUES_AND_CHANGES.values() for change in changes]
LOOKS = {
    "object": "v.ordered, v.limit, v.rows, hash(v), repr(v)",
    "object with inherited cache": "v.ordered",
    "array": "v.sum(), v.T, v[1:], list(v), v.astype(int), repr(v), v.flat[0]",
    "strided": "v.sum(), v.copy(), v.ravel()",
    "masked": "v.mean(), v.data, v.count()",
    "sparse": "v.sum(), v @ np.ones(5), v.toarray(), v.T",
    "index": "v.is_unique, v.get_loc(2), repr(v), v.values, v.hasnans, v.union([3])",
    "model": "v.predict(np.eye(4)), v.predict_proba(np.eye(4)), v.score(np.eye(4), [0, 1, 0, 1]), repr(v)",
    "dict": "list(v.items()), 'a' in v, v.get('z'), repr(v), len(v)",
    "set": "sorted(v), v | {1}, 'a' in v",
}


@pytest.mark.parametrize(("make", "change"), CASES, ids=[change for _, change in CASES])
def test_changing_a_value_changes_its_digest(shelf, make, change):
    value = make()
    before = shelf.digest(value)
    assert before is not None
    exec(change, {"v": value, "np": np})
    assert shelf.digest(value) != before


@pytest.mark.parametrize("name", LOOKS)
def test_looking_at_a_value_leaves_its_digest(shelf, name):
    value = VALUES_AND_CHANGES[name][0]()
    before = shelf.digest(value)
    eval(LOOKS[name], {"v": value, "np": np})
    assert shelf.digest(value) == before


NESTED = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=NESTED)
def test_a_digest_is_the_same_twice_and_differs_once_the_value_is_wrapped(shelf, value):
    before = shelf.digest(value)
    repr(value), copy.deepcopy(value)
    assert shelf.digest(value) == before
    assert shelf.digest([value]) != before


def test_for_what_cannot_be_stored_there_is_no_telling(shelf):
    assert shelf.digest(threading.Lock()) is None
    assert shelf.digest({"deep": [(number for number in [1])]}) is None


def test_a_closure_that_counts_has_changed_once_it_has_counted(shelf):
    def counter():
        count = 0

        def add():
            nonlocal count
            count += 1

        return add

    add = counter()
    before = shelf.digest(add)
    assert shelf.digest(add) == before
    add()
    assert shelf.digest(add) != before
