"""Recording what is kept as still to be recorded: each once, whatever was killed or away meanwhile."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from stagebook.run.unrecorded import Unrecorded, lock_of, unrecorded
from stagebook.track.place import cause_of, client_for, experiment_for, tracking_uri
from stagebook.track.senders import send

_PATIENCE = 600
"""Seconds that a process waits for another one that records: what is left then is its own to do."""

_INCOMPLETE = "stagebook.incomplete"
"""Tag of a run: why it has no trace, or no page."""

Told = Callable[[Unrecorded], None]


def record_unrecorded(home: Path, *, patience: float = 0, told: Told | None = None) -> list[Unrecorded]:
    """Record what is kept in this folder; what fails stays for another time, with the reason.

    Args:
        home: the folder in which runs are recorded.
        patience: seconds to wait for another process that is at it; after that, it is left to that one.
        told: called for each one when it is recorded.

    Returns:
        What is left, those that go on aside.
    """
    if not any(unrecorded(home)):
        return []
    try:
        with FileLock(lock_of(home), timeout=patience):
            for one in unrecorded(home):
                try:
                    _record(one, home)
                except Exception as error:  # MLflow raises what it likes
                    one.note_failure(cause_of(error))
                    if not _answers(home):
                        break
                    continue  # it is something about this one
                if told is not None and one.is_over:
                    told(one)
    except (Timeout, OSError):
        pass
    return [one for one in unrecorded(home) if one.is_over]


def _answers(home: Path) -> bool:
    """Whether MLflow does: if not, others need not be tried."""
    try:
        client_for(home).search_experiments(max_results=1)
    except Exception:  # as above
        return False
    return True


def _record(one: Unrecorded, home: Path) -> None:
    """Record it, with what takes longer if it is over, and forget it if nothing has been added meanwhile."""
    from stagebook.track.extras import send_extras

    client = client_for(home)
    experiment = experiment_for(client, one.notebook, home, one.variables)
    over = one.is_over
    run = send(client, experiment, one)
    if over:
        try:
            if one.kind == "run":
                send_extras(client, experiment, one, run, uri=tracking_uri(home))
        except Exception as error:
            if not _answers(home):
                raise  # else a server has no traces, or nbconvert minds an output: it would be no better later
            client.set_tag(run, _INCOMPLETE, cause_of(error)[:500])
        if json.loads((one.folder / f"{one.kind}.json").read_text(encoding="utf-8")) == one.facts:
            one.forget()


def main() -> None:
    """Record what is kept in the folder that the command line names."""
    os.environ.setdefault("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "false")
    record_unrecorded(Path(sys.argv[1]), patience=_PATIENCE)
