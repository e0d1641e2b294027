"""What a stage started from, as MLflow's datasets: files by path and digest, values by stage and content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stagebook.run.opened import CHANGED, FOLDER

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

_DIGEST = 36
"""Letters of a digest that MLflow keeps."""
_NAME = 500


def datasets_of(stage: Mapping[str, Any]) -> list[DatasetInput]:
    """The stage's inputs, each with a digest of its content and where that is from.

    Args:
        stage: as in `run.json`.
    """
    files = [
        _input(path, digest, {"path": path}, kind="local", context="file")
        for path, digest in sorted(files_of(stage).items())
    ]
    values = [
        _input(name, content.partition("#")[0], {"name": name, "content": content}, kind="stagebook", context="value")
        for name, content in sorted(stage["inputs"].items())
        if ":" not in name and content  # hidden state is no data
    ]
    return files + values


def files_of(stage: Mapping[str, Any]) -> dict[str, str]:
    """The files that a stage read, with digests of what was in them."""
    return {
        path: digest
        for path, digest in stage["files"].items()
        if digest not in (None, FOLDER, CHANGED) and not path.endswith("/")
    }


def _input(name: str, digest: str, source: Mapping[str, str], *, kind: str, context: str) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    where = json.dumps({"uri": source["path"]} if kind == "local" else dict(source))
    dataset = Dataset(name[:_NAME], digest[:_DIGEST], kind, where)
    return DatasetInput(dataset, tags=[InputTag("mlflow.data.context", context)])
