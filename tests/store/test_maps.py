"""What is loaded lies in the store's files as it is, can be written to in every way, and leaves the files alone."""

from __future__ import annotations

import os
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from stagebook.errors import CorruptBlobError
from stagebook.store import maps
from stagebook.store.blocks import plain_blocks
from stagebook.store.codecs.frame import codec
from stagebook.store.digests import digest_of_file
from stagebook.store.maps import map_around, private_memory
from stagebook.store.memory import bounds_of

ROWS = 2**18 + 8
NUMBERS = np.random.default_rng(0).random(ROWS)
PLAIN = {
    "floats": NUMBERS,
    "floats with missing": np.where(NUMBERS < 0.5, np.nan, NUMBERS),
    "ints": np.arange(ROWS),
    "small ints": np.arange(ROWS).astype("int32"),
    "booleans": np.tile(NUMBERS < 0.5, 8),
    "dates": pd.Series(np.arange(ROWS)).astype("datetime64[ns]").where(NUMBERS < 0.5),
    "dates with zone": pd.Series(np.arange(ROWS)).astype("datetime64[ns]").dt.tz_localize("Europe/Berlin"),
    "differences": pd.Series(np.arange(ROWS)).astype("timedelta64[s]"),
    "categories": pd.Series(pd.Categorical.from_codes(np.tile(np.arange(-1, 3), ROWS), [1, 2, 3])),
}


def frame():
    """One frame with columns of every kind that lies in a file as it lies in memory."""
    columns = {name: pd.Series(values)[:ROWS].reset_index(drop=True) for name, values in PLAIN.items()}
    return pd.DataFrame({**columns, "more floats": NUMBERS[::-1]})


def blobs_intact(store):
    files = [path for path in (store.root / "blobs").rglob("*") if path.is_file()]
    return files and all(digest_of_file(path) == path.parent.name + path.name for path in files)


def is_mapped(array):
    return map_around(*bounds_of(array)) is not None


@pytest.mark.parametrize("name", PLAIN)
def test_a_column_lies_in_the_file(shelf, name):
    loaded = shelf.round_trip(pd.DataFrame({"x": PLAIN[name]}))
    ((_, array),) = plain_blocks(loaded)
    assert is_mapped(array)
    assert array.flags.writeable
    pd.testing.assert_frame_equal(loaded, pd.DataFrame({"x": PLAIN[name]}))


def test_the_index_and_strings_lie_in_the_file(shelf):
    if not isinstance(pd.Series(["a"]).dtype, pd.StringDtype):
        pytest.skip("texts are Python's own in this version of pandas")
    table = pd.DataFrame({"s": pd.Series([f"text {number}" for number in range(ROWS)])}, index=np.arange(ROWS) * 2)
    loaded = shelf.round_trip(table)
    assert is_mapped(loaded.index.to_numpy())
    chunk = pa.array(loaded["s"].array).chunk(0) if hasattr(pa.array(loaded["s"].array), "chunk") else None
    buffers = (chunk or pa.array(loaded["s"].array)).buffers()
    assert all(map_around(part.address, part.address + part.size) for part in buffers if part is not None)


def test_an_array_lies_in_the_file(shelf):
    for array in (NUMBERS, np.asfortranarray(NUMBERS.reshape(-1, 8))):
        loaded = shelf.round_trip(array)
        assert is_mapped(loaded)
        assert loaded.flags.writeable
        assert loaded.strides == array.strides


MATRIX = NUMBERS[: 2**18].reshape(-1, 4)
LAYOUTS = {
    "of a matrix": lambda: pd.DataFrame(MATRIX, columns=list("abcd")),
    "of a transposed matrix": lambda: pd.DataFrame(np.asfortranarray(MATRIX), columns=list("abcd")),
    "of columns": lambda: pd.DataFrame({name: MATRIX[:, 0].copy() for name in "abcd"}),
    "columns of columns": lambda: pd.concat([pd.Series(MATRIX[:, 0], name="a"), pd.Series(NUMBERS, name="b")], axis=1),
    "a matrix and more": lambda: pd.DataFrame(MATRIX, columns=list("abcd")).assign(e=1, f=2.0),
    "interleaved": lambda: pd.DataFrame({"a": NUMBERS, "i": np.arange(ROWS), "b": NUMBERS, "j": np.arange(ROWS)}),
    "an odd number of small floats": lambda: pd.DataFrame(np.ones((2, 2**18 + 1), "f4").T, columns=["a", "b"]),
    "every kind": frame,
}  # fmt: skip


def layout(table):
    return sorted((found.places, found.dtype, found.by_rows, array.strides) for found, array in plain_blocks(table))


@pytest.mark.parametrize("make", LAYOUTS.values(), ids=LAYOUTS)
def test_blocks_are_what_they_were(shelf, make):
    """Which columns lie together, and how, shows in warnings, in what shares memory, and in the last bits of sums."""
    loaded = shelf.round_trip(make())
    pd.testing.assert_frame_equal(loaded, make(), check_exact=True)
    assert layout(loaded) == layout(make())
    loaded.iloc[1, 0] = loaded.iloc[0, 0]
    assert loaded.iloc[1, 0] == make().iloc[0, 0]
    assert blobs_intact(shelf.store)


def test_what_stands_for_missing_keeps_its_bits(shelf):
    bits = np.full(ROWS, 0x7FF8000000000123, "u8")
    loaded = shelf.round_trip(pd.DataFrame({"x": bits.view("f8")}))
    assert (loaded["x"].to_numpy().view("u8") == bits).all()


