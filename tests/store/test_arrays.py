"""NumPy arrays and SciPy matrices come back as they were, can be written to, and leave the store alone."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from stagebook.store.codecs.array import codec

AS_NPY = {
    "numbers": np.arange(5000.0),
    "Fortran order": np.asfortranarray(np.arange(6000.0).reshape(100, 60)),
    "three axes, Fortran order": np.asfortranarray(np.arange(8000).reshape(20, 20, 20)),
    "structured": np.array([(1, "ab")] * 1000, dtype=[("a", "i4"), ("b", "U3")]),
    "structured with gaps": np.zeros(1000, dtype={"names": ["a"], "formats": ["i4"], "offsets": [4], "itemsize": 16}),
    "structured with titles": np.zeros(1000, dtype={"names": ["a"], "formats": ["f8"], "titles": ["T"]}),
    "structured with arrays": np.zeros(100, dtype=[("a", "f8", (3, 4))]),
    "complex": np.arange(1000) * 1j,
    "datetimes": np.arange(2000).astype("M8[s]"),
    "timedeltas": np.arange(2000).astype("m8[D]"),
    "big-endian": np.arange(2000, dtype=">i4"),
    "texts": np.array(["ab", "c"] * 2000),
    "bytes": np.array([b"ab", b""] * 3000),
    "booleans": np.arange(5000) % 3 == 0,
    "half floats": np.ones(5000, "f2"),
    "long floats": np.ones(5000, np.longdouble),
    "raw": np.zeros(1000, "V7"),
    "not contiguous": np.arange(10000.0).reshape(100, 100)[::2, 1:],
    "backwards": np.arange(5000)[::-1],
}


def read_only():
    array = np.arange(5000)
    array.flags.writeable = False
    return array


AS_PICKLE = {
    "small": np.arange(3),
    "no axes": np.array(3.5),
    "nothing": np.zeros((0, 5)),
    "objects": np.array([1, "a", None] * 1000, dtype=object),
    "read-only": read_only(),
    "aligned": np.zeros(1000, dtype=np.dtype([("a", "i1"), ("b", "f8")], align=True)),
    "of records": np.zeros(1000, dtype=np.dtype((np.record, [("a", "f8")]))),
}
SUBCLASSES = {
    "record array": np.zeros(1000, dtype=[("a", "f8")]).view(np.recarray),
    "matrix": np.asmatrix(np.arange(10000.0).reshape(100, 100)),
    "masked": np.ma.masked_greater(np.arange(5000), 30),
    "number": np.float32(1.5),
}
EVERY_ARRAY = AS_NPY | AS_PICKLE | SUBCLASSES


def assert_same(after, before):
    assert type(after) is type(before)
    assert repr(after.dtype) == repr(before.dtype)
    assert after.dtype.type is before.dtype.type
    assert after.dtype.isalignedstruct == before.dtype.isalignedstruct
    assert after.shape == before.shape
    assert after.flags.writeable == before.flags.writeable
    if before.flags.forc:
        assert after.flags.fortran == before.flags.fortran
    if before.dtype.hasobject:
        assert after.tolist() == before.tolist()
    else:
        assert np.asarray(after).tobytes() == np.asarray(before).tobytes()


@pytest.mark.parametrize("array", EVERY_ARRAY.values(), ids=EVERY_ARRAY)
def test_it_comes_back_as_it_was(shelf, array):
    assert_same(shelf.round_trip(array), array)


def test_a_mask_comes_back_with_its_array(shelf):
    loaded = shelf.round_trip(SUBCLASSES["masked"])
    assert (loaded.mask == SUBCLASSES["masked"].mask).all()
    assert loaded.fill_value == SUBCLASSES["masked"].fill_value


@pytest.mark.parametrize("name", AS_NPY)
def test_what_npy_keeps_is_stored_as_npy(name, tmp_path):
    assert codec.write(AS_NPY[name], tmp_path / "file")


@pytest.mark.parametrize("name", AS_PICKLE)
def test_what_npy_would_change_is_left_to_pickle(name, tmp_path):
    assert not codec.write(AS_PICKLE[name], tmp_path / "file")


@pytest.mark.parametrize("name", ["numbers", "small", "Fortran order", "structured", "objects", "no axes", "masked"])
def test_a_loaded_array_can_be_written_to_and_the_store_does_not_change(shelf, name):
    array = EVERY_ARRAY[name].copy(order="K")
    loaded = shelf.round_trip(array)
    loaded[...] = loaded.flat[-1]
    assert_same(shelf.round_trip(array), array)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    array=hnp.arrays(
        dtype=st.one_of(
            hnp.scalar_dtypes(), hnp.array_dtypes(max_size=3), hnp.nested_dtypes(max_leaves=4, max_itemsize=64)
        ),
        shape=hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
    ),
    repeat=st.sampled_from([1, 600]),
)
def test_arrays_of_all_sorts_come_back_as_they_were(shelf, array, repeat):
    assume(not re.search("'>[mM]8", repr(array.dtype)))  # NumPy's own pickles lose these dtypes' byte order
    if array.ndim:
        array = np.repeat(array, repeat, axis=0)
    assert_same(shelf.round_trip(array), array)


@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
def test_a_sparse_matrix_comes_back_as_it_was(shelf, form):
    matrix = scipy.sparse.random(300, 200, density=0.1, format=form, random_state=0)
    loaded = shelf.round_trip(matrix)
    assert type(loaded) is type(matrix)
    assert (loaded != matrix).nnz == 0
    loaded *= 2
    assert (shelf.round_trip(matrix) != matrix).nnz == 0
