"""Having a sweep recorded, with its points: as it stands, now and then, and when it is over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from stagebook.events import Event, PointFinished, SweepStarted
from stagebook.run.record import new_run_id
from stagebook.run.recording import PATIENCE, hand_over
from stagebook.run.sweep import Sweep, is_swept
from stagebook.run.sweep_files import sweep_json
from stagebook.run.unrecorded import is_recording, keep_unrecorded, start_recorder

_FILES = ("sweep.csv", "sweep.svg")


class SweepJournal:
    """A listener that has a sweep recorded.

    Args:
        sweep: the sweep, as it begins.
        home: folder beside the notebook in which runs are recorded.
        wait: wait until it is recorded when it is over.

    Attributes:
        id: what it is known as, other than the next time that the same sweep is run.
    """

    def __init__(self, sweep: Sweep, home: Path, *, wait: bool) -> None:
        self.id = f"sweep-{new_run_id()}"
        self._sweep = sweep
        self._home = home
        self._wait = wait
        self._next = time.monotonic() + PATIENCE

    def __call__(self, event: Event) -> None:
        """Take note of the event, and have the points that are over recorded if it is time for that."""
        if isinstance(event, SweepStarted):
            self._keep(self._sweep, state="running")
        elif isinstance(event, PointFinished) and time.monotonic() >= self._next and not is_recording():
            self._next = time.monotonic() + PATIENCE
            start_recorder(self._home)

    def end(self, sweep: Sweep, tell: Callable[[Event], None]) -> None:
        """The sweep is over: have it recorded, and tell of what could not be so far."""
        hand_over(self._home, "sweep", lambda: self._keep(sweep, state=sweep.state), tell, wait=self._wait)

    def _keep(self, sweep: Sweep, *, state: str) -> None:
        asked = {axis.name: str(axis) for axis in sweep.axes if is_swept(axis)}
        facts = json.dumps({**sweep_json(sweep), "state": state, "asked": asked}, indent=2, default=repr) + "\n"
        files = [sweep.folder / name for name in _FILES if state != "running" and (sweep.folder / name).exists()]
        keep_unrecorded(self._home, self.id, facts, kind="sweep", notebook=sweep.notebook.resolve(), files=files)
