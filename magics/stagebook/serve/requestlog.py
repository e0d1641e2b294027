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
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stagebook.drift.requests import (
    LATENCY,
    PREDICTION,
    REPLACES,
    REQUEST,
    ROW,
    TIME,
    VERSION,
    day_folder,
    days_in,
    input_column,
    replaced_by,
)
from stagebook.serve.schema import Batch

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger(__name__)
Hidden = Literal["dropped", "hashed"]

_LARGEST = 64 << 20
"""Bytes of bodies that wait to be written, at most: what comes beyond is counted, and not logged."""
_HURRY = 8 << 20
"""Bytes from which the thread does not wait for the next flush."""
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


@dataclass(slots=True)
class Entry:
    """A request that was answered.

    Attributes:
        time: when it came, in microseconds since 1970.
        request: its id.
        version: what answered.
        latency: seconds.
        batch: what was asked; None where only MLflow could read it.
        predictions: what was said.
        size: bytes of the body.
    """

    time: int
    request: str
    version: str
    latency: float
    batch: Batch | None
    predictions: Any
    size: int


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
        from stagebook.run.files import writable_folder

        writable_folder(self._settings.folder)
        self._thread.start()

    def add(self, entry: Entry) -> None:
        """Take a request; one that there is no room for is dropped, and counted."""
        with self._lock:
            if self._size + entry.size > _LARGEST:
                self._dropped += 1
                return
            self._pending.append(entry)
            self._size += entry.size + 256
            if self._size > _HURRY:
                self._wake.set()

    def close(self) -> None:
        """Write what is left, and end."""
        self._closing = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        import pyarrow.parquet  # noqa: F401 - it takes a while, which the first flush is not to wait for

        self._look_after()
        due = time.monotonic() + self._settings.every
        while True:
            self._wake.wait(max(0.0, due - time.monotonic()))
            self._wake.clear()
            due = time.monotonic() + self._settings.every
            closing = self._closing
            self._flush()
            if closing:
                return

    def _flush(self) -> None:
        with self._lock:
            entries, self._pending = self._pending, []
            size, self._size = self._size, 0
            dropped, self._dropped = self._dropped, 0
        if dropped:
            self._counted("dropped", dropped)
            _log.warning("requests not logged: more came than could be written", extra={"requests": dropped})
        if not entries:
            return
        try:
            self._write(entries)
        except Exception as error:  # a full disk, a folder that is gone, values that no column holds
            self._counted("dropped", len(entries))
            number = error.errno if isinstance(error, OSError) else None
            cause = type(error).__name__ if number is None else os.strerror(number)
            _log.error("requests not logged", extra={"requests": len(entries), "cause": cause, "bytes": size})
        else:
            self._counted("written", len(entries))

    def _write(self, entries: list[Entry]) -> None:
        """A file for each day, and for each version, as versions may differ in their columns."""
        groups: dict[tuple[str, str], list[Entry]] = {}
        for entry in entries:
            day = time.strftime("%Y-%m-%d", time.gmtime(entry.time // 1_000_000))
            groups.setdefault((day, entry.version), []).append(entry)
        for group in groups.values():
            moment = datetime.fromtimestamp(group[0].time / 1e6, timezone.utc)
            folder = day_folder(self._settings.folder, moment)
            if not folder.exists():
                folder.mkdir(parents=True, exist_ok=True)
                self._look_after()
            self._put(folder, moment, _table(group, self._settings.hidden))
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


def _table(entries: list[Entry], hidden: Mapping[str, Hidden]) -> pa.Table:
    """What was asked and said, a row for each row that was scored."""
    import numpy as np
    import pyarrow as pa

    outputs = [_by_row(entry.predictions, entry.batch.count if entry.batch else None) for entry in entries]
    counts = np.array([len(rows) for rows in outputs])
    times = np.array([entry.time for entry in entries], dtype="datetime64[us]")
    columns: dict[str, Any] = {
        TIME: pa.array(np.repeat(times, counts), pa.timestamp("us", tz="UTC")),
        REQUEST: pa.array(np.repeat(np.array([entry.request for entry in entries], dtype=object), counts), pa.string()),
        ROW: pa.array(np.concatenate([np.arange(count) for count in counts]).astype("i4")),
        VERSION: pa.array([entries[0].version] * int(counts.sum()), pa.string()),
        LATENCY: pa.array(np.repeat(np.array([entry.latency for entry in entries]), counts)),
    }
    columns |= _inputs(entries, hidden)
    columns |= _outputs([row for rows in outputs for row in rows])
    return pa.table(columns)


def _inputs(entries: list[Entry], hidden: Mapping[str, Hidden]) -> dict[str, Any]:
    import numpy as np
    import pyarrow as pa

    batches = [entry.batch for entry in entries]
    if not all(batches):
        return {}
    known = {column.name: column for batch in batches if batch for column in batch.columns}
    found = {}
    for name, column in known.items():
        if hidden.get(name) == "dropped":
            continue
        parts = [_values(batch, name) for batch in batches if batch]
        listed = isinstance(parts[0], list) or any(isinstance(part, list) for part in parts) or name in hidden
        if listed:
            values = [value for part in parts for value in (part if isinstance(part, list) else part.tolist())]
            if name in hidden:
                values = [None if value is None else _digest(value) for value in values]
            found[input_column(name)] = pa.array(
                values, pa.string() if column.type == "string" or name in hidden else None
            )
        else:
            found[input_column(name)] = pa.array(np.concatenate(parts), from_pandas=True)  # a missing number is null
    return found


def _values(batch: Batch, name: str) -> Any:
    """The batch's values of a column; missing ones where it has none."""
    for column, values in zip(batch.columns, batch.values, strict=True):
        if column.name == name:
            return values
    return [None] * batch.count


def _digest(value: Any) -> str:
    from stagebook.signing import keyed_digest

    return keyed_digest(str(value))


def _by_row(predictions: Any, count: int | None) -> list[Any]:
    """What was said of each row; where that cannot be told apart, all of it of the first."""
    if isinstance(predictions, list) and count in (None, len(predictions)):
        return predictions
    return [predictions] + [None] * ((count or 1) - 1)


def _outputs(rows: list[Any]) -> dict[str, Any]:
    """The columns of what was said."""
    if all(isinstance(row, dict) for row in rows):
        names = dict.fromkeys(name for row in rows for name in row)
        return {f"{PREDICTION}.{name}": _plain([row.get(name) for row in rows]) for name in names}
    if all(isinstance(row, list) and not any(isinstance(one, (list, dict)) for one in row) for row in rows):
        width = max((len(row) for row in rows), default=0)
        columns = ([row[place] if place < len(row) else None for row in rows] for place in range(width))
        return {f"{PREDICTION}.{place}": _plain(values) for place, values in enumerate(columns)}
    return {PREDICTION: _plain(rows)}


def _plain(values: list[Any]) -> pa.Array:
    """A column of these values: of their type, or where they have none in common, as JSON."""
    import pyarrow as pa

    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {int, float} and kinds:
        return pa.array(values, pa.float64() if float in kinds else pa.int64())
    if len(kinds) == 1 and kinds <= {str, bool}:
        return pa.array(values)
    return pa.array([None if value is None else json.dumps(value) for value in values], pa.string())
