"""Bounds and choices of parameters, read from comments and annotations."""

from __future__ import annotations

import pytest
from tests.notebooks_factory import pipeline

from stagebook.book.bounds import Bounds, bounds_of
from stagebook.book.parameters import checked


@pytest.mark.parametrize(
    ("line", "bounds"),
    [
        ("depth: int = 6  # 1..20", Bounds(1, 20)),
        ("depth = 6  # of the trees, 1 .. 20.", Bounds(1, 20)),
        ("rate = 0.1  # .001..1e-0", Bounds(0.001, 1.0)),
        ("share = 0.3  # part held back, between 0 and 1", Bounds(0, 1)),
        ("low = -3  # from -5 to +5", Bounds(-5, 5)),
        ("criterion = 'gini'  # one of: gini, entropy", Bounds(choices=("gini", "entropy"))),
        ("size = '1'  # one of `1`, '2' or 3", Bounds(choices=("1", "2", "3"))),
        ("size = 1  # one of: 1, 2", Bounds(choices=(1, 2))),
        ("criterion: Literal['gini', 'entropy'] = 'gini'", Bounds(choices=("gini", "entropy"))),
        ("criterion: 'Literal[1, 2] | None' = None", Bounds(choices=(1, 2))),
        ("criterion: typing.Optional[Literal[1, 2]] = None", Bounds(choices=(1, 2))),
        ("depth: Annotated[int, range(1, 21)] = 6", Bounds(1, 20)),
        ("depth: Annotated[int, range(2, 21, 2)] = 6", Bounds(2, 20)),
        ("share: Annotated[float, Gt(0), at.Le(1)] = 0.3", Bounds(0, 1, low_open=True)),
        ("share: Annotated[float, Interval(ge=0, lt=1)] = 0.3", Bounds(0, 1, high_open=True)),
        ("share: Annotated[float | None, Field(ge=0.5)] = None", Bounds(low=0.5)),
        ("share: Annotated[float, Ge(0)] = 0.3  # 5..6", Bounds(low=0)),
        ("rows = (\n    10\n)  # 1..100", Bounds(1, 100)),
    ],
)
def test_bounds_are_read(line, bounds):
    assert list(bounds_of(f"import os\n{line}").values()) == [bounds]


@pytest.mark.parametrize(
    "line",
    [
        "depth = 6  # see pages 10..20",  # its default is none of these
        "depth = 6  # 20..1",
        "depth = 6  # 1..20x",
        "depth = 6  # v1..20",
        "criterion = 'gini'  # one of",
        "criterion = 'gini'  # one of: gini",
        "criterion = 'gini'  # one of: auc, loss",
        "depth: Annotated[int, 'a depth'] = 6",
        "depth: Annotated[int, range(n)] = 6",
        "depth: int | None = 6",
        "depth = # 1..20",
    ],
)
def test_what_is_none_is_no_bound(line):
    assert bounds_of(line) == {}


@pytest.mark.parametrize(
    ("bounds", "value", "wrong"),
    [
        (Bounds(1, 20), 1, ""),
        (Bounds(1, 20), 21, "21 is too much: at least 1 and at most 20."),
        (Bounds(0, 1, low_open=True), 0, "0 is too little: more than 0 and at most 1."),
        (Bounds(high=1, high_open=True), 1.0, "1.0 is too much: less than 1."),
        (Bounds(low=0), float("nan"), "nan is too little: at least 0."),
        (Bounds(1, 20), "text", ""),
        (Bounds(1, 20), True, ""),
        (Bounds(choices=("a", "b")), "b", ""),
        (Bounds(choices=(1, 2)), True, "True is none of 1, 2."),
    ],
)
def test_a_value_out_of_bounds_is_told_in_a_sentence(bounds, value, wrong):
    assert bounds.wrong(value) == wrong


def test_an_annotated_parameter_has_the_kind_that_is_annotated():
    cells = [
        ("parameters", "from typing import Annotated\ndepth: Annotated[int, 'deep'] = 6"),
        ("stage:a", "x = depth"),
    ]
    (depth,) = pipeline(cells).parameters
    assert depth.kind == "int"
    assert checked([depth], {"depth": "8"}, notebook="") == {"depth": 8}