def test_categories_of_a_frame_without_rows_come_back(shelf):
    empty = pd.DataFrame({"c": pd.Categorical.from_codes([], [3, 1]), "x": np.zeros(0)})
    pd.testing.assert_frame_equal(shelf.round_trip(empty), empty)


WAYS = [
    'df.loc[0, "floats"] = 1',
    "df.iloc[0, 0] = 1",
    'df.at[0, "ints"] = 7',
    'df["floats"].values[0] = 1',
    'df["dates"].array[0] = pd.Timestamp("1999")',
    "df.to_numpy()[0, 0] = 1",
    'df["floats with missing"].fillna(0, inplace=True)',
    'df.fillna({"floats with missing": 0}, inplace=True)',
    'df.loc[df["booleans"], "small ints"] = 3',
    'df.loc[1, "booleans"] = not df.loc[1, "booleans"]',
    'df.loc[3, "dates"] = None',
    'df.loc[3, "dates with zone"] = df.loc[4, "dates with zone"]',
    'df.loc[3, "differences"] += pd.Timedelta(1, "D")',
    'df.loc[2, "categories"] = 3',
    'df["floats"] += 1',
    'df[["floats", "more floats"]] *= 2',
    "df.sort_values('floats', inplace=True)",
    'df.drop(columns="ints", inplace=True)',
    'df["new"] = df["floats"]; df.loc[0, "new"] = 5',
    'df.replace({"ints": {1: 2}}, inplace=True)',
    'column = df["floats"]; column.iloc[0] = 9',
    "copy = df.copy(); copy.iloc[0, 0] = 9",
    "view = df[:5]; view.iloc[0, 0] = 9",
    'df["ints"] = df["ints"].where(df["ints"] > 5)',
    'df["floats"].clip(lower=0.5, inplace=True)',
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.filterwarnings("ignore")
def test_a_loaded_frame_can_be_written_to_as_a_new_one(shelf, way):
    """Errors included: pandas has numbers that it does not let anybody write to."""

    def written(df):
        try:
            exec(way, {"df": df, "pd": pd})
        except (ValueError, AttributeError) as error:
            return df, type(error)
        return df, None

    loaded, error = written(shelf.round_trip(frame()))
    expected, expected_error = written(frame())
    pd.testing.assert_frame_equal(loaded, expected, check_exact=True)
    assert error is expected_error
    assert blobs_intact(shelf.store)
    pd.testing.assert_frame_equal(shelf.round_trip(frame()), frame(), check_exact=True)


@pytest.mark.parametrize(
    "way", ["a[0] = 5", "a += 1", "a.sort()", "a.fill(2)", "a[a > 0.5] = 0", "a.view('u8')[3] = 1"]
)
def test_a_loaded_array_can_be_written_to_in_every_way(shelf, way):
    loaded, expected = shelf.round_trip(NUMBERS), NUMBERS.copy()
    for array in (loaded, expected):
        exec(way, {"a": array})
    assert loaded.tobytes() == expected.tobytes()
    assert blobs_intact(shelf.store)


def test_two_that_were_loaded_of_one_file_stay_apart(shelf):
    loaded = shelf.round_trips(a=frame(), b=frame(), array=NUMBERS, other=NUMBERS.copy())
    loaded["a"].iloc[0, 0] = 99.0
    loaded["array"][0] = 99.0
    assert loaded["b"].iloc[0, 0] == NUMBERS[0] == loaded["other"][0]


def test_what_is_changed_in_place_reaches_worker_processes(shelf):
    """Joblib hands files that arrays are maps of to its workers, which would read there what was before."""
    joblib = pytest.importorskip("joblib")
    array = shelf.round_trip(np.zeros(2**18))
    array[:] = 1.0
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(np.sum)(array) for _ in range(2)) == [2**18] * 2


def test_more_arrays_than_there_may_be_open_files_are_loaded(shelf):
    arrays = [np.full(2**17, number) for number in range(maps._MOST + 20)]
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112, PTH208
    loaded = shelf.round_trip(arrays)
    after = len(os.listdir("/proc/self/fd")) if before else 0  # noqa: PTH208
    assert all((one == other).all() for one, other in zip(loaded, arrays, strict=True))
    assert after - before <= 2 * maps._MOST
    for number, array in enumerate(loaded):
        array[0] = -number
    assert blobs_intact(shelf.store)


def test_maps_are_given_back(shelf):
    loaded = shelf.round_trip(NUMBERS)
    part = loaded[5:10]
    del loaded
    assert is_mapped(part)
    low, high = bounds_of(part)
    del part
    assert map_around(low, high) is None


@pytest.mark.parametrize("length", [0, 1, 4096, maps._BIG - 1, maps._BIG, maps._BIG + 4097])
def test_memory_has_the_files_content_and_keeps_it(tmp_path, length):
    content = bytes(range(256)) * (length // 256 + 1)
    (tmp_path / "file").write_bytes(content[:length])
    memory = private_memory(tmp_path / "file")
    assert bytes(memory) == content[:length]
    if length:
        memory[0] = 77
        assert (tmp_path / "file").read_bytes() == content[:length]


def test_a_file_of_another_version_is_not_misread(tmp_path):
    table = pa.table({"x": [1, 2]}, metadata={"stagebook": '{"series": false, "name": null, "by_rows": false}'})
    with pa.OSFile(str(tmp_path / "file"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    with pytest.raises(CorruptBlobError, match=re.escape("written by another version of Stagebook")):
        codec.read(tmp_path / "file")
