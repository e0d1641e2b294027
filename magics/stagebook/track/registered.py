"""Which runs the registered models come from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stagebook.errors import StagebookError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


@dataclass(frozen=True, slots=True)
class Registered:
    """What registered models come from: runs of ours, by their ids, fingerprints of their stages, their bundles."""

    runs: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    bundles: frozenset[str] = frozenset()


def registered_runs(uri: str) -> Registered:
    """What the model versions known to the MLflow at `uri` come from.

    Raises:
        StagebookError: it cannot be asked.
    """
    for noisy in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    try:
        return _registered(MlflowClient(tracking_uri=uri))
    except (MlflowException, OSError) as error:
        cause = str(error).strip().splitlines()[0]
        remedy = "Nothing is removed, since a registered model might need it."
        raise StagebookError(f"MLflow at {uri} does not say which models are registered ({cause}). {remedy}") from error


def _registered(client: MlflowClient) -> Registered:
    runs: set[str] = set()
    keys: set[str] = set()
    bundles: set[str] = set()
    for source in sorted(_source_runs(client)):
        for run in _family(client, source):
            tags = run.data.tags
            runs |= {tags["stagebook.run"]} if "stagebook.run" in tags else set()
            keys |= {tags["stagebook.fingerprint"]} if "stagebook.fingerprint" in tags else set()
            outputs = {value for tag, value in tags.items() if tag.startswith("stagebook.output.")}
            bundles |= {content.partition("#")[0] for content in outputs}
    return Registered(frozenset(runs), frozenset(keys), frozenset(bundles))


def _source_runs(client: MlflowClient) -> set[str]:
    """MLflow's ids of the runs that registered models were made in."""
    found: set[str] = set()
    token = None
    while True:
        page = client.search_model_versions(page_token=token)
        for version in page:
            if version.run_id:
                found.add(version.run_id)
            elif version.model_id:
                found.add(client.get_logged_model(version.model_id).source_run_id or "")
        token = page.token
        if not token:
            return found - {""}


def _family(client: MlflowClient, run_id: str) -> list[Run]:
    """The run, or the one that it is a stage of, with all stages; nothing where it was deleted."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, ErrorCode

    try:
        run = client.get_run(run_id)
        parent = client.get_run(run.data.tags.get("mlflow.parentRunId", run_id))
    except MlflowException as error:
        if error.error_code == ErrorCode.Name(RESOURCE_DOES_NOT_EXIST):
            return []
        raise
    within = f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'"
    stages = client.search_runs([parent.info.experiment_id], filter_string=within, max_results=5000)
    return [parent, *stages]
