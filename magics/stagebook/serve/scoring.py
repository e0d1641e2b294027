"""Scoring a file: a chunk at a time, each kept as soon as it is done, so that what was cut off goes on where it was.

Beside the output lies, until all is done, a folder of parts, with a note of what they are of: another input, or another
version, starts anew.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stagebook.errors import StoreError, UsageError
from stagebook.run.files import write_text
from stagebook.serve.entries import predictions_by_column
from stagebook.serve.refusals import RefusedError
from stagebook.serve.reloading import Current
from stagebook.serve.schema import Rows, fitted

if TYPE_CHECKING:
    import pyarrow as pa

_NOTE = "of.json"
_KINDS = (".parquet", ".csv")
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of it.

    Attributes:
        rows: that were scored.
        reused: of them, those that were scored before.
    """

    rows: int
    reused: int


def score_file(
    current: Current, source: Path, target: Path, *, chunk: int, tell: Callable[[int], None] = lambda _: None
) -> Scored:
    """Write the rows of a file with what the model says of each.

    Args:
        current: what answers.
        source: a Parquet or CSV file.
        target: a Parquet or CSV file, replaced as a whole in the end.
        chunk: rows that are scored at a time.
        tell: told, after each chunk, how many rows are done.

    Raises:
        UsageError: a file is of another kind, is not there, or holds rows that the model does not take.
        StoreError: it cannot be read or written.
    """
    for path in (source, target):
        if path.suffix not in _KINDS:
            raise UsageError(f"{path} is neither .parquet nor .csv. Name one that is.")
    if not source.is_file():
        raise UsageError(f"There is no file {source}.")
    if target.exists() and target.samefile(source):
        raise UsageError(f"{target} is the input itself, which would be lost. Name another file for the output.")
    if current.package.schema is None:
        raise UsageError("The model has no signature of plain columns, so it is not known how to read rows for it.")
    parts = target.with_name(f"{target.name}.parts")
    note = _note(current, source, chunk)
    with _told(target, "written"), _swept(parts):
        if not (parts / _NOTE).is_file() or (parts / _NOTE).read_text(encoding="utf-8") != note:
            shutil.rmtree(parts, ignore_errors=True)
            parts.mkdir(parents=True)
            write_text(parts / _NOTE, note)
        rows = reused = 0
        files = []
        for number, table in enumerate(_read(source, chunk)):
            part = parts / f"{number:08}.parquet"
            if part.is_file():
                reused += table.num_rows
            else:
                _put(part, _scored(current, source, table, rows))
            files.append(part)
            rows += table.num_rows
            tell(rows)
        if not files:
            raise UsageError(f"{source} has no rows.")
        _join(files, target)
    shutil.rmtree(parts, ignore_errors=True)
    return Scored(rows, reused)


@contextmanager
def _swept(parts: Path) -> Iterator[None]:
    """The folder of parts is removed where nothing was scored: there is nothing to go on with."""
    try:
        yield
    finally:
        if not any(parts.glob("*.parquet")):
            shutil.rmtree(parts, ignore_errors=True)


def rows_told_by(source: Path) -> int | None:
    """How many rows a file says that it has; None where that is not known without reading it all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if source.suffix != ".parquet":
        return None
    try:
        return int(pq.read_metadata(source).num_rows)
    except (OSError, pa.ArrowException):  # scoring it says why
        return None


def _note(current: Current, source: Path, chunk: int) -> str:
    """What the parts are of: a version, a file as it is, and how it is cut."""
    state = source.stat()
    return json.dumps([current.key, str(source.resolve()), state.st_size, state.st_mtime_ns, chunk])


@contextmanager
def _told(path: Path, what: str) -> Iterator[None]:
    """Errors of the file system and of files' formats, as ours."""
    import csv

    import pyarrow as pa

    try:
        yield
    except UnicodeDecodeError as error:
        raise StoreError(f"{path} cannot be {what}: it is not UTF-8. Save it as that.") from error
    except (OSError, pa.ArrowException, csv.Error) as error:
        cause = getattr(error, "strerror", None) or str(error).partition("\n")[0] or type(error).__name__
        raise StoreError(f"{path} cannot be {what}: {cause.rstrip('.')}.") from error


def _read(source: Path, size: int) -> Iterator[pa.Table]:
    with _told(source, "read"):
        yield from _chunks(source, size)


def _chunks(source: Path, size: int) -> Iterator[pa.Table]:
    """The file's rows, so many at a time, as a table each."""
    import pyarrow as pa

    if source.suffix == ".parquet":
        import pyarrow.parquet as pq

        # read in pieces: else a row group, which may be the whole file, is read at once
        with pq.ParquetFile(source, buffer_size=_PIECE, pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=size):
                yield pa.Table.from_batches([batch])
        return
    import csv

    with source.open(encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text)
        names = next(lines, [])
        kept: list[list[str]] = []
        for line in filter(None, lines):
            if len(line) != len(names):
                raise UsageError(f"{source}, line {lines.line_num}: {len(line)} values, and {len(names)} columns.")
            kept.append(line)
            if len(kept) == size:
                yield _table(names, kept)
                kept = []
        if kept:
            yield _table(names, kept)


def _table(names: list[str], lines: list[list[str]]) -> pa.Table:
    import pyarrow as pa

    from stagebook.serve.arrow import of_texts

    return pa.Table.from_arrays([of_texts(column) for column in zip(*lines, strict=True)], names)


def _scored(current: Current, source: Path, table: pa.Table, before: int) -> pa.Table:
    """The table with what the model says."""
    columns = [column.to_pylist() for column in table.columns]
    is_text = source.suffix == ".csv"
    rows = Rows(list(table.column_names), columns, table.num_rows, texts=is_text, first=before + 1)
    schema = current.package.schema
    assert schema is not None
    try:
        said = current.backend.predict(fitted(rows, schema))
    except RefusedError as error:
        last = before + table.num_rows
        raise UsageError(f"{source}, rows {before + 1:,} to {last:,}: {error}") from error
    if not isinstance(said, list) or len(said) != table.num_rows:
        raise UsageError("The model does not say one thing of each row, so there is no file to write.")
    for name, column in predictions_by_column(said).items():
        if name in table.column_names:
            raise UsageError(f"{source} has a column `{name}` already. Rename it.")
        table = table.append_column(name, column)
    return table


def _put(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        pq.write_table(table, temporary)
        temporary.replace(path)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _join(parts: list[Path], target: Path) -> None:
    """Write the parts, one after the other, to the target, whole or not at all."""
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    temporary = parts[0].with_name("whole")  # what a kill leaves behind goes with the parts
    schema = pq.read_schema(parts[0])
    kind = pq.ParquetWriter if target.suffix == ".parquet" else pc.CSVWriter
    with kind(temporary, schema) as writer:
        for part in parts:
            writer.write_table(pq.read_table(part, partitioning=None).cast(schema))
    temporary.replace(target)
