"""What a run is asked for, beyond what Papermill's own arguments can say."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stagebook.events import Event
from stagebook.plan import Selection
from stagebook.run.claims import Shared
from stagebook.run.record import Run, new_run_id
from stagebook.store.blobs import Store

NO_TRACK = "STAGEBOOK_NO_TRACK"
"""The environment variable with which no run is recorded in MLflow, for what has no `--no-track`, as Papermill."""
STORE = ".stagebook"
"""Folder beside the notebook in which results are kept by default."""


@dataclass(slots=True)
class Request:
    """A run that is wanted; the engine puts the `Run` into it when it is over.

    Attributes:
        id: the run's id.
        source: absolute path of the source notebook.
        store: where results are kept: a folder or a URL.
        home: folder in which runs are recorded: the store, or the one beside the notebook if the store is elsewhere.
        folder: where `run.json` goes.
        output: where the output notebook goes; None where Papermill's caller says that.
        jobs: kernels at work at once; None for one a core.
        on: where stages run; None for this machine. See `placing`.
        selection: which stages may run.
        listeners: told of every event.
        track: whether to record the run in MLflow.
        later: whether nobody waits until another process has recorded the run.
        shared: what it has in common with other runs of this process, if it is one of a sweep.
        runner: runs its stages; None to have one made.
        run: how it ended.
    """

    id: str
    source: Path
    store: str
    home: Path
    folder: Path
    jobs: int | None
    selection: Selection
    listeners: tuple[Callable[[Event], None], ...]
    track: bool
    shared: Shared | None = None
    later: bool = False
    output: Path | None = None
    on: str | None = None
    runner: Any = None
    run: Run | None = None

    @property
    def has_results(self) -> bool:
        """Whether there may be results of earlier runs."""
        store = Store.at(self.store)
        return not store.is_local or (store.root / "records").exists()

    @classmethod
    def of(
        cls,
        source: Path,
        *,
        store: str | Path | None = None,
        folder: Path | None = None,
        jobs: int | None = None,
        selection: Selection = Selection(),  # noqa: B008 - frozen
        listeners: tuple[Callable[[Event], None], ...] = (),
        track: bool = True,
        later: bool = False,
        shared: Shared | None = None,
        on: str | None = None,
    ) -> Request:
        """A request, the usual places filled in: `.stagebook` beside the notebook, in it a folder of the run's own."""
        name = new_run_id()
        kept = store_for(source, store)
        home = home_for(source, store)
        place = (folder or home / "runs" / name).absolute()
        track = track and not os.environ.get(NO_TRACK)
        return cls(name, source, kept.location, home, place, jobs, selection, listeners, track, shared, later, on=on)


def home_for(notebook: Path, store: str | Path | None = None) -> Path:
    """The folder in which runs are recorded: the store, or the one beside the notebook if the store is elsewhere."""
    kept = store_for(notebook, store)
    return kept.root if kept.is_local else (notebook.parent / STORE).absolute()


def store_for(notebook: Path, given: str | Path | None = None) -> Store:
    """The store that is given, or the one beside the notebook."""
    return Store.at(given or notebook.resolve().parent / STORE)
