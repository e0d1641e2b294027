"""The digests of data files, remembered with what the operating system says of a file, so that it is not read again."""

from __future__ import annotations

import json
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from stagebook.signing import is_signed, signed
from stagebook.store.digests import digest_of_file
from stagebook.store.folders import LocalFolder

_NAME = "file-digests.json"
_SETTLED = 2_000_000_000
"""Nanoseconds that a file must have been left alone: a change within its clock's last tick would not show (git's
"racy" files; the coarsest clocks that are in use tick every two seconds)."""


class FileDigests:
    """Digests of files; of one that has not been touched since it was read, without reading it.

    A file is taken for unchanged if its size, number (inode), and both its times are the same: when it was written and
    when anything about it was changed, which no program can set.

    Args:
        folder: where they are remembered from run to run.
        compute: reads a file and digests its content.
        limit: how many files are remembered, those that were asked for last.
    """

    def __init__(self, folder: Path, *, compute: Callable[[Path], str] = digest_of_file, limit: int = 10_000) -> None:
        self._folder = LocalFolder(folder)
        self._compute = compute
        self._limit = limit
        self._known: dict[str, list[int | str]] | None = None
        self._asked: dict[str, list[int | str]] = {}

    def digest(self, path: Path) -> str | None:
        """The digest of a file's content; None where there is no such file."""
        state = _state(path)
        if state is None:
            return None
        if self._known is None:
            self._known = self._read()
        name = str(path.absolute())
        known = self._asked.get(name) or self._known.get(name)
        if known and known[:-1] == state:
            self._asked[name] = known
            return str(known[-1])
        began = time.time_ns()
        found = self._compute(path)
        if _state(path) == state and began - max(state[1:3]) > _SETTLED:
            self._asked[name] = [*state, found]
        return found

    def save(self) -> None:
        """Remember for later runs. Where that cannot be done, they read the files again."""
        if not self._asked:
            return
        known = {name: entry for name, entry in self._read().items() if name not in self._asked} | self._asked
        kept = dict(list(known.items())[-self._limit :])
        with suppress(OSError), self._folder.new_file() as file:
            file.write_text(json.dumps(signed(_NAME, {"files": kept})), encoding="utf-8")
            self._folder.place(file, _NAME)

    def _read(self) -> dict[str, list[int | str]]:
        try:
            record = json.loads(self._folder.read(_NAME))
        except (OSError, ValueError):
            return {}
        return dict(record["files"]) if is_signed(_NAME, record) else {}


def _state(path: Path) -> list[int] | None:
    """Size, times of writing and of any change, number and disk of a file; None for what is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_dev]
