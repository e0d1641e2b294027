"""What a run is asked for, beyond what Papermill's own arguments can say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stagebook.events import Event
from stagebook.model import Selection
from stagebook.run.record import Run, new_run_id

STORE = ".stagebook"
"""Folder beside the notebook in which results are kept by default."""


@dataclass(slots=True)
class Request:
    """A run that is wanted; the engine puts the `Run` into it when it is over.

    Attributes:
        id: the run's id.
        source: absolute path of the source notebook.
        store: where results are kept.
        folder: where `run.json` goes.
        jobs: kernels at work at once; None for one a core.
        selection: which stages may run.
        listeners: told of every event.
        track: whether to record the run in MLflow.
        run: how it ended.
    """

    id: str
    source: Path
    store: Path
    folder: Path
    jobs: int | None
    selection: Selection
    listeners: tuple[Callable[[Event], None], ...]
    track: bool
    run: Run | None = None

    @classmethod
    def of(
        cls,
        source: Path,
        *,
        store: Path | None = None,
        folder: Path | None = None,
        jobs: int | None = None,
        selection: Selection = Selection(),  # noqa: B008 - frozen
        listeners: tuple[Callable[[Event], None], ...] = (),
        track: bool = True,
    ) -> Request:
        """A request, the usual places filled in: `.stagebook` beside the notebook, in it a folder of the run's own."""
        name = new_run_id()
        root = (store or source.parent / STORE).absolute()
        return cls(name, source, root, (folder or root / "runs" / name).absolute(), jobs, selection, listeners, track)
