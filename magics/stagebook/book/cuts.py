"""Where a row of cells is best cut into stages: at headings, where the work turns, around slow cells, at few names."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from stagebook.book.headings import BOLD
from stagebook.book.hidden import is_hidden
from stagebook.book.sketch import Sketch

_STAGE = 1.4
"""What each stage costs."""
_NAMES = 0.5
"""What one name costs that a stage takes from others; three cost twice that, seven thrice."""
_MEANS = 0.25
"""What a module, a function or a literal counts for beside a name."""
_CHANGED = 0.5
"""What it costs, beyond that and likewise, that a stage changes in place what it takes."""
_BYTES = 0.5
"""What it costs to take ten megabytes; a hundred cost about twice that."""
_HEADINGS = (3.5, 2.0, 1.0, 0.5)
"""What a heading saves where a stage begins, those of the notebook's main sections first."""
_OF_BOLD = 2
"""The rank of what is no heading but a line in bold, at most."""
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
_TURNS = {(0, 1): 1.5, (0, 2): 2.0, (1, 2): 2.0, (2, 3): 0.75, (3, 2): 1.5}
_TURN = 1.0
"""What it saves that another kind of work begins: preparing after loading, training after preparing, and so on."""
_BARE = 1.5
"""How much more a turn counts in a notebook without headings."""
_BESIDE = 2.75
"""What it saves that a second training begins, which the first has nothing to do with: they can run side by side."""
_QUICK = 1.0
"""Seconds below which there is nothing to win by that."""
_AFTER_SLOW, _BEFORE_SLOW = 2.0, 0.75
"""What it saves that a slow cell ends a stage, or begins one."""
_CROWD = 1.5
"""What it costs that a stage has one more slow cell."""
_LONG, _MANY_CELLS = 0.15, 8
"""What each cell of a stage costs beyond so many."""
_SHORT, _FEW_LINES = 0.5, 2
"""What it costs that a stage has no more than so many lines."""
_SLOW = 5.0
"""Seconds from which a cell is slow, if that is a twentieth of all, too."""


@dataclass(frozen=True, slots=True)
class Seam:
    """The place between two cells.

    Attributes:
        rank: of the highest heading there, 0 for the notebook's main sections; None where there is none.
        turn: what it saves that another kind of work begins there.
        beside: whether a training begins there that does not depend on the one above.
    """

    rank: int | None = None
    turn: float = 0.0
    beside: bool = False

    @property
    def saving(self) -> float:
        """What it saves that a stage begins there."""
        heading = 0.0 if self.rank is None else _HEADINGS[min(self.rank, len(_HEADINGS) - 1)]
        return heading + self.turn + _BESIDE * self.beside


def seams_of(cells: Sequence[Sketch]) -> list[Seam]:
    """For each of these cells, which are those of the stages in notebook order, the seam above it."""
    ranks = _ranks(cells)
    turns = _turns(cells, ranks)
    scale = 1.0 if any(rank is not None for rank in ranks) else _BARE
    beside = [False, *(_is_beside(above, below) for above, below in pairwise(cells))]
    return [Seam(ranks[at], scale * turns[at], beside[at]) for at in range(len(cells))]


def _ranks(cells: Sequence[Sketch]) -> list[int | None]:
    """For each seam the rank of its highest heading."""
    common = frozenset.intersection(*(frozenset(cell.path) for cell in cells))
    levels = sorted({heading.level for cell in cells for heading in cell.path if heading not in common})
    ranks: list[int | None] = [None]
    for above, below in pairwise(cells):
        new = [heading.level for heading in below.path if heading.index > above.cell.index]
        lowest = _OF_BOLD if new and min(new) == BOLD else 0
        ranks.append(max(levels.index(min(new)), lowest) if new else None)
    return ranks


def _turns(cells: Sequence[Sketch], ranks: Sequence[int | None]) -> list[float]:
    """For each seam what it saves that another kind of work begins there.

    What leads up to that work, and tells of no kind itself, belongs to it from its heading on.
    """
    turns = [0.0] * len(cells)
    before: tuple[int, int] | None = None
    for position, cell in enumerate(cells):
        phase = next((_PHASES[verb] for verb in cell.doings.verbs if verb in _PHASES), None)
        if phase is None:
            continue
        if before is not None and phase != before[1]:
            between = range(before[0] + 1, position + 1)
            at = min(between, key=lambda seam: (len(_HEADINGS) if ranks[seam] is None else ranks[seam], -seam))
            turns[at] = _TURNS.get((before[1], phase), _TURN)
        before = position, phase
    return turns


