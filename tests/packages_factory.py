"""Packages for tests, as an installer leaves them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


def installed(folder: Path, files: Mapping[str, str], group: str, points: Mapping[str, str]) -> str:
    """Put a package with entry points into a folder; what `PYTHONPATH` has to name so that Python finds it.

    Args:
        folder: where to.
        files: its modules' texts by path.
        group: the group of its entry points.
        points: these by name, as `MODULE:OBJECT`.
    """
    info = {
        "somebodys-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: somebodys\nVersion: 1.0\n",
        "somebodys-1.0.dist-info/entry_points.txt": "\n".join(
            [f"[{group}]", *(f"{name} = {place}" for name, place in points.items()), ""]
        ),
    }
    for name, text in {**files, **info}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return str(folder)
