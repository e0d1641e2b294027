"""Tables that are looked at a column at a time: a frame in memory, or a file of which no more than a column is read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from stagebook.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

_SEED = 0
"""Of the draw of rows, so that the same tables give the same scores."""
_READERS = {".parquet": "parquet", ".pq": "parquet", ".csv": "csv", ".feather": "feather", ".arrow": "feather"}


class Table(Protocol):
    """A table.

    Attributes:
        rows: how many it has.
        names: its columns, in order; always texts.
    """

    rows: int
    names: tuple[str, ...]

    def column(self, name: str) -> pd.Series[Any]:
        """One of its columns, whole."""


class Frame:
    """A table in memory.

    Raises:
        UsageError: two of its columns go by one name.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self.rows = len(frame)
        self.names = tuple(_name(name) for name in frame.columns)
        twice = sorted({name for name in self.names if self.names.count(name) > 1})
        if twice:
            raise UsageError(f"Two columns are called `{twice[0]}`: rename one, so that it is clear which is compared.")
        self._positions = {name: position for position, name in enumerate(self.names)}
        self._frame = frame

    def column(self, name: str) -> pd.Series[Any]:
        """One of its columns."""
        found: pd.Series[Any] = self._frame.iloc[:, self._positions[name]]
        return found


class ParquetFile:
    """A Parquet file: its columns are read one by one."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet

        self._file = pyarrow.parquet.ParquetFile(path)
        self.rows = int(self._file.metadata.num_rows)
        self.names = tuple(name for name in self._file.schema_arrow.names if not name.startswith("__index_level_"))

    def column(self, name: str) -> pd.Series[Any]:
        """One of its columns."""
        found: pd.Series[Any] = self._file.read([name], use_pandas_metadata=False).column(name).to_pandas()
        return found


class _Picked:
    def __init__(self, table: Table, names: tuple[str, ...]) -> None:
        self.rows = table.rows
        self.names = names
        self.column = table.column


def picked(table: Table, names: Iterable[str]) -> Table:
    """The table with those of these columns that it has."""
    wanted = set(names)
    return _Picked(table, tuple(name for name in table.names if name in wanted))


def drawn_rows(table: Table, most: int) -> Any:
    """The positions of so many of a table's rows, in order, always the same ones; None where that is all of them."""
    if table.rows <= most:
        return None
    import numpy as np

    return np.sort(np.random.default_rng(_SEED).choice(table.rows, most, replace=False, shuffle=False))


def table_of(value: Any, said: str) -> Table:
    """What a value is as a table.

    Args:
        value: a DataFrame of pandas or polars, an Arrow table, a Series, a 2-D array, a dict of columns, a path.
        said: how it was named.

    Raises:
        UsageError: it is no table.
    """
    import pandas as pd

    if isinstance(value, (Frame, ParquetFile, _Picked)):
        return value
    if isinstance(value, (str, Path)):
        return file_table(Path(value))
    if isinstance(value, pd.DataFrame):
        return Frame(value)
    if isinstance(value, pd.Series):
        return Frame(value.to_frame(value.name if value.name is not None else "value"))
    if hasattr(value, "to_pandas"):
        return table_of(value.to_pandas(), said)
    if isinstance(value, Mapping) or getattr(value, "ndim", 0) == 2:
        try:
            return Frame(pd.DataFrame(value))
        except ValueError as error:
            raise UsageError(f"`{said}` cannot be made a table of: {error}.") from error
    raise UsageError(f"`{said}` is no table: it is of type {type(value).__qualname__}. Give a DataFrame or a file.")


def file_table(path: Path) -> Table:
    """The table in a file.

    Raises:
        UsageError: there is no such file, or it holds no table.
    """
    kind = _READERS.get(path.suffix.lower())
    if not path.is_file():
        raise UsageError(f"There is no file {path}.{_like(path)}")
    if path.suffix == ".ipynb":
        raise UsageError(f"{path} is a notebook. Name what a stage of it made: {path}:NAME.")
    if kind is None:
        raise UsageError(f"{path.name} is no file of a table that is known: {', '.join(_READERS)}.")
    import pandas as pd

    try:
        if kind == "parquet":
            return ParquetFile(path)
        return Frame(pd.read_csv(path) if kind == "csv" else pd.read_feather(path))
    except UsageError:
        raise
    except Exception as error:  # readers raise what they like
        cause = str(error).strip().partition("\n")[0]
        raise UsageError(f"{path} cannot be read as {kind}: {cause}.") from error


def _like(path: Path) -> str:
    """A table beside it of which the name may be a slip, or how models are named."""
    import difflib

    if re.fullmatch(r"[^/:@]+@[^/:@]+", str(path)):
        return f" If a model's training data is meant, write models:/{path}."
    beside = [one.name for one in path.parent.glob("*") if one.suffix.lower() in _READERS]
    close = difflib.get_close_matches(path.name, beside, n=1)
    return f" Did you mean `{path.with_name(close[0])}`?" if close else ""


def _name(name: Any) -> str:
    return name if isinstance(name, str) else ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)
