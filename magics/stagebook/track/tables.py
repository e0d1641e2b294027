"""MLflow's tables in a new sqlite file: made once, which takes seconds, and copied from then on."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from platformdirs import user_cache_path


def mlflow_version() -> str:
    """The version of MLflow that is installed, whole or without the parts of its server (`mlflow-skinny`)."""
    try:
        return version("mlflow")
    except PackageNotFoundError:
        return version("mlflow-skinny")


@contextmanager
def tables_at(uri: str) -> Iterator[None]:
    """Inside, MLflow opens the store of this address: where that is a sqlite file still to be made, it has its tables.

    Where anything is in the way of copying them, MLflow makes them itself.

    Args:
        uri: a tracking address; only `sqlite:///PATH` is meant.
    """
    scheme, _, path = uri.partition(":///")
    file = Path(path)
    if scheme != "sqlite" or not path or "?" in path or file.exists():
        yield
        return
    kept = user_cache_path("stagebook", appauthor=False) / f"mlflow-{mlflow_version()}.db"
    with suppress(OSError, sqlite3.Error):
        if kept.exists():
            _copy(kept, file)
    yield
    with suppress(OSError, sqlite3.Error):
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            _copy(file, kept)


def _copy(source: Path, target: Path) -> None:
    """Copy the tables, without experiments, which name places; a file that another process has made meanwhile stays."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        new = Path(folder, "tables.db")
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(new)) as made:
            old.backup(made)
            made.execute("DELETE FROM experiments")  # MLflow makes its default one anew
            made.commit()
        os.link(new, target)
