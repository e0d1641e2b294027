"""How long a cell took when it was run last, as far as its metadata says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from stagebook.book.notebook import Document

_STAMPS = (
    ("execution", "iopub.execute_input", "shell.execute_reply"),
    ("execution", "iopub.execute_input", "iopub.status.idle"),
    ("ExecuteTime", "start_time", "end_time"),
)
"""Where JupyterLab and the extensions of the classic notebook write when a cell began and ended."""


def seconds_of(cell: Document) -> float | None:
    """Seconds; None where nothing tells."""
    metadata = cell.get("metadata", {})
    told = metadata.get("papermill")
    duration = told.get("duration") if isinstance(told, dict) else None
    if isinstance(duration, (int, float)) and not isinstance(duration, bool):
        return float(duration)
    return next(_between(metadata), None)


def _between(metadata: Document) -> Iterator[float]:
    for where, start, end in _STAMPS:
        told = metadata.get(where)
        if isinstance(told, dict):
            began, ended = _moment(told.get(start)), _moment(told.get(end))
            if began is not None and ended is not None and ended >= began:
                yield ended - began


def _moment(stamp: object) -> float | None:
    """A time (ISO 8601) in seconds; Python 3.10 does not know what a `Z` at its end means."""
    try:
        return datetime.fromisoformat(str(stamp).replace("Z", "+00:00")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
