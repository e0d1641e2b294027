"""Requests whose body is a file: CSV and Parquet."""

from __future__ import annotations

import csv
import io
from typing import Any

from stagebook.serve.refusals import LargeError, MalformedError
from stagebook.serve.schema import Rows

_CELL = 8
"""Bytes that a value takes at least: a file of few bytes may say that it holds billions of them."""


def rows_of_csv(body: bytes) -> Rows:
    """The rows of a CSV file whose first line names the columns.

    Raises:
        MalformedError: it is none.
    """
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError:
        raise MalformedError("The body is not valid UTF-8.") from None
    except csv.Error:
        raise MalformedError("The body is not valid CSV.") from None
    lines = [line for line in lines if line]
    if not lines:
        raise MalformedError("The body holds no line with the columns' names.")
    names, values = lines[0], lines[1:]
    if any(len(line) != len(names) for line in values):
        raise MalformedError(f"The lines are not all of {len(names)} values, as the first one is.")
    return Rows(names, list(zip(*values, strict=True)), len(values), texts=True)


def rows_of_parquet(body: bytes, limit: int) -> Rows:
    """The rows of a Parquet file.

    Args:
        body: the file.
        limit: how many bytes a body may have: as many its values may take.

    Raises:
        MalformedError: it is none.
        LargeError: it holds too much.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(body))
        groups = [file.metadata.row_group(place) for place in range(file.metadata.num_row_groups)]
        told = max(sum(group.total_byte_size for group in groups), file.metadata.num_rows * len(file.schema) * _CELL)
        if told > limit:
            raise LargeError(f"The file's values take more than {limit:,} bytes. Send fewer rows at a time.")
        table = file.read()
        columns: list[list[Any]] = [column.to_pylist() for column in table.columns]
    except (pa.ArrowException, OSError, ValueError, OverflowError):
        raise MalformedError("The body is not a valid Parquet file.") from None
    return Rows([str(name) for name in table.column_names], columns, table.num_rows)
