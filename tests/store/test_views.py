"""Arrays that lie in the same memory lie in the same memory when they are loaded: a write to one is seen in all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from stagebook.errors import CorruptBlobError
from stagebook.store.values import load

pytestmark = pytest.mark.filterwarnings("ignore:the matrix subclass")

VIEWS = {
    "slice": lambda a: a[2:5],
    "one element": lambda a: a[3:4],
    "backwards": lambda a: a[::-1],
    "every third": lambda a: a[1::3],
    "no axes": lambda a: a[4, ...],
    "all of it": lambda a: a[:],
    "reshaped": lambda a: a.reshape(-1, 2),
    "transposed": lambda a: a.reshape(2, -1).T,
    "three axes, swapped": lambda a: a.reshape(3, 2, -1).swapaxes(0, 2),
    "raveled": lambda a: a.reshape(-1, 4).ravel(),
    "its bytes": lambda a: a.view(np.uint8),
    "a view of a view": lambda a: a[1:].reshape(1, -1)[0, 1:6][::2],
    "windows": lambda a: sliding_window_view(a, 3),
    "strided": lambda a: as_strided(a[1:], (3, 2), (16, 8)),
    "broadcast": lambda a: np.broadcast_to(a, (4, len(a))),
    "matrix": lambda a: np.asmatrix(a.reshape(2, -1)),
    "masked": lambda a: np.ma.array(a, mask=np.arange(len(a)) % 2, copy=False),
}


def owner(length=12):
    return np.arange(float(length))


@pytest.mark.parametrize("length", [12, 1200])
@pytest.mark.parametrize("make", VIEWS.values(), ids=VIEWS)
def test_a_write_to_an_array_is_seen_in_its_view(shelf, make, length):
    array = owner(length)
    loaded = shelf.round_trips(array=array, view=make(array), held={"deep": [make(array)]})
    for values in (loaded["array"], array):
        values[:] = values[::-1].copy() * 3
    for view in (loaded["view"], loaded["held"]["deep"][0]):
        assert type(view) is type(make(array))
        assert view.dtype == make(array).dtype
        assert view.flags.writeable == make(array).flags.writeable
        np.testing.assert_array_equal(view, make(array))
    assert loaded["array"].flags.owndata or length > 12


@pytest.mark.parametrize("length", [12, 1200])
@pytest.mark.parametrize(
    "name", ["slice", "backwards", "transposed", "a view of a view", "matrix", "masked", "strided"]
)
def test_a_write_to_a_view_is_seen_in_the_array_and_through_another_view(shelf, name, length):
    array = owner(length)
    loaded = shelf.round_trips(array=array, view=VIEWS[name](array), other=array[::2])
    loaded["view"][...] = -1
    VIEWS[name](array)[...] = -1
    np.testing.assert_array_equal(loaded["array"], array)
    np.testing.assert_array_equal(loaded["other"], array[::2])


def test_what_was_shared_is_shared_however_often_it_is_passed_on(shelf):
    array = owner(3000)
    loaded = {"array": array, "view": array[5:], "few": array[4:7]}
    for _ in range(3):
        loaded = shelf.round_trips(**loaded)
    loaded["few"][:] = 7
    assert loaded["view"][:2].tolist() == loaded["array"][5:7].tolist() == [7, 7]
    assert loaded["few"].base is loaded["array"]


def test_views_share_memory_where_nobody_holds_the_array_they_are_of(shelf):
    array = owner(100_000)
    loaded = shelf.round_trips(left=array[10:1000], right=array[900:2000])
    loaded["left"][-1] = 99
    assert loaded["right"][99] == 99
    assert _stored(shelf) < 3 * 2000 * 8


def test_a_view_that_is_kept_alone_takes_no_more_room_than_it_has_elements(shelf):
    array = owner(100_000)
    loaded = shelf.round_trips(part=array[1000:2000], parts=[array[5000:6000]])
    assert loaded["part"].tolist() == array[1000:2000].tolist()
    assert _stored(shelf) < 4 * 1000 * 8


def _stored(shelf):
    return sum(path.stat().st_size for path in (shelf.store.root / "blobs").rglob("*") if path.is_file())


APART = {
    "halves": lambda a: (a[: len(a) // 2], a[len(a) // 2 :]),
    "columns": lambda a: tuple(a.reshape(-1, 2).T),
    "odd and even": lambda a: (a[::2], a[1::2]),
    "copies": lambda a: (a.copy(), a.copy()),
    "empty and all": lambda a: (a[:0], a),
}


@pytest.mark.parametrize("make", APART.values(), ids=APART)
def test_views_that_have_no_element_in_common_are_kept_apart(shelf, make):
    left, right = make(owner(3000))
    refs = shelf.keep(left=left, right=right).refs
    assert [ref.members for ref in refs.values()] == [("left",), ("right",)]


def test_views_without_an_element_in_common_are_one_with_the_array_if_that_is_kept(shelf):
    array = owner()
    refs = shelf.keep(array=array, left=array[:6], right=array[6:]).refs
    assert {ref.members for ref in refs.values()} == {("array", "left", "right")}


def test_groups_of_views_that_lie_between_each_others_elements_share_within_each_group(shelf):
    table = np.zeros((10, 4))
    loaded = shelf.round_trips(x=table[:, 0], x2=table[:, 0], y=table[2:5, 1], y2=table[:, 1], z=table[3:4, 2])
    loaded["y"][0], loaded["x2"][9] = 5, 6
    assert (loaded["y2"][2], loaded["x"][9], loaded["z"][0]) == (5, 6, 0)
    assert loaded["x"].sum() == 6


def test_many_small_views_that_share_in_pairs_share_in_pairs(shelf):
    table = np.zeros((500, 3))
    loaded = shelf.round_trips(rows=list(table), again=list(table))
    for number, row in enumerate(loaded["rows"]):
        row[1] = number
    assert [row[1] for row in loaded["again"]] == list(range(500))


def test_one_of_many_views_is_enough_to_share(shelf):
    table = np.zeros((50, 3))
    loaded = shelf.round_trips(table=table, rows=list(table))
    loaded["rows"][7][1] = 5
    assert loaded["table"][7, 1] == 5


def test_a_field_of_a_structured_array_is_a_view(shelf):
    table = np.zeros(1000, dtype=[("a", "i4"), ("b", "f8"), ("c", "U3")])
    loaded = shelf.round_trips(table=table, field=table["b"], names=table["c"], records=table.view(np.recarray))
    loaded["field"][5] = 2.5
    loaded["names"][5] = "x"
    assert loaded["table"][5].tolist() == (0, 2.5, "x")
    assert loaded["records"].b[5] == 2.5


def test_real_and_imaginary_parts_are_views(shelf):
    numbers = np.ones(5, complex)
    loaded = shelf.round_trips(numbers=numbers, real=numbers.real, imaginary=numbers.imag)
    loaded["real"][0], loaded["imaginary"][1] = 7, 8
    assert loaded["numbers"][:2].tolist() == [7, 1 + 8j]


def test_views_of_objects_share_places_and_objects(shelf):
    objects = np.array([[1], [2], None, "x"], dtype=object)
    loaded = shelf.round_trips(objects=objects, tail=objects[1:], back=objects[::-1], first=objects[0])
    loaded["tail"][1] = "new"
    assert loaded["objects"][2] == loaded["back"][1] == "new"
    assert loaded["first"] is loaded["objects"][0] is loaded["back"][3]


def test_a_mask_is_shared_as_numpy_shares_it(shelf):
    masked = np.ma.array([1.0, 2.0, 3.0, 4.0], mask=[0, 1, 0, 0])
    part = masked[1:]
    loaded = shelf.round_trips(masked=masked, part=part, numbers=masked.data)
    for tail in (part, loaded["part"]):
        tail[1] = np.ma.masked
        tail[2] = 44
    assert str(loaded["masked"]) == str(masked)
    assert str(loaded["part"]) == str(part)
    assert loaded["numbers"].tolist() == masked.data.tolist()
    assert loaded["masked"].sharedmask == masked.sharedmask


@pytest.mark.parametrize("name", ["hard mask", "no mask", "fill value", "structured"])
def test_a_masked_array_comes_back_with_all_that_belongs_to_it(shelf, name):
    masked = {
        "hard mask": lambda: np.ma.array([1, 2], mask=[1, 0], hard_mask=True),
        "no mask": lambda: np.ma.array([1, 2]),
        "fill value": lambda: np.ma.array([1, 2], mask=[1, 0], fill_value=-7),
        "structured": lambda: np.ma.array([(1, 2.0)], mask=[(0, 1)], dtype=[("a", "i4"), ("b", "f8")]),
    }[name]()
    loaded = shelf.round_trip(masked)
    assert (loaded.mask is np.ma.nomask) == (masked.mask is np.ma.nomask)
    assert loaded.hardmask == masked.hardmask
    assert (loaded.fill_value == masked.fill_value).all()
    assert (repr(loaded), loaded.dtype) == (repr(masked), masked.dtype)


def test_read_only_views_stay_read_only_and_see_what_is_written(shelf):
    array = owner()
    view = array[:]
    view.flags.writeable = False
    loaded = shelf.round_trips(array=array, view=view)
    loaded["array"][0] = 9
    assert loaded["view"][0] == 9
    with pytest.raises(ValueError, match="read-only"):
        loaded["view"][0] = 1


def test_a_view_that_may_be_written_to_stays_so_where_its_array_may_not(shelf):
    array = owner()
    view = array[2:]
    array.flags.writeable = False
    loaded = shelf.round_trips(array=array, view=view)
    loaded["view"][0] = 9
    assert loaded["array"][2] == 9
    assert not loaded["array"].flags.writeable


class Holder:
    def __init__(self, rows):
        self.rows = rows


def test_views_are_shared_where_objects_hold_them(shelf):
    array = owner(1200)
    loaded = shelf.round_trips(holder=Holder(array[3:9]), array=array, pair=(array[4:5], {"k": Holder(array[:5])}))
    loaded["holder"].rows[1] = 5
    assert loaded["array"][4] == loaded["pair"][0][0] == loaded["pair"][1]["k"].rows[4] == 5


def test_a_sparse_matrix_and_a_view_of_its_numbers_stay_related(shelf):
    matrix = scipy.sparse.random(100, 50, density=0.3, format="csr", random_state=0)
    loaded = shelf.round_trips(matrix=matrix, numbers=matrix.data[5:20])
    loaded["numbers"][:] = 2
    assert loaded["matrix"].data[5:20].tolist() == [2] * 15


def test_two_frames_that_pandas_made_of_one_memory_are_kept_apart(shelf):
    frame = pd.DataFrame({"o": [1, "a", None] * 500, "n": range(1500)})
    refs = shelf.keep(frame=frame, shallow=frame.copy(deep=False), column=frame["o"]).refs
    assert all(ref.members == (name,) for name, ref in refs.items())


def test_equal_views_have_equal_digests_whatever_surrounds_them(shelf):
    """In another place of another array, in names given in another order."""
    first, second = owner(100_000), np.concatenate([np.zeros(17), owner(100_000)])[17:]
    kept = shelf.keep(a=first[:3000], b=first[1000:4000])
    again = shelf.keep(b=second[1000:4000], a=second[:3000])
    assert {name: ref.content for name, ref in kept.refs.items()} == {n: ref.content for n, ref in again.refs.items()}


@st.composite
def arrays_and_views(draw):
    dtype = draw(st.sampled_from(["f8", "i2", ">i4", "M8[s]", "U2", "O", "c16", "?"]))
    shape = draw(hnp.array_shapes(max_dims=3, min_side=1, max_side=6))
    array = np.arange(np.prod(shape)).astype("i2").astype(dtype).reshape(shape)
    if draw(st.booleans()):
        array = np.asfortranarray(array)
    views = []
    for _ in range(draw(st.integers(1, 4))):
        view = array
        for _ in range(draw(st.integers(1, 2))):
            view = view[draw(hnp.basic_indices(view.shape, allow_ellipsis=True, allow_newaxis=True))]
            if not isinstance(view, np.ndarray):
                break
        if isinstance(view, np.ndarray):
            views.append(draw(st.sampled_from([view, view.T])))
    return array, views, draw(st.booleans())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=arrays_and_views())
def test_views_of_all_sorts_see_what_is_written_to_any_of_them(shelf, case):
    array, views, with_owner = case
    values = {f"v{number}": view for number, view in enumerate(views)} | ({"array": array} if with_owner else {})
    loaded = shelf.round_trips(**values)
    for name, value in values.items():
        np.testing.assert_array_equal(loaded[name], value)
        assert loaded[name].dtype == value.dtype
    for name, value in values.items():
        if value.size:
            index = tuple(length // 2 for length in value.shape)
            value[index] = loaded[name][index] = array.flat[0]
    for name, value in values.items():
        np.testing.assert_array_equal(loaded[name], value)


class TestMapsOfFiles:
    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "numbers.bin"
        np.arange(2000.0).tofile(path)
        return path

    @pytest.mark.parametrize("mode", ["r", "r+"])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_a_map_comes_back_on_the_same_file(self, shelf, file, mode, order):
        mapped = np.memmap(file, "f8", mode, offset=80, shape=(199, 10), order=order)
        loaded = shelf.round_trips(mapped=mapped, part=mapped[3:, 1], plain=np.asarray(mapped)[5:])
        assert type(loaded["mapped"]) is type(loaded["part"]) is np.memmap
        assert (loaded["mapped"].filename, loaded["mapped"].mode, loaded["mapped"].offset) == (str(file), mode, 80)
        np.testing.assert_array_equal(loaded["mapped"], mapped)
        np.testing.assert_array_equal(loaded["part"], mapped[3:, 1])
        if mode == "r+":
            loaded["part"][2], loaded["plain"][0, 0] = -1, -2
            loaded["part"].flush()
            assert mapped[5].tolist()[:2] == [-2, -1]
        assert _stored(shelf) < 4000

    def test_a_map_made_with_its_file_does_not_empty_it_when_it_is_loaded(self, shelf, tmp_path):
        mapped = np.memmap(tmp_path / "new.bin", "i4", "w+", shape=(3, 4))
        mapped[:] = 7
        assert shelf.round_trip(mapped).tolist() == [[7] * 4] * 3

    def test_a_map_that_is_copied_on_write_is_kept_with_what_was_written_to_it(self, shelf, file):
        mapped = np.memmap(file, "f8", "c")
        mapped[0] = 5
        loaded = shelf.round_trip(mapped)
        loaded[1] = 6
        assert loaded[:3].tolist() == [5, 6, 2]
        assert np.fromfile(file)[:2].tolist() == [0, 1]

    def test_a_file_that_has_changed_is_noticed_when_its_map_is_loaded(self, shelf, file):
        kept = shelf.keep(mapped=np.memmap(file, "f8", "r"))
        np.arange(2000.0)[::-1].tofile(file)
        with pytest.raises(CorruptBlobError, match="numbers.bin, which an array is a map of, has changed"):
            load(kept.refs.values(), shelf.store, namespace={})
        file.unlink()
        with pytest.raises(CorruptBlobError, match="has changed"):
            load(kept.refs.values(), shelf.store, namespace={})

    def test_writing_to_a_map_changes_its_digest(self, shelf, file):
        mapped = np.memmap(file, "f8", "r+")
        before = shelf.digest(mapped)
        assert shelf.digest(mapped) == before
        mapped[1999] = 1
        assert shelf.digest(mapped) != before


class Measured(np.ndarray):
    """As NumPy's documentation has it."""

    def __new__(cls, values, unit=None):
        made = np.asarray(values).view(cls)
        made.unit = unit
        return made

    def __array_finalize__(self, other):
        self.unit = getattr(other, "unit", None)