def _is_beside(above: Sketch, below: Sketch) -> bool:
    both = all("train" in cell.doings.verbs for cell in (above, below))
    quick = any(cell.seconds is not None and cell.seconds < _QUICK for cell in (above, below))
    return both and not quick and not (above.makes - above.means) & below.wanted


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
        seams: above each of them.
        sizes: bytes of the values of names, as far as they are known.
        pinned: for each cell, the stage that it belongs to already.
    """
    slow = slow_cells(cells)
    savings = [seam.saving for seam in seams]
    for at in range(1, len(cells)):
        savings[at] += _AFTER_SLOW * slow[at - 1] + _BEFORE_SLOW * slow[at]
    _tie_pinned(savings, pinned)
    costs = _costs(cells, slow, sizes, pinned)
    at_most = 6 + math.isqrt(len(cells))
    price = _STAGE
    starts = _cheapest(costs, savings, price)
    while len(starts) > at_most and price < 20 * _STAGE:
        price *= 1.15
        starts = _cheapest(costs, savings, price)
    return starts


def _tie_pinned(savings: list[float], pinned: Sequence[str | None]) -> None:
    """No cut between cells that belong to one stage already, with no other's between them."""
    last: tuple[int, str] | None = None
    for position, stage in enumerate(pinned):
        if stage is None:
            continue
        if last is not None and last[1] == stage:
            savings[last[0] + 1 : position + 1] = [-math.inf] * (position - last[0])
        last = position, stage


def _costs(
    cells: Sequence[Sketch], slow: Sequence[bool], sizes: Mapping[str, int], pinned: Sequence[str | None]
) -> list[list[float]]:
    """For each cell, what the stages cost that end with it: of it alone, of it and the one above, and so on."""
    means = frozenset().union(*(cell.means for cell in cells))
    made: set[str] = set()
    taken = []
    for cell in cells:
        taken.append(frozenset(name for name in cell.wanted & made if not is_hidden(name)))
        made |= cell.makes
    costs: list[list[float]] = []
    for end in range(len(cells)):
        inputs: set[str] = set()
        changed: set[str] = set()
        stages: set[str] = set()
        lines = crowd = 0
        row: list[float] = []
        for start in range(end, -1, -1):
            cell = cells[start]
            stages |= {pinned[start] or ""} - {""}
            if len(stages) > 1:
                break
            inputs = (inputs - cell.makes) | taken[start]
            changed = (changed - cell.replaced) | (taken[start] & cell.names.changes.keys())
            lines += cell.lines
            crowd += slow[start]
            own = _LONG * max(0, len(row) + 1 - _MANY_CELLS) + _CROWD * max(0, crowd - 1)
            own += _SHORT * (lines <= _FEW_LINES)
            row.append(own + _taking(inputs, sizes, means) + _CHANGED * math.log2(1 + len(changed & inputs)))
        costs.append(row)
    return costs


def _taking(names: Collection[str], sizes: Mapping[str, int], means: Collection[str]) -> float:
    """What it costs to take these names from other stages."""
    count = sum(_MEANS if name in means else 1.0 for name in names)
    size = sum(sizes.get(name, 0) for name in names) if sizes else 0
    return _NAMES * math.log2(1 + count) + _BYTES * math.log10(1 + size / 10**6)


def _cheapest(costs: Sequence[Sequence[float]], savings: Sequence[float], price: float) -> list[int]:
    """Dynamic programming: the best way to cut the first cells, one cell more at a time."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end, row in enumerate(costs, start=1):
        found = (math.inf, end - 1)
        for back, own in enumerate(row):
            start = end - 1 - back
            total = best[start][0] + own + price - (savings[start] if start else 0.0)
            if total < found[0]:
                found = (total, start)
        best.append(found)
    starts, end = [], len(costs)
    while end > 0:
        end = best[end][1]
        starts.append(end)
    return starts[::-1]
