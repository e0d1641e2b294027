"""Which cells a pipeline would keep: those that make what others need, and those whose outcome is the point."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from stagebook.book.check import is_scaffold
from stagebook.book.sketch import Sketch
from stagebook.book.verbs import Verb

_OUTCOMES: frozenset[Verb] = frozenset({"train", "evaluate", "save"})
_SOURCES: frozenset[Verb] = frozenset({"load", "split", "predict"})
_SCORES = re.compile(r"(.*_)?(acc|accuracy|scores?|auc|rmsle|r?mse|mae|r2|f1|precision|recall|metrics?|results?)(_.*)?")
"""Names that stand for how good something is."""
_JUDGING = re.compile(r"\b(evaluat|scor(e|ing)\b|metrics?\b|accura|performance|error analysis)", re.IGNORECASE)


def kept_cells(
    sketches: Sequence[Sketch], *, forced: Collection[int] = (), left_out: Collection[int] = ()
) -> frozenset[int]:
    """The positions of the cells that are more than a look at things.

    Those are kept that train, score, or write files; those that load, split or predict, where they keep what comes of
    it; and all that these need. In a notebook that does none of the first, its looks are what it is about, and what
    they need is kept, too.

    Args:
        sketches: the cells, in notebook order.
        forced: positions that are kept whatever they do.
        left_out: positions that are not kept whatever they do.
    """
    judged = _judged(sketches)
    must = {
        position
        for position, sketch in enumerate(sketches)
        if position in forced or sketch.has_role or position in judged or _is_the_point(sketch)
    }
    must.difference_update(left_out)
    reports = not any(_OUTCOMES & {*sketch.doings.verbs} for sketch in sketches)
    while True:
        kept = _needed(sketches, must, left_out, reports=reports)
        more = _preparing(sketches, kept) - kept - {*left_out}
        if not more:
            return kept
        must |= more


def _is_the_point(sketch: Sketch) -> bool:
    verbs = {*sketch.doings.verbs}
    if sketch.doings.lays_out:
        return sketch.doings.has("import", "definition", "style", "option")
    if sketch.doings.only("check"):
        return False
    fetches = bool(verbs & _SOURCES) and (bool(sketch.names.binds) or not sketch.names.reads)
    return bool(verbs & _OUTCOMES) or sketch.doings.saves_picture or fetches or bool(sketch.names.star_imports)


def _judged(sketches: Sequence[Sketch]) -> set[int]:
    """Cells that work on scores; under a heading that speaks of scores, those that work on what training gave, too."""
    found = set()
    trained: set[str] = set()
    scores: set[str] = set()
    for position, sketch in enumerate(sketches):
        speaks = bool(sketch.path) and _JUDGING.search(sketch.path[-1].text) is not None
        if (
            sketch.doings.calls
            and not sketch.doings.only("check")
            and ((speaks and sketch.wanted & trained) or sketch.wanted & scores)
        ):
            found.add(position)
        verbs = {*sketch.doings.verbs}
        if verbs & {"train", "predict", "evaluate"}:
            trained |= sketch.makes - sketch.means
        if verbs & {"evaluate"}:
            scores |= {name for name in sketch.makes if _SCORES.fullmatch(name)}
    return found


def _needed(
    sketches: Sequence[Sketch], must: Collection[int], left_out: Collection[int], *, reports: bool
) -> frozenset[int]:
    """Those cells and all that they need, from the notebook's end to its beginning."""
    kept = set()
    live: set[str] = set()
    looked_at: set[str] = set()
    for position in range(len(sketches) - 1, -1, -1):
        sketch = sketches[position]
        if position in left_out:
            continue
        touched = sketch.names.touches.keys() & sketch.doings.opaque
        needs = live | looked_at if reports else live
        if position in must or (sketch.makes | touched) & needs or _ends_in_itself(sketch, looked_at):
            kept.add(position)
            live = (live - sketch.replaced) | sketch.wanted
            looked_at -= sketch.replaced
        else:
            looked_at = (looked_at - sketch.replaced) | sketch.wanted
    return frozenset(kept)


def _ends_in_itself(sketch: Sketch, looked_at: Collection[str]) -> bool:
    """Whether it makes something, shows nothing, and nobody looks at it later: a result, as it seems."""
    doings = sketch.doings
    results = {name for name in sketch.makes - sketch.means if not is_scaffold(name)}
    return bool(results) and not doings.looks and not doings.lays_out and results.isdisjoint(looked_at)


def _preparing(sketches: Sequence[Sketch], kept: Collection[int]) -> set[int]:
    """Cells that prepare further what a kept cell has made, though in the end nobody but a look needs it."""
    found = set()
    made_by: dict[str, int] = {}
    for position, sketch in enumerate(sketches):
        prepared = (sketch.makes & sketch.wanted) - sketch.means
        if position not in kept and any(made_by.get(name) in kept for name in prepared):
            found.add(position)
        for name in sketch.makes:
            made_by[name] = position
    return found
