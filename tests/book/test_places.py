"""Where test cells stand, and that what they read is kept."""

from __future__ import annotations

import pytest
from tests.notebooks_factory import notebook, pipeline

from stagebook.book.cells import read_cells
from stagebook.book.places import segments_before

PLACES = {
    "below its stage": ([("stage:a", "x = 1"), ("test:a", ""), ("stage:b", "y = x")], 1),
    "below others as well": ([("stage:a", "x = 1"), ("stage:b", "y = x"), ("test:a", "")], 2),
    "above its stage": ([("test:b", ""), ("stage:a", "x = 1"), ("stage:b", "y = x"), ("stage:c", "y")], 2),
    "between the cells of its stage": ([("stage:a", "x = 1"), ("test:a", ""), ("stage:a", "y = x")], 1),
    "above all": ([("stage:b", "y = 1"), ("test:c", ""), ("stage:a", "x = 1"), ("stage:b", "z = y")], 1),
}


@pytest.mark.parametrize(("cells", "expected"), PLACES.values(), ids=PLACES.keys())
def test_segments_before_a_test(cells, expected):
    read = [one.cell for one in read_cells(notebook(cells))[0]]
    (test,) = (cell for cell in read if cell.role == "test")
    assert segments_before(test, read) == expected


def test_what_a_test_reads_is_kept_by_the_stage_that_makes_it_whatever_others_take():
    cells = [
        ("stage:load", "raw, rows, _limit = [1], 1, 2"),
        ("stage:clean", "df = [raw]\nlost = 0"),
        ("test:clean", "assert lost < _limit and rows"),
        ("stage:report", "print(df)"),
    ]
    assert pipeline(cells).outputs == {
        "load": ("_limit", "raw", "rows"),
        "clean": ("df", "lost"),
        "report": (),
    }


def test_what_a_function_reads_that_a_test_calls_is_kept_too():
    cells = [
        ("stage:load", "limit = 2\nraw = [1]"),
        ("stage:clean", "df = [raw]\ndef is_fine(one):\n    return one < limit"),
        ("test:clean", "assert all(is_fine(one) for one in df)"),
    ]
    found = pipeline(cells)
    assert found.outputs["load"] == ("limit", "raw")
    assert found.outputs["clean"] == ("df", "is_fine")
    assert found.tests[3].reads.keys() >= {"limit", "df", "is_fine"}
