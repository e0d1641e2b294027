"""A notebook's code cells as kernels get them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stagebook.book.cells import INJECTED, tags_of, without_magic
from stagebook.book.normal import cell_code
from stagebook.book.notebook import source_of
from stagebook.book.secrets import secret_names
from stagebook.model import Pipeline
from stagebook.run.as_papermill import injected_source
from stagebook.run.job import JobCell
from stagebook.run.lean import imported
from stagebook.run.masking import masked_source
from stagebook.store.digests import digest_of


def job_cells(node: Any, pipeline: Pipeline) -> dict[int, JobCell]:
    """Every code cell as kernels get it, by its index; the digest of its code is made without secrets."""
    numbers = {cell.index: cell.number for cell in pipeline.cells}
    secret = secret_names(pipeline.parameters)
    cells = {}
    for index, cell in enumerate(node["cells"]):
        if cell["cell_type"] == "code":
            source = source_of(cell)
            shown = masked_source(source, secret) if secret and INJECTED in tags_of(cell) else source
            code = digest_of(cell_code(shown).encode())
            cells[index] = JobCell(numbers.get(index, 0), without_magic(source), code)
    return cells


def preamble_cells(node: Any, pipeline: Pipeline, cells: Mapping[int, JobCell]) -> tuple[JobCell, ...]:
    """Parameters, injected parameters and setup, in the notebook's order."""
    indexes = {cell.index for cell in pipeline.preamble}
    indexes |= {index for index in cells if INJECTED in tags_of(node["cells"][index])}
    return tuple(cells[index] for index in sorted(indexes))


def preamble_with(
    values: Mapping[str, Any], node: Any, pipeline: Pipeline, cells: Mapping[int, JobCell]
) -> tuple[JobCell, ...]:
    """The same of a notebook into which Papermill would yet have to inject these parameters."""
    if not values:
        return preamble_cells(node, pipeline, cells)
    tags = {index: tags_of(node["cells"][index]) for index in cells}
    injected = [index for index in sorted(cells) if INJECTED in tags[index]]
    defaults = [index for index in sorted(cells) if "parameters" in tags[index]]
    place = next(iter([*injected, *defaults]), -1)
    own = sorted({cell.index for cell in pipeline.preamble})
    source = _injected_source(values)
    made = JobCell(0, source, digest_of(cell_code(source).encode()))
    before, after = ([cells[index] for index in own if (index <= place) is above] for above in (True, False))
    return (*before, made, *after)


def _injected_source(values: Mapping[str, Any]) -> str:
    source = injected_source(values)
    if source is None:
        translate = imported("papermill.translators").translate_parameters
        source = str(translate("python3", "python", dict(values)))
    return source
