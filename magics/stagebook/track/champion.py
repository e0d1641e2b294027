"""The metrics of model versions in use, for the gates of a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from stagebook.track.place import cause_of, client_for, is_recorded

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION = "champion"
"""Alias of the version in use."""
EVALUATED = "stagebook.evaluated"
"""Tag of a version: MLflow's id of the last run in which it was evaluated."""


def version_called(client: MlflowClient, model: str, alias: str) -> ModelVersion | None:
    """The version of a registered model that has an alias; None where there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(model, alias)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):  # no such model; no such alias
            return None
        raise


def metrics_of(client: MlflowClient, version: ModelVersion) -> dict[str, float]:
    """The metrics of the run in which a version was last evaluated: its pipeline's."""
    evaluated = version.tags.get(EVALUATED)
    if evaluated is None and version.run_id:
        evaluated = client.get_run(version.run_id).data.tags.get("mlflow.parentRunId", version.run_id)
    return dict(client.get_run(evaluated).data.metrics) if evaluated else {}


def champions(home: Path, models: list[str]) -> Mapping[str, Mapping[str, float] | None]:
    """By registered model, the metrics of the version in use; None where there is none."""
    if not is_recorded(home):
        return dict.fromkeys(models)
    client = client_for(home)
    found = {model: version_called(client, model, CHAMPION) for model in models}
    return {model: metrics_of(client, version) if version else None for model, version in found.items()}


def main() -> None:
    """Print them as JSON: the command line names the folder in which runs are recorded, and the models."""
    _, home, *models = sys.argv[1:]
    try:
        answer: Mapping[str, object] = champions(Path(home), models)
    except Exception as error:  # MLflow raises what it likes
        answer = {"failed": cause_of(error)}
    print(json.dumps(answer))
