"""A loaded value that nobody has written to is not read to see that; one that somebody has is compared exactly."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stagebook.store import maps
from stagebook.store.maps import private_memory
from stagebook.store.snapshots import Untouched
from stagebook.store.values import snapshot

ROWS = 2**18
NUMBERS = np.random.default_rng(0).random(ROWS)


def frame():
    return pd.DataFrame({"a": NUMBERS, "b": NUMBERS * 2, "i": np.arange(ROWS), "t": pd.Timestamp("2020")}).assign(
        c=pd.Categorical.from_codes(np.zeros(ROWS, "i1"), [1, 2])
    )


def matrix_frame():
    return pd.DataFrame(NUMBERS.reshape(-1, 4), columns=list("abci"))


VALUES = {
    "frame": frame,
    "frame of a matrix": matrix_frame,
    "series": lambda: pd.Series(NUMBERS, name="n"),
    "array": lambda: NUMBERS.copy(),
    "Fortran order": lambda: np.asfortranarray(NUMBERS.reshape(-1, 64)),
    "dict": lambda: {"array": NUMBERS.copy(), "frame": frame(), "word": "x"},
}


@pytest.fixture(params=["as the system tells", "by reading"])
def told(request, monkeypatch):
    """Where the system tells which pages were written to, and where it does not."""
    if request.param == "by reading":
        monkeypatch.setattr(maps, "_can_tell", lambda: False)
    elif not maps._can_tell():
        pytest.skip("this system does not tell which pages were written to")
    return request.param == "as the system tells"


def now(value):
    found = snapshot(value, namespace={}, setup={})
    assert found is not None
    return found


@pytest.mark.parametrize("make", VALUES.values(), ids=VALUES)
def test_what_was_not_written_to_is_not_read(shelf, make, told):
    loaded = shelf.round_trip(make())
    before = now(loaded)
    repr(loaded)
    after = now(loaded)
    assert before.is_same(after)
    assert all(isinstance(piece, Untouched) for piece in after.pieces) is told
    assert len(after.pieces) > 0


@pytest.mark.parametrize("make", VALUES.values(), ids=VALUES)
def test_what_is_not_read_has_the_digest_that_reading_it_gives(shelf, make, told):
    pieces = now(shelf.round_trip(make())).pieces
    digests = tuple(piece if isinstance(piece, str) else piece.digest for piece in pieces)
    assert digests == now(make()).pieces


CHANGES = {
    "frame": ['v.loc[7, "a"] = 5', 'v.iloc[-1, 2] = 5', 'v.loc[3, "t"] = None', 'v.loc[9, "c"] = 2', 'v["new"] = 1',
              'v.drop(columns="a", inplace=True)', 'v.attrs["x"] = 1', 'v["a"] += 1', 'v.index.name = "k"',
              'v.rename(columns={"a": "b", "b": "a"}, inplace=True)', "v.sort_values('a', inplace=True)"],
    "frame of a matrix": ['v.loc[7, "a"] = 5', "v.iloc[-1, -1] = 5", "v *= 2"],
    "series": ["v[5] = 1", "v.name = 'm'", "v += 1"],
    "array": ["v[-1] = 5", "v += 1", "v.sort()", "v.shape = (2, -1)", "v.flags.writeable = False"],
    "Fortran order": ["v[0, 1] = 5", "v[-1, -1] = 5"],
    "dict": ["v['array'][3] = 1", "v['frame'].loc[0, 'a'] = 1", "v['word'] = 'y'", "v['array'] = v['array'] + 1"],
}  # fmt: skip
CASES = [(name, change) for name, changes in CHANGES.items() for change in changes]


@pytest.mark.parametrize(("name", "change"), CASES, ids=[f"{name}: {change}" for name, change in CASES])
def test_a_change_is_seen(shelf, name, change, told):
    loaded = shelf.round_trip(VALUES[name]())
    before = now(loaded)
    exec(change, {"v": loaded})
    assert not before.is_same(now(loaded))


SAME_AGAIN = {
    "the same number": "v.iloc[5:6, 0] = v.iloc[5, 0]; v.loc[7, 'b'] = v.loc[7, 'b']",
    "there and back": "old = v.loc[7, 'a']; v.loc[7, 'a'] = 5; v.loc[7, 'a'] = old",
    "a column replaced with a copy": "v['a'] = v['a'].copy()",
    "blocks put together": "v['a'] = v['a'].copy(); v._consolidate_inplace()",
}


@pytest.mark.parametrize("change", SAME_AGAIN.values(), ids=SAME_AGAIN)
def test_what_ends_as_it_was_has_not_changed(shelf, change, told):
    loaded = shelf.round_trip(frame())
    before = now(loaded)
    exec(change, {"v": loaded})
    assert before.is_same(now(loaded))


ARRAYS = {
    "masked": lambda: pd.array([1, None]),
    "text": lambda: pd.array(["a", None], dtype="str"),
    "categories": lambda: pd.Categorical(["a", "b"]),
    "dates": lambda: pd.date_range("2020", periods=2).array,
    "intervals": lambda: pd.arrays.IntervalArray.from_breaks([1, 2, 3]),
}


@pytest.mark.parametrize("make", ARRAYS.values(), ids=ARRAYS)
def test_whether_pandas_has_noted_that_others_may_write_to_it_is_no_content(make):
    noted = make()[:]
    noted._readonly = True
    assert now(make()).is_same(now(noted))
    assert not now(make()).is_same(now(make()[::-1]))


def test_a_value_is_compared_with_what_it_was_when_asked_not_with_the_blob(shelf, told):
    loaded = shelf.round_trip(NUMBERS.copy())
    loaded[0] = 5
    before = now(loaded)
    loaded[0] = NUMBERS[0]
    assert not before.is_same(now(loaded))
    loaded[0] = 5
    assert before.is_same(now(loaded))


def test_a_blob_that_was_removed_meanwhile_is_still_compared_with(shelf, told):
    loaded = shelf.round_trip(NUMBERS.copy())
    before = now(loaded)
    for file in shelf.store.files("blobs"):
        shelf.store.remove(file.name)
    loaded[0] = NUMBERS[0]
    assert before.is_same(now(loaded))
    loaded[1] = 5
    assert not before.is_same(now(loaded))


@pytest.mark.skipif(not maps._can_tell(), reason="this system does not tell which pages were written to")
def test_just_the_pages_that_were_written_to_are_told(tmp_path):
    page = maps.mmap.PAGESIZE
    (tmp_path / "file").write_bytes(bytes(300 * page + 5))
    memory = private_memory(tmp_path / "file")
    bytes(memory)
    for position in (page * 2, page * 7 - 1, 300 * page + 4):
        memory[position] = 0
    assert np.flatnonzero(memory.pages_written()).tolist() == [2, 6, 300]
