"""What monitors have said of the models of a notebook's folder, as the panel draws it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stagebook.drift.history import History, Reported
from stagebook.errors import StoreError
from stagebook.lab.plain import numbers, plain
from stagebook.run.request import home_for

_MODELS, _WINDOWS, _COLUMNS = 50, 200, 20


def monitors_answer(notebook: Path) -> dict[str, Any]:
    """The histories of the monitors that keep theirs where the notebook's runs are kept.

    Args:
        notebook: its path.

    Returns:
        By model, the windows last reported, the oldest first; or why they cannot be read.
    """
    folders = sorted(path for path in (home_for(notebook) / "monitors").glob("*") if path.is_dir())
    return {"monitors": [_monitor(folder) for folder in folders[:_MODELS]]}


def _monitor(folder: Path) -> dict[str, Any]:
    try:
        windows = [_window(one) for one in History(folder, folder.name).reported[-_WINDOWS:]]
    except (StoreError, ValueError, TypeError, AttributeError):  # somebody has written into it
        told = f"The history of {folder.name} cannot be read. Restore it, or remove it."
        return {"model": folder.name, "windows": [], "trouble": told}
    return {"model": folder.name, "windows": windows, "trouble": ""}


def _window(one: Reported) -> dict[str, Any]:
    return {
        "window": str(one.window),
        "end": one.end,
        "version": str(one.version),
        "rows": int(one.rows),
        "share": None if one.share is None else plain(float(one.share)),
        "detected": bool(one.detected),
        "drifted": [str(name) for name in one.drifted[:_COLUMNS]],
        "performance": numbers(one.performance),
        "note": str(one.note),
        "retrained": str(one.retrained),
    }
