"""Where a notebook is in its git repository."""

from __future__ import annotations

import os
from pathlib import Path

from stagebook.errors import UsageError


def repository_of(notebook: Path) -> Path | None:
    """The root of the repository that the notebook is in; None where it is in none."""
    return next((folder for folder in notebook.resolve().parents if (folder / ".git").exists()), None)


def root_for(notebook: Path) -> Path:
    """The root of the repository that the notebook is in, as seen from the working directory where that is short.

    Raises:
        UsageError: it is in none.
    """
    found = repository_of(notebook)
    if found is None:
        told = f"{notebook.name} is in no git repository, at whose root the files belong."
        raise UsageError(f"{told} Make one (`git init`), or name a folder with --out.")
    return Path(os.path.relpath(found)) if Path.cwd().is_relative_to(found) else found
