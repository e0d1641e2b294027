"""What data was before, for a monitor: what a version was trained on, with what the version says of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from stagebook.drift.requests import PREDICTION
from stagebook.drift.sources import training_data
from stagebook.drift.tables import Frame, Table, drawn_rows
from stagebook.errors import StagebookError
from stagebook.track.lineage import lineage_of, version_named
from stagebook.track.place import cause_of, client_for, recording_at, tracking_uri

if TYPE_CHECKING:
    import pandas as pd
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

ROWS = 50_000
"""Rows of the training data of which the version is asked what it says."""


@dataclass(frozen=True, slots=True)
class Before:
    """A version and its training data.

    Attributes:
        version: the version's number.
        table: the columns that it takes, and `prediction`, or `prediction.0` and on.
        name: what the table is called.
    """

    version: str
    table: Table
    name: str


def before_of(reference: str, home: Path, *, kept: Path, also: Sequence[str] = ()) -> Before:
    """The version that a reference names, with what it was trained on.

    What it says of that is asked once for each version, and kept in a file.

    Args:
        reference: `models:/NAME@ALIAS` or the like.
        home: the folder with the runs' record.
        kept: the folder for that file.
        also: other columns of the training data that are meant, as that of the labels.

    Raises:
        StagebookError: there is no such version, its training data is not to be had, or MLflow does not answer.
    """
    import pandas as pd

    client = client_for(home)
    version = version_named(client, reference)
    file = kept / f"before-{version.version}.parquet"
    if not file.is_file():
        _ask(client, version, home, file, also)
    frame = pd.read_parquet(file)
    name = f"what models:/{version.name}/{version.version} was trained on"
    return Before(str(version.version), Frame(frame), name)


def _ask(client: MlflowClient, version: ModelVersion, home: Path, file: Path, also: Sequence[str]) -> None:
    """Write what a version was trained on, and what it says of that."""
    import pandas as pd

    table = training_data(lineage_of(client, version)).table
    drawn = slice(None) if (rows := drawn_rows(table, ROWS)) is None else rows
    frame = pd.DataFrame({name: table.column(name).iloc[drawn].to_numpy() for name in table.names})
    with _loaded(version, home) as model:
        schema = model.metadata.get_input_schema()
        taken = schema.input_names() if schema is not None and schema.has_input_names() else list(frame.columns)
        said = model.predict(_as_asked(frame[taken]))
    kept = frame[[name for name in frame.columns if name in taken or name in also]].assign(**_columns(said))
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    kept.to_parquet(temporary)
    temporary.replace(file)


@contextmanager
def _loaded(version: ModelVersion, home: Path) -> Iterator[Any]:
    """The version's model, loaded from a copy: MLflow writes beside what it loads, and the store may be read-only.

    Raises:
        StagebookError: it cannot be copied or loaded.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    reference = f"models:/{version.name}/{version.version}"
    with TemporaryDirectory() as folder, recording_at(tracking_uri(home)):
        try:
            model = mlflow.pyfunc.load_model(mlflow.artifacts.download_artifacts(reference, dst_path=folder))
        except ImportError as error:
            told = f"{reference} cannot be loaded here ({cause_of(error)})."
            raise StagebookError(f"{told} Install what its requirements.txt in MLflow names.") from error
        except (MlflowException, OSError) as error:
            told = f"The files of {reference} cannot be read ({cause_of(error)})."
            raise StagebookError(f"{told} They are at {version.source}: is that there, and yours to read?") from error
        yield model


def _as_asked(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows as a service is asked them: points in time are without a zone, in UTC."""
    import pandas as pd

    zoned = [name for name, kind in frame.dtypes.items() if isinstance(kind, pd.DatetimeTZDtype)]
    plain = {str(name): frame[name].dt.tz_convert("UTC").dt.tz_localize(None) for name in zoned}
    asked: pd.DataFrame = frame.assign(**plain)
    return asked


def _columns(said: Any) -> dict[str, Any]:
    """What a model says of rows, as a log of requests has it."""
    import numpy as np

    if hasattr(said, "columns"):
        return {f"{PREDICTION}.{name}": said[name].to_numpy() for name in said.columns}
    values = np.asarray(said)
    if values.ndim == 2:
        return {f"{PREDICTION}.{place}": values[:, place] for place in range(values.shape[1])}
    return {PREDICTION: values}


def is_prediction(name: str) -> bool:
    """Whether a column of a log says what the model said."""
    return name == PREDICTION or name.startswith(f"{PREDICTION}.")


def prediction_in(frame: pd.DataFrame) -> str | None:
    """The column of a log that says what the model said: of several chances, that of the last class."""
    names = [str(name) for name in frame.columns if is_prediction(str(name))]
    return names[-1] if names else None
