"""Which cells of a notebook would be setup, parameters, and stages, and which stay exploration."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from stagebook.book import kale
from stagebook.book.cells import ReadCell, read_cells, tags_of
from stagebook.book.hints import hints_of
from stagebook.book.mending import mended
from stagebook.book.notebook import Document, require_python
from stagebook.book.pipeline import examine
from stagebook.book.roles import Verdict
from stagebook.book.sketch import sketches_of
from stagebook.book.staging import first_line, suggested_cells
from stagebook.book.suggested import SuggestedCell, Suggestion
from stagebook.book.tagging import tagged
from stagebook.errors import NotebookError
from stagebook.model import Finding, Pipeline, frozen_map


def suggest(document: Document, path: Path, *, sizes: Mapping[str, int] | None = None) -> Suggestion:
    """What each cell of a notebook would be; those that have a role keep it.

    Nothing is run: the code, the headings, and what the cells' metadata says of their durations decide. With the tags
    that are suggested, the notebook has no errors that come of them; what errors remain is said.

    Args:
        document: the notebook.
        path: of its file.
        sizes: bytes of the values of names, as far as they are known: stages are cut where few cross.

    Raises:
        NotebookError: it is not in Python, or has no code cells.
    """
    require_python(document, path)
    read, _ = read_cells(document)
    if not read:
        raise NotebookError(f"{path.name} has no code cells, so there is nothing to tag.")
    if kale.is_dialect(tags_of(document["cells"][one.cell.index]) for one in read):
        return _as_it_is(document, path, read)
    sketches, known = sketches_of(document, read)
    forced: dict[int, Verdict] = {}
    while True:
        cells = suggested_cells(sketches, forced, sizes or frozen_map())
        pipeline, errors = examined(document, path, Suggestion(cells))
        more = mended(sketches, [(cell.role, cell.stage) for cell in cells], errors, forced)
        if not more and pipeline is None and not errors:
            return Suggestion(tuple(_without_role(cell) for cell in cells))
        if not more:
            return Suggestion(cells, pipeline, errors, hints_of(sketches, cells, pipeline, known))
        forced |= more


def _without_role(cell: SuggestedCell) -> SuggestedCell:
    """The cell in a notebook that would have no stage: there no tag is of use."""
    return cell if cell.has_it else replace(cell, role="exploration", stage=None, metrics=())


def examined(
    document: Document, path: Path, suggestion: Suggestion, *, only: Collection[int] | None = None
) -> tuple[Pipeline | None, tuple[Finding, ...]]:
    """What the notebook would be with the tags of a suggestion, or with those of some cells, and its errors.

    The pipeline is None where there would be no stage, or the stages would have no order.
    """
    chosen = [cell for cell in suggestion.cells if cell.has_it or only is None or cell.number in only]
    if not any(cell.role == "stage" for cell in chosen):
        return None, ()
    pipeline, findings = examine(tagged(document, suggestion, only=only), path)
    return pipeline, tuple(found for found in findings if found.severity == "error")


def _as_it_is(document: Document, path: Path, read: Sequence[ReadCell]) -> Suggestion:
    """A notebook that is tagged for Kale: it opens as it is, and a tag of ours would hide Kale's."""
    cells = []
    for one in read:
        cell = one.cell
        told = SuggestedCell(cell.number, cell.index, cell.role, cell.stage, "tagged for Kale", first_line(cell.source))
        cells.append(replace(told, has_it=True))
    suggestion = Suggestion(tuple(cells))
    pipeline, errors = examined(document, path, suggestion)
    return replace(suggestion, pipeline=pipeline, remaining=errors)
