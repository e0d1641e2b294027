"""The notebook as it is worked on: the file, with the cells that were run since it was saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stagebook.book.notebook import Document, read_document, source_of


class LiveDocument:
    """A notebook's file, and the cells that were run since it was saved, as they were run.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: Any = None
        self._saved: Document = {}
        self._run: dict[int, str] = {}

    def with_cell(self, source: str, cell_id: str | None) -> tuple[Document, int] | None:
        """The notebook with this cell as it is being run, and the cell's index; None where it has no such cell.

        Args:
            source: the cell's text.
            cell_id: its id, where the front end tells it; else the cell is found by its text.

        Raises:
            NotebookError: the file cannot be read.
        """
        self._read()
        index = self._find(source, cell_id)
        if index is None:
            return None
        self._run[index] = source
        cells = [
            {**cell, "source": self._run[at]} if at in self._run else cell
            for at, cell in enumerate(self._saved["cells"])
        ]
        return {**self._saved, "cells": cells}, index

    def _read(self) -> None:
        """Read the file, if it has been saved again."""
        stat = self.path.stat() if self.path.exists() else None
        stamp = stat and (stat.st_mtime_ns, stat.st_size)
        if stamp is None or stamp != self._stamp:
            self._saved, self._stamp, self._run = read_document(self.path), stamp, {}

    def _find(self, source: str, cell_id: str | None) -> int | None:
        codes = [(at, cell) for at, cell in enumerate(self._saved["cells"]) if cell["cell_type"] == "code"]
        by_id = [at for at, cell in codes if cell_id and cell.get("id") == cell_id]
        same = [at for at, cell in codes if self._run.get(at, source_of(cell)).rstrip() == source.rstrip()]
        found = by_id or same
        return found[0] if len(found) == 1 else None
