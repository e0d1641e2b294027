"""From what is known of the cells to what each of them would be: roles, then stages, then their names and reasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

from stagebook.book.cells import MAGIC
from stagebook.book.cuts import seams_of, slow_cells, starts_of
from stagebook.book.graph import AMBIENT
from stagebook.book.hidden import is_hidden
from stagebook.book.roles import Verdict, listed, verdicts_of
from stagebook.book.sketch import Sketch
from stagebook.book.suggested import SuggestedCell
from stagebook.book.titles import said, stage_names
from stagebook.book.uses import kept_cells

_LONGEST_HEADING = 40


def suggested_cells(
    sketches: Sequence[Sketch], forced: Mapping[int, Verdict], sizes: Mapping[str, int]
) -> tuple[SuggestedCell, ...]:
    """What each cell would be.

    Args:
        sketches: the cells, in notebook order.
        forced: verdicts that stand already, by position.
        sizes: bytes of the values of names, as far as they are known.
    """
    roles: dict[str, set[int]] = {"stage": set(), "exploration": set()}
    for position, verdict in forced.items():
        roles[verdict.role].add(position)
    kept = kept_cells(sketches, forced=roles["stage"], left_out=roles["exploration"])
    verdicts = verdicts_of(sketches, kept, forced)
    stages = _staged(sketches, verdicts, sizes)
    cells = [
        suggested_cell(sketch, verdict, *stages.get(position, (sketch.cell.stage, verdict.why)))
        for position, (sketch, verdict) in enumerate(zip(sketches, verdicts, strict=True))
    ]
    metrics, tests = _metrics(sketches, cells), _tests(sketches, cells)
    return tuple(
        replace(tests.get(position, cell), metrics=metrics.get(position, ())) for position, cell in enumerate(cells)
    )


def _tests(sketches: Sequence[Sketch], cells: Sequence[SuggestedCell]) -> dict[int, SuggestedCell]:
    """By position, the cells that only check what a stage above takes and makes, as its tests."""
    found: dict[int, SuggestedCell] = {}
    provided = AMBIENT.union(
        *(sketch.makes for sketch, cell in zip(sketches, cells, strict=True) if cell.role in ("setup", "parameters"))
    )
    seen: dict[str, set[str]] = {}  # by stage, the last one first
    for position, (sketch, cell) in enumerate(zip(sketches, cells, strict=True)):
        if cell.role == "stage" and cell.stage is not None:
            names = seen.pop(cell.stage, set()) | sketch.makes | sketch.wanted
            seen = {cell.stage: names, **seen}
        elif cell.role == "exploration" and sketch.doings.only("check"):
            asked = sketch.wanted - provided
            of = next((stage for stage, names in seen.items() if asked and asked <= names), None)
            if of is not None:
                found[position] = replace(cell, role="test", stage=of, why="checks")
    return found


def _metrics(sketches: Sequence[Sketch], cells: Sequence[SuggestedCell]) -> dict[int, tuple[str, ...]]:
    """By position, the scores that a cell binds: of each stage that has no cell yet, the cell that binds most."""
    found: dict[str, int] = {}
    begun = {cell.stage for cell in cells if cell.has_it}
    for position, (sketch, cell) in enumerate(zip(sketches, cells, strict=True)):
        if cell.role == "stage" and cell.stage is not None and cell.stage not in begun and sketch.scores:
            best = found.setdefault(cell.stage, position)
            if len(sketch.scores) > len(sketches[best].scores):
                found[cell.stage] = position
    return {position: sketches[position].scores for position in found.values()}


def suggested_cell(sketch: Sketch, verdict: Verdict, stage: str | None, why: str) -> SuggestedCell:
    """The cell with this verdict."""
    cell = sketch.cell
    return SuggestedCell(
        cell.number, cell.index, verdict.role, stage, why, first_line(cell.source), has_it=sketch.has_role
    )


def first_line(source: str) -> str:
    """The first line of a cell that is neither empty nor a comment; where all are, the first that is not empty."""
    lines = [line.strip() for line in MAGIC.sub("", source, count=1).splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("#")), lines[0] if lines else "")


def _staged(
    sketches: Sequence[Sketch], verdicts: Sequence[Verdict], sizes: Mapping[str, int]
) -> dict[int, tuple[str, str]]:
    """For the position of each stage cell, its stage and why."""
    positions = [position for position, verdict in enumerate(verdicts) if verdict.role == "stage"]
    if not positions:
        return {}
    cells = [sketches[position] for position in positions]
    seams = seams_of(cells)
    pinned = [cell.cell.stage for cell in cells]
    starts = starts_of(cells, seams, sizes=sizes, pinned=pinned)
    spans = list(pairwise([*starts, len(cells)]))
    given = [next((stage for stage in pinned[start:end] if stage is not None), None) for start, end in spans]
    needed = [frozenset[str]().union(*(cell.wanted for cell in cells[end:])) for _, end in spans]
    names = stage_names([cells[start:end] for start, end in spans], given, needed)
    slow = slow_cells(cells)
    found = {}
    for (start, end), name, had in zip(spans, names, given, strict=True):
        for at in range(start, end):
            begins = at == start and had is None
            reasons = _reasons(cells[at], cells[at - 1] if at else None, begins=begins, slow=slow[at])
            why = "has it already" if cells[at].has_role else "; ".join(reasons)
            found[positions[at]] = (name, why)
    return found


def _reasons(cell: Sketch, above: Sketch | None, *, begins: bool, slow: bool) -> Iterator[str]:
    """Why a cell is of a stage, and of this one: its heading, what it does, what it makes."""
    new = [heading.text for heading in cell.path if above is None or heading.index > above.cell.index]
    if begins and new:
        text = new[-1]
        yield f'"{text[: _LONGEST_HEADING - 1]}…"' if len(text) > _LONGEST_HEADING else f'"{text}"'
    if slow:
        yield f"took {cell.seconds:.0f} s"
    yield from (said(verb) for verb in cell.doings.verbs[:1])
    made = [name for name in cell.names.binds if name in cell.makes and not is_hidden(name)]
    changed = [name for name in cell.names.changes if not is_hidden(name) and name not in made]
    if made:
        yield f"makes {listed(made)}"
    elif changed:
        yield f"changes {listed(changed)}"
