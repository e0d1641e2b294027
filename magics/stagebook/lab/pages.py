"""A run's output notebook as a page."""

from __future__ import annotations

from pathlib import Path

from stagebook.lab.runs import output_document


def page_of(notebook: Path, run: str) -> str:
    """The output notebook as HTML.

    Raises:
        RefusedError: it is not there.
    """
    from nbconvert import HTMLExporter

    path, document = output_document(notebook, run)
    exporter = HTMLExporter()  # type: ignore[no-untyped-call]
    page, _ = exporter.from_notebook_node(document, {"metadata": {"name": f"{path.stem}, run {run}"}})
    return str(page)
