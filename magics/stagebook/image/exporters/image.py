"""A container image's build context: the pipeline, or the model that it made, with a lock of what that takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stagebook.book.notebook import Document
from stagebook.export.exporter import ExportOption
from stagebook.image.materials import TARGETS
from stagebook.model import Pipeline


class ImageExporter:
    """See the module."""

    title = "Container image"
    says = "A build context to train, serve, score or monitor: Dockerfile, lock with hashes, and what goes into it."
    options = (
        ExportOption("target", "choice", "serve", help="What the image does.", choices=TARGETS),
        ExportOption("model", help="The version: models:/NAME@ALIAS [the champion of what the notebook registers]."),
        ExportOption("base", help="The image to stand on, best by digest [Python's own, slim]."),
        ExportOption("python", help="The base's Python, as 3.12 [as the base's name, the model or this one says]."),
        ExportOption("log", "switch", default=True, help="Whether the service logs requests, which takes pyarrow."),
    )

    def files(self, pipeline: Pipeline, document: Document, options: Mapping[str, Any]) -> Mapping[str, bytes]:
        """The context; see `Exporter`."""
        from stagebook.image.context import context
        from stagebook.image.gathering import gather

        return context(gather(pipeline, document, **options))


exporter = ImageExporter()
