"""Recording what is kept as still to be recorded: each once, whatever was killed or away meanwhile."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from stagebook.run.unrecorded import Unrecorded, leave_note, lock_of, unrecorded
from stagebook.track.models import models_in, pack_model, refuse, register, unpacked
from stagebook.track.place import cause_of, client_for, experiment_for, recording_at, tracking_uri
from stagebook.track.senders import family_of, send

_PATIENCE = 600
"""Seconds that a process waits for another one that records: what is left then is its own to do."""

_INCOMPLETE = "stagebook.incomplete"
"""Tag of a run: why it has no trace, or no page."""

Told = Callable[[Unrecorded], None]


def record_unrecorded(home: Path, *, patience: float = 0, told: Told | None = None) -> list[Unrecorded]:
    """Record what is kept in this folder; what fails stays for another time, with the reason.

    Models are packed between two looks at the folder: that takes some seconds for each, in which others may record.

    Args:
        home: the folder in which runs are recorded.
        patience: seconds to wait for another process that is at it; after that, it is left to that one.
        told: called for each one when it is recorded.

    Returns:
        What is left, those that go on aside.
    """
    waiting = _recorded(home, patience, told)
    for one in waiting:
        _pack(one, home)
    if waiting:
        _recorded(home, max(patience, _PATIENCE), told, only={one.id for one in waiting})
    return [one for one in unrecorded(home) if one.is_over]


def _recorded(
    home: Path, patience: float, told: Told | None, *, only: Container[str] | None = None
) -> list[Unrecorded]:
    """Record what can be, and return the runs whose models are to be packed first."""
    waiting: list[Unrecorded] = []
    if not any(unrecorded(home)):
        return waiting
    try:
        with FileLock(lock_of(home), timeout=patience):
            for one in unrecorded(home):
                if only is not None and one.id not in only:
                    continue
                try:
                    if not _record(one, home, is_sent=only is not None):
                        waiting.append(one)
                        continue
                except Exception as error:  # MLflow raises what it likes
                    one.note_failure(cause_of(error))
                    if not _answers(home):
                        break
                    continue  # it is something about this one
                if told is not None and one.is_over:
                    told(one)
    except (Timeout, OSError):
        pass
    return waiting


def _answers(home: Path) -> bool:
    """Whether MLflow does: if not, others need not be tried."""
    try:
        client_for(home).search_experiments(max_results=1)
    except Exception:  # as above
        return False
    return True


def _record(one: Unrecorded, home: Path, *, is_sent: bool) -> bool:
    """Record it, and forget it if it is over and nothing has been added meanwhile.

    Args:
        one: what to record.
        home: the folder.
        is_sent: whether all but its models has been sent before.

    Returns:
        Whether that is all: else its models are to be packed.
    """
    client = client_for(home)
    experiment = experiment_for(client, one.notebook, home, one.variables)
    over = one.is_over
    if not is_sent:
        run = send(client, experiment, one)
        if over and one.kind == "run":
            _send_extras(client, experiment, one, run, home)
    if not over:
        return True
    if one.kind == "run" and models_in(one):
        if not is_sent and unpacked(client, one):
            return False
        with recording_at(tracking_uri(home)):
            register(client, experiment, one, family_of(client, experiment, one))
    if json.loads((one.folder / f"{one.kind}.json").read_text(encoding="utf-8")) == one.facts:
        one.forget()
    return True


def _send_extras(client: Any, experiment: str, one: Unrecorded, run: str, home: Path) -> None:
    from stagebook.track.extras import send_extras

    try:
        send_extras(client, experiment, one, run, uri=tracking_uri(home))
    except Exception as error:
        if not _answers(home):
            raise  # else a server has no traces, or nbconvert minds an output: it would be no better later
        client.set_tag(run, _INCOMPLETE, cause_of(error)[:500])


def _pack(one: Unrecorded, home: Path) -> None:
    """Pack its models; those that cannot be are told of, and tried again by the next run that has them."""
    with FileLock(one.folder / ".packing.lock"):  # another process may be at it
        for stage in unpacked(client_for(home), one):
            try:
                pack_model(one, stage)
            except Exception as error:  # it is the user's value, and code of the user's that runs
                refuse(one, stage)
                value, name = stage["model"]["value"], stage["model"]["name"]
                leave_note(home, f"`{value}` of run {one.id} is not registered as `{name}`: {cause_of(error)}.")


def main() -> None:
    """Record what is kept in the folder that the command line names."""
    os.environ.setdefault("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")
    record_unrecorded(Path(sys.argv[1]), patience=_PATIENCE)
