"""The registry of models of a folder, once all that its runs have to say has been said there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stagebook.errors import StagebookError, UsageError
from stagebook.run.record import Run
from stagebook.run.request import STORE
from stagebook.run.unrecorded import take_notes
from stagebook.track.models import version_of
from stagebook.track.place import client_for, is_recorded
from stagebook.track.promotion import Promotion, promote
from stagebook.track.recorder import record_unrecorded

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PATIENCE = 60
"""Seconds that another process may take which is recording."""


def registry_at(home: Path, tell: Callable[[str], None]) -> MlflowClient:
    """A client for where runs are recorded, once all that is kept in a folder is.

    Args:
        home: the folder beside the notebook in which runs are recorded.
        tell: given what one should know of what was recorded.

    Raises:
        UsageError: no run has been recorded.
        StagebookError: MLflow does not answer.
    """
    left = record_unrecorded(home, patience=_PATIENCE)
    for note in take_notes(home):
        tell(note)
    if left and left[-1].failed:
        raise StagebookError(f"MLflow does not know all runs yet ({left[-1].failed}). Try again when it answers.")
    if not is_recorded(home):
        remedy = f"Name the notebook, its folder's {STORE} with --store, or a server with MLFLOW_TRACKING_URI."
        raise UsageError(f"No run has been recorded in {home}. {remedy}")
    return client_for(home)


def promote_models(run: Run, tell: Callable[[str], None]) -> Iterator[Promotion]:
    """Make the models that a run has registered the champions, one after the other, once it is recorded.

    Args:
        run: one that is done.
        tell: as for `registry_at`.

    Raises:
        UsageError: none of its stages registers a model.
        GateClosedError: a gate does not hold against the champion that there is now.
        StagebookError: MLflow does not answer, or does not know the version.
    """
    making = [stage for stage in run.stages if stage.model]
    if not making:
        raise UsageError(f"No stage of {run.notebook.name} registers a model, as the option `model=` does.")
    client = registry_at(run.home, tell)
    facts = json.loads(run.text())
    for stage in making:
        version = version_of(client, facts, next(one for one in facts["stages"] if one["stage"] == stage.stage))
        if version is None:
            raise StagebookError(f"The model of stage `{stage.stage}` is not registered as `{stage.model['name']}`.")
        yield promote(client, version)
