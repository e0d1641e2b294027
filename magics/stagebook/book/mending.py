"""Other roles for cells whose suggested ones make errors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from stagebook.book.roles import Verdict
from stagebook.book.sketch import Sketch
from stagebook.model import Finding, Role

_TORN = frozenset({"SB204", "SB206"})


def mended(
    sketches: Sequence[Sketch],
    roles: Sequence[tuple[Role, str | None]],
    errors: Sequence[Finding],
    forced: Mapping[int, Verdict],
) -> dict[int, Verdict]:
    """Verdicts that take errors away, by position; none where nothing of what was suggested is to blame.

    A look that a stage depends on becomes part of a stage; setup that depends on a stage does, too; a cell that cannot
    run from top to bottom is left to exploration, and so are those that depend on it. Each cell goes this way once.

    Args:
        sketches: the cells, in notebook order.
        roles: what each would be, and its stage.
        errors: what is wrong then.
        forced: the verdicts that stand already.
    """
    found: dict[int, Verdict] = {}
    for error in errors:
        for position, verdict in _remedies(sketches, roles, error, forced):
            known = found.get(position, forced.get(position))
            if not sketches[position].has_role and (known is None or (known.role, verdict.role) == _LAST_STEP):
                found[position] = verdict
    left_out = {position for position, verdict in found.items() if verdict.role == "exploration"}
    return found | dict(_starved(sketches, roles, left_out))


_LAST_STEP = ("stage", "exploration")


def _remedies(
    sketches: Sequence[Sketch], roles: Sequence[tuple[Role, str | None]], error: Finding, forced: Mapping[int, Verdict]
) -> Iterator[tuple[int, Verdict]]:
    if error.place is None:
        return
    position = error.place.cell - 1
    makers = _unkept_makers(sketches, roles, position) - forced.keys() if error.code == "SB202" else set()
    if makers:
        yield from ((maker, Verdict("stage")) for maker in makers)
    elif error.code in _TORN:
        yield from ((at, Verdict("exploration", error.message)) for at in _inside(sketches, roles, error.stage))
    elif error.code == "SB207" and position not in forced:
        yield position, Verdict("stage")
    else:
        yield position, Verdict("exploration", error.message)


def _unkept_makers(sketches: Sequence[Sketch], roles: Sequence[tuple[Role, str | None]], position: int) -> set[int]:
    """Exploration cells above that make what this cell reads and no other cell provides."""
    above = range(position)
    kept = {name for at in above if roles[at][0] != "exploration" for name in sketches[at].makes}
    missing = sketches[position].wanted - kept
    return {at for at in above if roles[at][0] == "exploration" and sketches[at].makes & missing}


def _inside(sketches: Sequence[Sketch], roles: Sequence[tuple[Role, str | None]], stage: str | None) -> Iterator[int]:
    """The suggested cells that belong to this stage, or stand between its cells."""
    own = [at for at, (_, name) in enumerate(roles) if name == stage]
    for at in range(own[0], own[-1] + 1) if own else ():
        if roles[at][0] == "stage" and not sketches[at].has_role:
            yield at


def _starved(
    sketches: Sequence[Sketch], roles: Sequence[tuple[Role, str | None]], left_out: Collection[int]
) -> Iterator[tuple[int, Verdict]]:
    """Cells that need what only cells that are left out would have made, and so on."""
    there: set[str] = set()
    lost: dict[str, int] = {}
    for position, sketch in enumerate(sketches):
        if roles[position][0] in ("exploration", "test"):
            continue
        needs = sketch.names.reads.keys() - sketch.names.maybe_reads
        missing = next((name for name in sorted(needs) if name in lost), None)
        starves = missing is not None and not sketch.has_role and position not in left_out
        if missing is not None and starves:
            maker = sketches[lost[missing]].cell.number
            yield position, Verdict("exploration", f"reads `{missing}`, which only cell {maker} makes")
        if starves or position in left_out:
            lost |= {name: position for name in sketch.names.binds if name not in there}
        else:
            there |= sketch.names.binds.keys()
            lost = {name: at for name, at in lost.items() if name not in there}
