"""Recording without a process of its own, for tests of what is recorded."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from stagebook.track.recorder import record_unrecorded

_FOLDER = Path(tempfile.mkdtemp(prefix="mlflow-"))
"""Made before any test has a folder for temporary files of its own."""


def record_in_this_process(patch: Any) -> None:
    """Have MLflow told in this process, which has imported it once for all tests, in a store that is made once."""

    def record(home: Path, *, wait: bool = False) -> bool:
        store = home / "mlflow.db"
        if not store.exists() and "MLFLOW_TRACKING_URI" not in os.environ:
            shutil.copy(_empty_store(), store)
        record_unrecorded(home)
        return True

    for module in ("recording", "sweep_journal"):
        patch.setattr(f"stagebook.run.{module}.start_recorder", record)


@functools.cache
def _empty_store() -> Path:
    """MLflow takes seconds to make its tables."""
    path = _FOLDER / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path
