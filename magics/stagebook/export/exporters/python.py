"""A plain Python module: each stage a function, `main` calls them in order, a command line sets the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stagebook.book.notebook import Document
from stagebook.export.exporter import ExportOption
from stagebook.export.functions import functions_of
from stagebook.export.module import module_text
from stagebook.export.titles import module_name
from stagebook.model import Pipeline


class PythonExporter:
    """See the module."""

    title = "Python module"
    says = "One file that needs neither Jupyter nor Stagebook: a function for each stage, and a command line."
    options = (
        ExportOption(
            "displays",
            "choice",
            "drop",
            help="What becomes of what cells show at their end: left out, or printed.",
            choices=("drop", "print"),
        ),
    )

    def files(self, pipeline: Pipeline, document: Document, options: Mapping[str, Any]) -> Mapping[str, bytes]:
        """The module; see `Exporter`."""
        functions = functions_of(pipeline, document, displays=options["displays"])
        name = f"{module_name(pipeline.notebook.stem)}.py"
        return {name: module_text(functions, pipeline, file=name).encode("utf-8")}


exporter = PythonExporter()
