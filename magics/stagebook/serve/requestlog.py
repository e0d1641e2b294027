"""Writing the request log: off the requests' path, bounded in memory, a whole file or none.

A request adds what it was to a list. A thread writes the list to a new Parquet file every few seconds, so that a
service that is killed loses no more than those seconds, and merges the files of a day when they become many.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from stagebook.drift.requests import REPLACES, TIME, day_folder, days_in, replaced_by
from stagebook.serve.entries import Entry, Hidden, table_of

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)

_LARGEST = 64 << 20
"""Bytes of bodies that wait to be written, at most: what comes beyond is counted, and not logged."""
_MANY_ENTRIES = 512
"""Entries that are packed at a time, so that few wait as Python's objects."""
_MANY = 64
"""Files of a day that are merged into one."""


@dataclass(frozen=True, slots=True)
class LogSettings:
    """How the log is kept.

    Attributes:
        folder: where.
        every: seconds between two files: a kill loses at most those.
        days: as many are kept, with today.
        hidden: columns that are secret, and whether they are left out or told by a keyed digest.
    """

    folder: Path
    every: float = 5.0
    days: int = 30
    hidden: Mapping[str, Hidden] = field(default_factory=dict)


class RequestLog:
    """Takes entries, and writes them until it is closed.

    Args:
        settings: how it is kept.
        counted: told `written` or `dropped`, and how many requests.
    """

    def __init__(self, settings: LogSettings, counted: Callable[[str, int], None] = lambda *_: None) -> None:
        self._settings = settings
        self._counted = counted
        self._pending: list[Entry] = []
        self._packed: dict[tuple[str, str], list[tuple[pa.Table, int]]] = {}
        self._size = 0
        self._dropped = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closing = False
        self._own = uuid.uuid4().hex[:8]
        self._files = 0
        self._thread = threading.Thread(target=self._run, name="stagebook-request-log", daemon=True)

    def start(self) -> None:
        """Begin to write. The folder is made at once, so that it fails now or never.

        Raises:
            UsageError: it cannot be written to.
        """
        import pyarrow.parquet  # noqa: F401 - beside requests, the import could take longer than a flush interval

        from stagebook.run.files import writable_folder

        writable_folder(self._settings.folder)
        self._look_after()
        self._thread.start()

    def add(self, entry: Entry) -> None:
        """Take a request; one that there is no room for is dropped, and counted."""
        with self._lock:
            if self._size + entry.size > _LARGEST:
                self._dropped += 1
                return
            self._pending.append(entry)
            self._size += entry.size
            if len(self._pending) >= _MANY_ENTRIES:
                self._wake.set()

    def close(self) -> None:
        """Write what is left, and end."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic() + self._settings.every
        while True:
            self._wake.wait(max(0.0, due - time.monotonic()))
            self._wake.clear()
            closing = self._closing
            self._pack()
            if closing or time.monotonic() >= due or self._packed_bytes() > _LARGEST // 2:
                due = time.monotonic() + self._settings.every
                self._flush()
            if closing:
                return

    def _packed_bytes(self) -> int:
        return sum(table.nbytes for tables in self._packed.values() for table, _ in tables)

    def _pack(self) -> None:
        """Make tables of the entries, which take a tenth of the memory: for each day and version, as columns differ."""
        with self._lock:
            entries, self._pending, self._size = self._pending, [], 0
            dropped, self._dropped = self._dropped, 0
        if dropped:
            self._counted("dropped", dropped)
            _log.warning("requests not logged: more came than could be written", extra={"requests": dropped})
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries:
            day = time.strftime("%Y-%m-%d", time.gmtime(entry.time // 1_000_000))
            groups.setdefault((day, entry.version), []).append(entry)
        for group, members in groups.items():
            with self._telling(len(members)):
                self._packed.setdefault(group, []).append((table_of(members, self._settings.hidden), len(members)))

    def _flush(self) -> None:
        """Write what is packed to a file for each day and version."""
        packed, self._packed = self._packed, {}
        for tables in packed.values():
            requests = sum(number for _, number in tables)
            with self._telling(requests):
                self._write([table for table, _ in tables])
                self._counted("written", requests)

    @contextmanager
    def _telling(self, requests: int) -> Iterator[None]:
        """What goes wrong inside is told, and costs these requests' place in the log, but not the service."""
        try:
            yield
        except Exception as error:  # a full disk, a folder that is gone, values that no column holds
            self._counted("dropped", requests)
            number = error.errno if isinstance(error, OSError) else None
            cause = type(error).__name__ if number is None else os.strerror(number)
            _log.error("requests not logged", extra={"requests": requests, "cause": cause})

    def _write(self, tables: list[pa.Table]) -> None:
        import pyarrow as pa

        table = pa.concat_tables(tables, promote_options="permissive")
        moment = datetime.fromtimestamp(table[TIME][0].value / 1e6, timezone.utc)  # as_py() would import pandas
        folder = day_folder(self._settings.folder, moment)
        if not folder.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self._look_after()
        self._put(folder, moment, table)
        self._merge(folder, least=_MANY)

    def _put(self, folder: Path, moment: datetime, table: pa.Table) -> Path:
        """Write a table to a file of its own, whole or not at all."""
        import pyarrow.parquet as pq

        self._files += 1
        path = folder / f"{moment:%H%M%S}-{self._own}{self._files:06x}.parquet"
        temporary = path.with_name(f".{path.stem}.{os.getpid()}")
        try:
            with temporary.open("wb") as file:
                pq.write_table(table, file, compression="zstd", store_schema=True)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    def _merge(self, folder: Path, *, least: int) -> None:
        """Make one file of this service's small ones of a day, by version, if there are so many."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        small = [path for path in sorted(folder.glob(f"*-{self._own}*.parquet")) if not replaced_by(path)]
        if len(small) < least:
            return
        groups: dict[bytes, list[Path]] = {}
        for path in small:
            groups.setdefault(pq.read_schema(path).remove_metadata().serialize().to_pybytes(), []).append(path)
        for paths in groups.values():
            table = pa.concat_tables([pq.read_table(path, partitioning=None) for path in paths]).combine_chunks()
            told = {**(table.schema.metadata or {}), REPLACES: json.dumps([path.name for path in paths]).encode()}
            hour, minute, second = (int(paths[0].name[place : place + 2]) for place in (0, 2, 4))
            moment = datetime(2000, 1, 1, hour, minute, second, tzinfo=timezone.utc)
            self._put(folder, moment, table.replace_schema_metadata(told))
            for path in paths:
                path.unlink(missing_ok=True)

    def _look_after(self) -> None:
        """Remove days that are too old, and what merged files have taken the place of."""
        import shutil

        first = datetime.now(timezone.utc).date() - timedelta(days=self._settings.days - 1)
        for day, folder in days_in(self._settings.folder).items():
            if day < first:
                shutil.rmtree(folder, ignore_errors=True)
                continue
            if day < date.max:
                _remove_replaced(folder)


def _remove_replaced(folder: Path) -> None:
    from stagebook.errors import StoreError

    for path in folder.glob("*.parquet"):
        with suppress(StoreError, OSError):
            for name in replaced_by(path):
                (folder / name).unlink(missing_ok=True)
