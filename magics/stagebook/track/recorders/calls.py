"""MLflow calls of a stage's own code: the stage's run, into which they go, is made before the stage starts."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from stagebook.run.unrecorded import lock_of, unrecorded
from stagebook.track.place import DEFAULTS, client_for, experiment_for, tracking_uri
from stagebook.track.senders import family_of, send

_PATIENCE = 60
"""Seconds to wait for a process that records other runs."""


class Calls:
    """Has a run in MLflow for each stage that asks.

    Args:
        home: the folder beside the notebook in which runs are recorded.
        run: our id of the run, which is kept there as still to be recorded.
    """

    def __init__(self, home: Path, run: str) -> None:
        self._home = home
        self._run = run
        self._client: Any = None
        self._experiment = ""
        self._family: Any = None

    def environment(self, stage: str) -> Mapping[str, str]:
        """Variables with which MLflow calls land in the stage's run; none where it cannot be had."""
        try:
            with FileLock(lock_of(self._home), timeout=_PATIENCE):
                child = self._known().stage(stage, began=int(time.time() * 1000))
        except Exception:  # MLflow raises what it likes; the run is recorded later, and the stage can do without
            return {}
        return {
            "MLFLOW_TRACKING_URI": tracking_uri(self._home),
            "MLFLOW_RUN_ID": child,
            "MLFLOW_EXPERIMENT_ID": self._experiment,
            **{name: os.environ.get(name, value) for name, value in DEFAULTS.items()},
        }

    def _known(self) -> Any:
        if self._family is None:
            kept = list(unrecorded(self._home))
            one = next(one for one in kept if one.id == self._run)
            self._client = client_for(self._home)
            self._experiment = experiment_for(self._client, one.notebook, self._home, one.variables)
            for sweep in kept:
                if one.within is not None and sweep.id == one.within.sweep:
                    send(self._client, self._experiment, sweep)  # it is to be there before its points are
            self._family = family_of(self._client, self._experiment, one)
        return self._family


recorder = Calls
