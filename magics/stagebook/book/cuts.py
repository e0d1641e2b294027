"""Where a row of cells is best cut into stages: few names crossing, at headings, slow cells apart."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from stagebook.book.headings import BOLD
from stagebook.book.hidden import is_hidden
from stagebook.book.sketch import Sketch

_STAGE = 1.5
"""What each stage costs."""
_NAME = 0.5
"""What it costs that a name crosses; a module, a function or a literal costs a quarter of it."""
_CHANGED = 0.5
"""What it costs, beyond that, that what crosses is changed in place below."""
_HEADINGS = (3.0, 2.0, 1.0, 0.5)
"""What a heading there saves, those of the notebook's main sections first."""
_OF_BOLD = 2
"""The rank of what is no heading but a line in bold, at most."""
_TURN = 1.5
"""What it saves that another kind of work begins: loading, preparing, training, judging, writing."""
_AFTER_SLOW, _BEFORE_SLOW = 1.5, 0.75
"""What it saves that a slow cell ends a stage, or begins one."""
_CROWD = 1.5
"""What it costs that a stage has one more slow cell."""
_LONG, _MANY_CELLS = 0.15, 8
"""What each cell of a stage costs beyond so many."""
_SHORT, _FEW_LINES = 1.0, 2
"""What it costs that a stage has no more than so many lines."""
_SLOW = 5.0
"""Seconds from which a cell is slow, if that is a twentieth of all, too."""
_PHASES = {
    "load": 0,
    "clean": 1,
    "prepare": 1,
    "split": 1,
    "build": 2,
    "train": 2,
    "predict": 3,
    "evaluate": 3,
    "save": 4,
}


@dataclass(frozen=True, slots=True)
class Seam:
    """The place between two cells.

    Attributes:
        crossing: the names that are made above and read below.
        changed: those of them that are changed in place below.
        rank: of the highest heading there, 0 for the notebook's main sections; None where there is none.
        turns: whether another kind of work begins.
    """

    crossing: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    rank: int | None = None
    turns: bool = False


def seams_of(cells: Sequence[Sketch]) -> list[Seam]:
    """For each of these cells, which are those of the stages in notebook order, the seam above it."""
    crossing: list[set[str]] = [set() for _ in cells]
    changed: list[set[str]] = [set() for _ in cells]
    maker: dict[str, int] = {}
    reaches: dict[tuple[str, int], int] = {}
    for position, cell in enumerate(cells):
        for name in cell.wanted:
            if name in maker and not is_hidden(name):
                reaches[name, maker[name]] = position
                if name in cell.names.changes:
                    for seam in range(maker[name] + 1, position + 1):
                        changed[seam].add(name)
        maker.update(dict.fromkeys(cell.makes, position))
    for (name, made), read in reaches.items():
        for seam in range(made + 1, read + 1):
            crossing[seam].add(name)
    ranks, turns = _ranks(cells), _turns(cells)
    return [
        Seam(frozenset(crossing[at]), frozenset(changed[at]), ranks[at], turns[at]) if at else Seam()
        for at in range(len(cells))
    ]


def _ranks(cells: Sequence[Sketch]) -> list[int | None]:
    """For each seam the rank of its highest heading; what stands above all cells is the notebook's title."""
    title = frozenset.intersection(*(frozenset(cell.path) for cell in cells)) if cells else frozenset()
    levels = sorted({heading.level for cell in cells for heading in cell.path if heading not in title})
    ranks: list[int | None] = [None]
    for above, below in pairwise(cells):
        new = [heading.level for heading in below.path if heading.index > above.cell.index]
        lowest = _OF_BOLD if new and min(new) == BOLD else 0
        ranks.append(max(levels.index(min(new)), lowest) if new else None)
    return ranks


def _turns(cells: Sequence[Sketch]) -> list[bool]:
    turns, before = [], None
    for cell in cells:
        phase = next((_PHASES[verb] for verb in cell.doings.verbs if verb in _PHASES), None)
        turns.append(phase is not None and before is not None and phase != before)
        before = before if phase is None else phase
    return turns


def slow_cells(cells: Sequence[Sketch]) -> list[bool]:
    """Which of them are slow; where nothing tells how long they took, none is."""
    total = sum(cell.seconds or 0.0 for cell in cells)
    return [cell.seconds is not None and cell.seconds >= max(_SLOW, total / 20) for cell in cells]


def starts_of(
    cells: Sequence[Sketch], seams: Sequence[Seam], *, sizes: Mapping[str, int], pinned: Sequence[str | None]
) -> list[int]:
    """The positions of the cells that begin a stage, at the least cost.

    Args:
        cells: those of the stages, in notebook order.
        seams: between them.
        sizes: bytes of the values of names, as far as they are known.
        pinned: for each cell, the stage that it belongs to already.
    """
    slow = slow_cells(cells)
    means = frozenset().union(*(cell.means for cell in cells))
    costs = [_cost(seam, sizes, means) for seam in seams]
    for at in range(1, len(cells)):
        costs[at] -= _AFTER_SLOW * slow[at - 1] + _BEFORE_SLOW * slow[at]
    _tie_pinned(costs, pinned)
    at_most = 4 + math.isqrt(len(cells))
    price = _STAGE
    starts = _cheapest(cells, costs, slow, pinned, price)
    while len(starts) > at_most and price < 20 * _STAGE:
        price *= 1.25
        starts = _cheapest(cells, costs, slow, pinned, price)
    return starts


def _cost(seam: Seam, sizes: Mapping[str, int], means: Collection[str]) -> float:
    names = sum(_weight(name, sizes, means) for name in seam.crossing)
    saved = 0.0 if seam.rank is None else _HEADINGS[min(seam.rank, len(_HEADINGS) - 1)]
    return _NAME * names + _CHANGED * len(seam.changed) - saved - _TURN * seam.turns


def _weight(name: str, sizes: Mapping[str, int], means: Collection[str]) -> float:
    """1 for a name of which nothing is known; by its size, from a quarter for 10 kB to 3 for 1 GB and more."""
    if name in sizes:
        return min(3.0, 0.25 + 0.5 * math.log10(1 + sizes[name] / 10_000))
    return 0.25 if name in means else 1.0


def _tie_pinned(costs: list[float], pinned: Sequence[str | None]) -> None:
    """No cut between cells that belong to one stage already, with no other's between them."""
    last: tuple[int, str] | None = None
    for position, stage in enumerate(pinned):
        if stage is None:
            continue
        if last is not None and last[1] == stage:
            costs[last[0] + 1 : position + 1] = [math.inf] * (position - last[0])
        last = position, stage


def _cheapest(
    cells: Sequence[Sketch], costs: Sequence[float], slow: Sequence[bool], pinned: Sequence[str | None], price: float
) -> list[int]:
    """Dynamic programming: the best way to cut the first cells, one cell more at a time."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(cells) + 1):
        found = (math.inf, end - 1)
        lines = crowd = 0
        stages: set[str] = set()
        for start in range(end - 1, -1, -1):
            lines += cells[start].lines
            crowd += slow[start]
            stages |= {pinned[start] or ""} - {""}
            if len(stages) > 1:
                break
            count = end - start
            own = price + _LONG * max(0, count - _MANY_CELLS) + _CROWD * max(0, crowd - 1)
            own += _SHORT * (lines <= _FEW_LINES)
            total = best[start][0] + own + costs[start]
            if total < found[0]:
                found = (total, start)
        best.append(found)
    starts, end = [], len(cells)
    while end > 0:
        end = best[end][1]
        starts.append(end)
    return starts[::-1]
