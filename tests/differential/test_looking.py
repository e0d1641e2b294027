"""What a sample tells of a variable: the same of equal ones, something else of others, and never only the type."""

import pickle

import numpy as np
import pandas as pd
import pytest
from differential.looking import told

PAIRS = [
    (1, 2),
    (1, True),
    ("a", "b"),
    ([1, 2], [1, 3]),
    ({"a": [1]}, {"a": [2]}),
    ({1, 2}, {1, 3}),
    (np.arange(3), np.arange(1, 4)),
    (np.arange(5000.0), np.arange(5000.0) + 1),
    (np.arange(3), np.arange(3.0)),
    (pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [1, 3]})),
    (pd.DataFrame({"a": ["x"] * 9000}), pd.DataFrame({"a": ["y"] * 9000})),
    (pd.Series([1, 2], name="a"), pd.Series([1, 2], name="b")),
    (pd.Index(["a", "b"]), pd.Index(["a", "c"])),
    (pd.Index([1, 2]), pd.Index([1.0, 2.0])),
    (pd.Index([1, 2], name="a"), pd.Index([1, 2], name="b")),
    (pd.RangeIndex(3), pd.RangeIndex(1, 4)),
    (lambda value: value + 1, lambda value: value + 2),
]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[f"{type(one).__name__}-{n}" for n, (one, _) in enumerate(PAIRS)])
def test_others_are_told_apart_and_equals_are_not(one, other):
    assert "without a digest" not in told(one)
    assert told(one) == told(one)
    assert told(one) != told(other)


def test_a_copy_is_told_as_the_same():
    frame = pd.DataFrame({"a": np.arange(3000), "b": ["x", "y", "z"] * 1000})
    assert told(frame) == told(frame.copy())
    assert told({"a": [1, (2, 3)]}) == told({"a": [1, (2, 3)]})


def test_labels_in_one_object_are_told_as_labels_in_two():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    one, other = frame.mean(), frame.std()
    assert told((one, other)) == told((one, pickle.loads(pickle.dumps(other))))


def test_what_has_no_digest_says_so():
    assert told(one for one in ()) == "builtins.generator without a digest: CannotStoreError"
