"""What the request log says of requests: entries as they are made, and the table that they become."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from stagebook.drift.requests import LATENCY, PREDICTION, REQUEST, ROW, TIME, VERSION, input_column
from stagebook.serve.arrow import of_numbers, of_texts, of_values
from stagebook.serve.schema import Batch

if TYPE_CHECKING:
    import pyarrow as pa

Hidden = Literal["dropped", "hashed"]


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


def table_of(entries: list[Entry], hidden: Mapping[str, Hidden]) -> pa.Table:
    """What was asked and said, a row for each row that was scored."""
    import numpy as np
    import pyarrow as pa

    outputs = [_by_row(entry.predictions, entry.batch.count if entry.batch else None) for entry in entries]
    counts = np.array([len(rows) for rows in outputs])
    times = np.array([entry.time for entry in entries], dtype="datetime64[us]")
    requests = [entry.request for entry, count in zip(entries, counts.tolist(), strict=True) for _ in range(count)]
    columns: dict[str, Any] = {
        TIME: of_numbers(np.repeat(times, counts)),
        REQUEST: of_texts(requests),
        ROW: of_numbers(np.concatenate([np.arange(count, dtype="i4") for count in counts])),
        VERSION: of_texts([entries[0].version] * len(requests)),
        LATENCY: of_numbers(np.repeat(np.array([entry.latency for entry in entries]), counts)),
    }
    columns |= _inputs(entries, hidden)
    columns |= predictions_by_column([row for rows in outputs for row in rows])
    return pa.Table.from_arrays(list(columns.values()), list(columns))


def _inputs(entries: list[Entry], hidden: Mapping[str, Hidden]) -> dict[str, Any]:
    import numpy as np

    batches = [entry.batch for entry in entries if entry.batch is not None]
    if len(batches) < len(entries):
        return {}
    if all(batch.matrix is not None and batch.columns is batches[0].columns for batch in batches):
        whole = np.concatenate([batch.matrix for batch in batches])  # else each has arrays for each column
        batches = [Batch(batches[0].columns, len(whole), matrix=whole)]
    known = {column.name: column for batch in batches for column in batch.columns}
    found = {}
    for name, column in known.items():
        if hidden.get(name) == "dropped":
            continue
        parts = [_values(batch, name) for batch in batches]
        if name not in hidden and not any(isinstance(part, list) for part in parts):
            found[input_column(name)] = of_numbers(np.concatenate(parts))  # what is not a number is missing
            continue
        values = [value for part in parts for value in (part if isinstance(part, list) else part.tolist())]
        if name in hidden:
            values = [None if value is None else _digest(value) for value in values]
        is_text = column.type in ("string", "datetime") or name in hidden
        found[input_column(name)] = of_texts(values) if is_text else _plain(values)
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


def predictions_by_column(rows: list[Any]) -> dict[str, Any]:
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
    found = of_values(values)
    return of_texts([None if value is None else json.dumps(value) for value in values]) if found is None else found
