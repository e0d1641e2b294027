"""Where runs are recorded: a tracking server or a file, and in it the notebook's experiment."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from stagebook.track.tables import tables_at

if TYPE_CHECKING:
    from mlflow import MlflowClient

DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
"""So that a server that is down costs seconds, not minutes, nothing is reported to third parties, no bar is drawn."""
_QUIET = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"


def tracking_uri(home: Path) -> str:
    """Where runs are recorded: `MLFLOW_TRACKING_URI` if it is set, else a sqlite file in the folder `home`."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home.absolute() / 'mlflow.db'}"


def is_recorded(home: Path) -> bool:
    """Whether anything can have been recorded: a server is named, or the file in the folder `home` is there."""
    scheme, _, path = tracking_uri(home).partition(":///")
    return scheme != "sqlite" or Path(path).exists()


def client_for(home: Path) -> MlflowClient:
    """A client for where runs are recorded.

    Args:
        home: the folder beside the notebook in which runs are recorded.
    """
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault(_QUIET, "true")  # it prints two lines for each run
    for noisy in ("alembic", "mlflow", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    from mlflow import MlflowClient

    uri = tracking_uri(home)
    with tables_at(uri):
        registry = os.environ.get("MLFLOW_REGISTRY_URI") or uri  # else it goes by what the process was told last
        return MlflowClient(tracking_uri=uri, registry_uri=registry)


def experiment_for(client: MlflowClient, notebook: Path, home: Path, variables: Mapping[str, str] = os.environ) -> str:
    """The id of the experiment for this notebook, made if need be.

    Args:
        client: for where runs are recorded.
        notebook: the source notebook.
        home: the folder beside it in which runs are recorded.
        variables: those that may name the experiment.
    """
    given = variables.get("MLFLOW_EXPERIMENT_ID")
    if given:
        return given
    name = variables.get("MLFLOW_EXPERIMENT_NAME") or notebook.stem
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    kind = {"mlflow.experimentKind": "custom_model_development"}  # else its UI takes traces for those of an agent
    return str(client.create_experiment(name, artifact_location=artifacts_at(home), tags=kind))


def artifacts_at(home: Path) -> str | None:
    """Where a new experiment is to keep its files: beside its record; None where a server that is named decides.

    Args:
        home: the folder beside the notebook in which runs are recorded.
    """
    return None if os.environ.get("MLFLOW_TRACKING_URI") else (home.absolute() / "mlartifacts").as_uri()


@contextmanager
def recording_at(uri: str) -> Iterator[None]:
    """MLflow keeps for the whole process where it records, and in its environment: until this ends, it is there.

    Traces and `models:/` go by that, whatever client is used.
    """
    import mlflow

    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)  # type: ignore[arg-type] # None: wherever it is by default


def cause_of(error: BaseException) -> str:
    """An error in one line."""
    if any(type(one).__name__ in _AWAY for one in _chain(error)):
        return "nothing answers there"
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


_AWAY = frozenset({"ConnectionError", "ConnectTimeout", "NewConnectionError", "ConnectionRefusedError"})


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, and those that it came from."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
