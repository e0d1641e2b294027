"""A notebook's code cells as kernels get them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stagebook.book.cells import INJECTED, tags_of, without_magic
from stagebook.book.normal import cell_code
from stagebook.book.notebook import source_of
from stagebook.book.secrets import secret_names
from stagebook.model import Pipeline
from stagebook.run.job import JobCell
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
