"""Outputs that nobody reads: which are reported, and which are means, or looked at elsewhere."""

import pytest
from tests.notebooks_factory import codes

SCAFFOLDING = [
    "import os",
    "from os import path as where",
    "def f():\n    return 1",
    "class C:\n    pass",
    "for i in range(3):\n    last = i",
    "with open('x') as file:\n    pass",
    "fig, (left, right) = (1, (2, 3))",
    "a, b = 1, 2",
    "fig = 1",
    "fig_late = 1",
    "late_fig = 1",
    "ax = axes = axs = ax2 = 1",
    "_unused = 1",
    "x: int",
    "data = {}\ndata['a'] = 1",
    "try:\n    import a\nexcept ImportError as error:\n    a = None",
]


@pytest.mark.parametrize("source", SCAFFOLDING)
def test_scaffolding_is_no_output_that_nobody_reads(source):
    assert codes([("stage:a", source + "\nprint(0)")]) == []


@pytest.mark.parametrize("source", ["y = 1", "y: int = 1", "y = z = 1\nprint(z)", "figures = 1", "taxes = 1"])
def test_plain_assignment_that_nobody_reads_is_reported(source):
    assert codes([("stage:a", source)]) == ["SB302"]


@pytest.mark.parametrize(
    "cells",
    [
        [("stage:a", "y = 1"), ("", "y")],
        [("stage:a", "y = 1"), ("test:a", "assert y")],
        [("stage:a", "y = 1"), ("stage:b", "def f():\n    return y\nf()")],
        [("", "%%stage a metrics=y\ny = 1")],
        [("stage:a", "y = 1"), ("stage:b", "print(f'{y}')")],
        [("stage:a", "y = 1"), ("stage:b", "!echo {y}")],
        [("stage:a", "y = 1\nprint('{y}'.format(**locals()))")],
    ],
)
def test_output_that_somebody_looks_at_is_not_reported(cells):
    assert codes(cells) == []
