"""Which names are tables: as runs have shown, and as Parquet gives them back."""

import io

import numpy as np
import pandas as pd
import pytest

from stagebook.book.pipeline import load_pipeline
from stagebook.run.tabular import survives_parquet, tables_of


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan], "c": [True, False]}),
        pd.DataFrame({"a": pd.to_datetime(["2020-01-01", None]), "b": pd.array([1, None], dtype="Int64")}),
        pd.DataFrame({"a": pd.to_datetime(["2020-06-01"]).tz_localize("Europe/Berlin")}),
        pd.DataFrame({"a": [1, 2]}, index=pd.Index([7, 3], name="key")),
        pd.DataFrame({"a": [1, 2]}, index=pd.RangeIndex(5, 9, 2)),
        pd.DataFrame({"a": np.array([1, 2], dtype="float32")}).rename_axis(columns="kinds"),
    ],
    ids=[
        "numbers",
        "moments and what is missing",
        "a zone",
        "labels of rows",
        "a range",
        "narrow numbers, named columns",
    ],
)
def test_a_table_that_is_taken_for_one_comes_back_as_it_was(table):
    assert survives_parquet(table)
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(table.to_parquet())), table, check_exact=True)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame({"a": [[1], [2]]}),
        pd.DataFrame({"a": pd.Categorical(["x"], categories=["x", "y"])}),
        pd.DataFrame({"a": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])),
        pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2020", periods=2)),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
    ],
    ids=["objects", "categories", "levels", "a frequency", "columns of one name"],
)
def test_what_would_lose_something_is_not(table):
    assert not survives_parquet(table)


def test_names_are_tables_where_all_stages_leave_them_as_such(bench):
    cells = [
        ("setup", "import pandas as pd"),
        ("stage:a", "x = pd.DataFrame({'a': [1]})\ny = pd.DataFrame({'a': [1]})\nz = [x]\ns = x['a']"),
        ("stage:b", "y = list(y['a'])\nx['b'] = 2"),
        ("stage:c", "print(x, y, z, s)"),
    ]
    bench.write(cells)
    assert tables_of(load_pipeline(bench.path)) == ()
    bench.run()
    assert tables_of(load_pipeline(bench.path)) == ("x",)
