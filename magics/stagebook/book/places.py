"""Where test cells stand among the stages."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from stagebook.model import Cell


def runs_of(cells: Iterable[Cell]) -> list[list[Cell]]:
    """The stage cells among these in runs of one stage each: the cells of a pipeline's segments, in order."""
    of_stages = (cell for cell in cells if cell.role == "stage")
    return [list(run) for _, run in groupby(of_stages, key=lambda cell: cell.stage)]


def segments_before(test: Cell, cells: Iterable[Cell]) -> int:
    """How many of a pipeline's segments come before a test: those above it, and its stage with all that is above that.

    Args:
        test: the test cell.
        cells: the notebook's code cells, in order.
    """
    cells = list(cells)
    own = [cell.number for cell in cells if cell.role == "stage" and cell.stage == test.stage]
    place = max([test.number, *own])
    return sum(run[0].number <= place for run in runs_of(cells))
