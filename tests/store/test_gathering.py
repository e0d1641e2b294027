"""Stored values become stored lists without being loaded; what an element shares in itself stays shared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from stagebook.errors import CorruptBlobError, UnsignedBlobError
from stagebook.store.gathering import gather
from stagebook.store.manifests import is_loadable, manifest_name
from stagebook.store.values import load


@pytest.fixture
def gathered(shelf):
    """Keep each element, gather, load the lists."""

    def made(*elements, names=None):
        refs = gather([shelf.keep(**element).refs for element in elements], shelf.store, names=names)
        return refs, load(refs.values(), shelf.store, namespace={})

    return made


def test_a_list_holds_the_elements_values_in_order(gathered):
    refs, loaded = gathered(*({"score": number / 2, "name": f"n{number}"} for number in range(3)))
    assert loaded == {"score": [0.0, 0.5, 1.0], "name": ["n0", "n1", "n2"]}
    assert {ref.type for ref in refs.values()} == {"list"}
    assert refs["score"].bundle != refs["name"].bundle


def test_frames_and_arrays_come_back_too(gathered):
    frames = [pd.DataFrame({"x": range(number, number + 2000)}) for number in range(2)]
    _, loaded = gathered(*({"frame": frame, "array": frame["x"].to_numpy().copy()} for frame in frames))
    for position, frame in enumerate(frames):
        pd.testing.assert_frame_equal(loaded["frame"][position], frame)
        np.testing.assert_array_equal(loaded["array"][position], frame["x"])


def test_only_names_that_every_element_has_are_gathered(gathered):
    refs, _ = gathered({"a": 1, "b": 2}, {"a": 1, "c": 3})
    assert set(refs) == {"a"}
    refs, _ = gathered({"a": 1, "b": 2}, {"a": 1, "b": 2}, names=["b", "unknown"])
    assert set(refs) == {"b"}


def test_names_that_share_an_object_share_it_in_the_lists(gathered):
    elements = [{"model": (model := [number]), "best": {"model": model}, "own": [number]} for number in range(2)]
    refs, loaded = gathered(*elements)
    assert refs["model"].members == ("best", "model")
    assert refs["own"].members == ("own",)
    for position in range(2):
        assert loaded["model"][position] is loaded["best"][position]["model"]


def test_names_that_share_in_one_element_only_are_kept_together(gathered):
    one = [1]
    refs, loaded = gathered({"a": one, "b": one}, {"a": [2], "b": [2]})
    assert refs["a"].bundle == refs["b"].bundle
    assert loaded["a"][0] is loaded["b"][0]
    assert loaded["a"][1] is not loaded["b"][1]


def test_elements_with_equal_values_do_not_share_them(gathered):
    _, loaded = gathered({"a": [1]}, {"a": [1]})
    loaded["a"][0].append(2)
    assert loaded == {"a": [[1, 2], [1]]}


def test_no_elements_make_empty_lists_of_the_names_asked_for(gathered):
    refs, loaded = gathered(names=["a", "b"])
    assert loaded == {"a": [], "b": []}
    assert loaded["a"] is not loaded["b"]
    assert {ref.members for ref in refs.values()} == {("a",), ("b",)}
    assert gathered() == ({}, {})


def test_equal_elements_gather_to_equal_content(shelf):
    first, second = (gather([shelf.keep(a=[1]).refs, shelf.keep(a=[2]).refs], shelf.store) for _ in range(2))
    other = gather([shelf.keep(a=[2]).refs, shelf.keep(a=[1]).refs], shelf.store)
    assert first == second
    assert other["a"].content != first["a"].content


def test_lists_can_be_gathered_again(shelf):
    inner = [gather([shelf.keep(a=(outer, number)).refs for number in range(2)], shelf.store) for outer in "xy"]
    outer = gather(inner, shelf.store)
    assert load(outer.values(), shelf.store, namespace={})["a"] == [[("x", 0), ("x", 1)], [("y", 0), ("y", 1)]]


def test_functions_find_the_namespace_they_are_loaded_into(shelf):
    exec("def scaled(n): return n * factor", shelf.namespace)
    refs = gather([shelf.keep(f=shelf.namespace["scaled"]).refs], shelf.store)
    namespace = {"factor": 10}
    assert load(refs.values(), shelf.store, namespace=namespace)["f"][0](2) == 20


def test_an_element_that_is_gone_or_forged_is_refused(shelf):
    element = shelf.keep(a=[1]).refs
    refs = gather([element, shelf.keep(a=[2]).refs], shelf.store)
    assert is_loadable(shelf.store, refs["a"].bundle)
    shelf.store.put_record(manifest_name(element["a"].bundle), {})
    with pytest.raises(UnsignedBlobError):
        load(refs.values(), shelf.store, namespace={})
    assert not is_loadable(shelf.store, refs["a"].bundle)
    shelf.keep(a=[1])
    shelf.store.blob_path(element["a"].bundle).unlink()
    with pytest.raises(CorruptBlobError):
        load(refs.values(), shelf.store, namespace={})
    assert not is_loadable(shelf.store, refs["a"].bundle)
