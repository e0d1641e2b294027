"""Values that are kept come back as they were and share what they shared; others say what they are."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import io
import itertools
import json
import mmap
import os
import pathlib
import random
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import uuid
import weakref
import zoneinfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stagebook.errors import CorruptBlobError, StoreError
from stagebook.store.blobs import Store
from stagebook.store.values import ValueRef, keep, load

PLAIN = {
    "big int": 10**400,
    "decimal": decimal.Decimal("1.10"),
    "fraction": fractions.Fraction(1, 3),
    "path": pathlib.Path("a/b"),
    "date": datetime.date(2020, 1, 2),
    "datetime": datetime.datetime(2020, 1, 2, 3, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    "timedelta": datetime.timedelta(days=1.5),
    "pattern": re.compile("a+", re.IGNORECASE),
    "range": range(3, 9, 2),
    "slice": slice(1, None, 2),
    "ellipsis": ...,
    "set": {"x", "y", 3, None},
    "frozen set": frozenset({1, (2, 3)}),
    "deque": collections.deque([1, 2], maxlen=3),
    "counter": collections.Counter("aab"),
    "default dict": collections.defaultdict(list, a=[1]),
    "ordered dict": collections.OrderedDict(b=1, a=2),
    "byte array": bytearray(b"abc"),
    "uuid": uuid.UUID(int=5),
    "type": int,
    "generic type": list[int],
    "builtin": len,
    "error": ValueError,
    "module's function": os.path.join,
    "NumPy function": np.sin,
}

ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.complex_numbers(allow_nan=False), st.text(),
    st.binary(), st.decimals(allow_nan=False), st.datetimes(), st.fractions(),
)  # fmt: skip
KEYS = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.tuples(st.integers(), st.text()))
NESTED = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.sets(KEYS, max_size=4),
        st.frozensets(st.text(), max_size=4),
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("value", PLAIN.values(), ids=PLAIN)
def test_it_comes_back_equal_and_of_its_type(shelf, value):
    loaded = shelf.round_trip(value)
    assert loaded == value
    assert type(loaded) is type(value)
    assert repr(loaded) == repr(value) or isinstance(value, (set, frozenset))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=NESTED)
def test_nested_containers_come_back_as_they_were(shelf, value):
    loaded = shelf.round_trip(value)
    assert loaded == value
    assert type(loaded) is type(value)
    assert isinstance(value, (set, frozenset)) or _with_types(loaded) == _with_types(value)


def _with_types(value):
    """1, 1.0 and True are equal: their types must be, too."""
    if isinstance(value, (list, tuple)):
        return (type(value), [_with_types(item) for item in value])
    if isinstance(value, dict):
        return [(_with_types(key), _with_types(item)) for key, item in value.items()]
    return (type(value), value)


def test_what_is_under_way_goes_on_where_it_was(shelf):
    iterator, count, stream = iter([1, 2, 3]), itertools.count(3), io.BytesIO(b"abc")
    next(iterator), next(count), stream.read(1)
    loaded = shelf.round_trips(iterator=iterator, count=count, stream=stream)
    assert (list(loaded["iterator"]), next(loaded["count"]), loaded["stream"].read()) == ([2, 3], 4, b"bc")


@pytest.mark.parametrize("make", [random.Random, np.random.default_rng, np.random.RandomState])
def test_a_random_generator_goes_on_where_it_was_and_stays_one_generator_under_two_names(shelf, make):
    generator = make(3)
    generator.random()
    loaded = shelf.round_trips(a=generator, b=generator)
    assert loaded["a"] is loaded["b"]
    assert loaded["a"].random() == generator.random()


def big():
    return pd.DataFrame({"x": range(2000)})


class Holder:
    def __init__(self, value):
        self.value = value


class Slotted:
    __slots__ = ("value",)


SHARED = [big, lambda: np.arange(5000), lambda: np.arange(3), list, dict, set, lambda: Holder(1), Slotted, object]


@pytest.mark.parametrize("make", SHARED, ids=lambda make: type(make()).__name__)
def test_what_two_names_hold_is_one_object_after_loading(shelf, make):
    value = make()
    loaded = shelf.round_trips(a=value, b=value, c=[value], d={"k": (value,)}, e=Holder(value))
    kept = loaded["a"]
    assert kept is loaded["b"] is loaded["c"][0]
    assert kept is loaded["d"]["k"][0] is loaded["e"].value


@pytest.mark.parametrize("make", SHARED, ids=lambda make: type(make()).__name__)
def test_what_one_name_holds_twice_is_one_object_after_loading(shelf, make):
    value = make()
    loaded = shelf.round_trip([value, (value, {"k": value})])
    assert loaded[0] is loaded[1][0] is loaded[1][1]["k"]


@pytest.mark.parametrize("make", SHARED, ids=lambda make: type(make()).__name__)
def test_names_that_share_nothing_are_kept_apart(shelf, make):
    refs = shelf.keep(a=make(), b=[make()], c=Holder(make())).refs
    assert [ref.members for ref in refs.values()] == [("a",), ("b",), ("c",)]


def test_names_are_bound_together_through_a_third(shelf):
    first, second = [1], [2]
    refs = shelf.keep(a=first, b=[first, second], c=second, d=[1]).refs
    assert {name: ref.members for name, ref in refs.items()} == {
        "a": ("a", "b", "c"), "b": ("a", "b", "c"), "c": ("a", "b", "c"), "d": ("d",),
    }  # fmt: skip


def test_values_that_cannot_change_bind_no_names_together(shelf):
    zone, text, moment = zoneinfo.ZoneInfo("Europe/Berlin"), "text" * 50, datetime.datetime(2020, 1, 1)
    pairs = {"zone": zone, "text": text, "moment": moment, "tuple": (1, text), "class": Holder, "module": np}
    refs = shelf.keep(**{f"{name}{twin}": value for name, value in pairs.items() for twin in "ab"}).refs
    assert all(len(ref.members) == 1 for ref in refs.values())


def test_frames_of_one_kind_are_kept_apart(shelf):
    frames = {
        name: pd.DataFrame({"o": [name, 1], "i": pd.array([1, None], dtype="Int64"), "t": pd.to_datetime(["2020"] * 2)},
                           index=pd.date_range("2020", periods=2, tz="Europe/Berlin"))
        for name in "ab"
    }  # fmt: skip
    assert [ref.members for ref in shelf.keep(**frames).refs.values()] == [("a",), ("b",)]


def test_a_value_that_holds_itself_comes_back_holding_itself(shelf):
    value: list = [1]
    value.append({"self": value})
    loaded = shelf.round_trip(value)
    assert loaded[1]["self"] is loaded


def test_only_the_names_asked_for_are_loaded(shelf):
    shared = [1]
    kept = shelf.keep(a=shared, b=[shared], c=3)
    assert load([kept.refs["b"]], shelf.store, namespace={}) == {"b": [[1]]}
    assert load(iter(kept.refs.values()), shelf.store, namespace={}) == {"a": [1], "b": [[1]], "c": 3}


def test_a_reference_survives_json(shelf):
    ref = shelf.keep(a=[1]).refs["a"]
    assert ValueRef.from_json(json.loads(json.dumps(ref.to_json()))) == ref
    assert ref.type == "list"


def generator():
    yield 1


async def coroutine():
    pass


async def stream_of_values():
    yield 1


def _closing(make):
    return lambda request: request.addfinalizer((value := make()).close) or value


UNSTORABLE = {
    "generator": _closing(generator),
    "coroutine": _closing(coroutine),
    "asynchronous generator": lambda _: stream_of_values(),
    "open file": _closing(lambda: open(__file__, encoding="utf-8")),  # noqa: PTH123, SIM115 - closed when the test ends
    "open file, bytes": _closing(lambda: open(__file__, "rb")),  # noqa: PTH123, SIM115 - closed when the test ends
    "open socket": _closing(socket.socket),
    "lock": lambda _: threading.Lock(),
    "lock, twice": lambda _: threading.RLock(),
    "thread": lambda _: threading.Thread(target=print),
    "lock, of an event": lambda _: threading.Event(),
    "weak reference": lambda _: weakref.ref(Holder),
    "memory map": _closing(lambda: mmap.mmap(-1, 10)),
    "memoryview": lambda _: memoryview(b"abc"),
    "sqlite3.Connection": _closing(lambda: sqlite3.connect(":memory:")),
}


@pytest.mark.parametrize("name", UNSTORABLE)
def test_what_lives_in_its_process_is_named_by_its_kind_and_the_rest_is_kept(shelf, name, request):
    value = UNSTORABLE[name](request)
    kept = shelf.keep(bad=value, held=[{"deep": Holder(value)}], good=[1], frame=big())
    kind = name.partition(",")[0]
    assert kept.unstorable == {"bad": kind, "held": kind}
    assert load(kept.refs.values(), shelf.store, namespace={})["good"] == [1]
    assert set(kept.refs) == {"good", "frame"}
    assert shelf.digest(value) is None
    assert shelf.digest([value]) is None


def test_a_process_is_named_as_one(shelf):
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        assert shelf.keep(p=process).unstorable == {"p": "process"}


class Stubborn:
    def __reduce__(self):
        raise RuntimeError("I stay here\nfor ever")


def test_a_value_that_refuses_is_quoted(shelf):
    assert shelf.keep(a=Stubborn(), b=1).unstorable == {"a": "I stay here"}


def test_a_full_or_unwritable_store_is_no_fault_of_the_value(tmp_path):
    (tmp_path / "file").touch()
    for value in (1, big(), np.arange(5000)):
        with pytest.raises(StoreError, match="cannot be written"):
            keep({"a": value}, Store(tmp_path / "file" / "store"), namespace={}, setup={})


class Trap:
    def __reduce__(self):
        return (pathlib.Path.touch, (pathlib.Path("sprung"),))


def test_a_pickle_is_not_run_before_its_digest_is_checked(shelf, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    good = shelf.keep(a=[1]).refs["a"]
    trap = shelf.keep(a=Trap()).refs["a"]
    shelf.store.blob_path(good.bundle).write_bytes(shelf.store.get(trap.bundle))
    with pytest.raises(CorruptBlobError, match="damaged"):
        load([good], shelf.store, namespace={})
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("make", [big, lambda: np.arange(5000)])
def test_a_damaged_part_of_a_value_is_found_out(shelf, make):
    before = {path for path in shelf.store.root.rglob("*") if path.is_file()}
    kept = shelf.keep(a={"part": make()})
    blobs = shelf.store.root / "blobs"
    parts = [path for path in blobs.rglob("*") if path.is_file() and path not in before]
    (part,) = [path for path in parts if path.parent.name + path.name != kept.refs["a"].bundle]
    content = bytearray(part.read_bytes())
    content[-1000] ^= 1
    part.write_bytes(content)
    with pytest.raises(CorruptBlobError, match="damaged"):
        load(kept.refs.values(), shelf.store, namespace={})
    part.unlink()
    with pytest.raises(CorruptBlobError, match="lost"):
        load(kept.refs.values(), shelf.store, namespace={})


def test_a_fitted_scikit_learn_pipeline_predicts_the_same(shelf):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    draws = np.random.default_rng(0)
    features, target = draws.random((300, 4)), draws.integers(0, 2, 300)
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(10, random_state=0)).fit(features, target)
    loaded = shelf.round_trips(model=pipeline, forest=pipeline[-1], features=features)
    assert (loaded["model"].predict_proba(features) == pipeline.predict_proba(features)).all()
    assert loaded["model"][-1] is loaded["forest"]
    loaded["model"].fit(features, target)


def test_a_figure_comes_back_and_draws_the_same(shelf):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    def drawn(figure):
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())

    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 2, 3], label="line")
    axes.legend()
    loaded = shelf.round_trips(figure=figure, axes=axes)
    assert loaded["axes"] is loaded["figure"].axes[0]
    assert (drawn(loaded["figure"]) == drawn(figure)).all()


def test_a_partial_holds_its_function(shelf):
    loaded = shelf.round_trip(functools.partial(int, base=2))
    assert loaded("101") == 5