@pytest.mark.parametrize("length", [3, 3000])
def test_an_array_of_a_class_of_ones_own_keeps_its_attributes(shelf, length):
    metres = Measured(owner(length), unit=["m"])
    loaded = shelf.round_trips(whole=metres, part=metres[1:], unit=metres.unit)
    assert type(loaded["whole"]) is type(loaded["part"]) is Measured
    assert loaded["whole"].unit is loaded["part"].unit is loaded["unit"]
    loaded["part"][0] = 50
    assert loaded["whole"][1] == 50


def test_changing_an_array_changes_the_digest_of_its_view_and_of_what_holds_it(shelf):
    array = owner(3000)
    view, held = array[5:10], [Holder(array[::-1])]
    before = shelf.digest(view), shelf.digest(held), shelf.digest(array[:5])
    array[7] = -1
    assert shelf.digest(view) != before[0]
    assert shelf.digest(held) != before[1]
    assert shelf.digest(array[:5]) == before[2]


def test_asking_a_masked_array_for_its_fill_value_leaves_its_digest(shelf):
    masked = np.ma.array([1.0, 2.0], mask=[0, 1])
    before = shelf.digest(masked)
    repr(masked), masked.filled()
    assert shelf.digest(masked) == before
    masked.fill_value = 3
    assert shelf.digest(masked) != before


def test_a_loaded_array_can_be_resized_as_before_if_it_is_small(shelf):
    loaded = shelf.round_trip(np.arange(3))
    loaded.resize(5, refcheck=False)
    assert loaded.tolist() == [0, 1, 2, 0, 0]
