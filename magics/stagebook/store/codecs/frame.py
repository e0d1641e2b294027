"""DataFrames and Series as Arrow IPC files, uncompressed: written and read at the speed of memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_KIND = b"stagebook"


class FrameCodec:
    """Arrow IPC for frames that Arrow gives back exactly; the others are left to pickle."""

    name = "frame"

    def handles(self, kind: type) -> bool:
        """Whether values of this type are pandas frames or series (subclasses carry more than Arrow keeps)."""
        return kind.__name__ in ("DataFrame", "Series") and kind.__module__.split(".")[0] == "pandas"

    def write(self, value: pd.DataFrame | pd.Series[Any], path: Path) -> bool:
        """Write `value`; False where its labels, attributes or dtypes would not survive."""
        import pandas as pd
        import pyarrow as pa

        series = isinstance(value, pd.Series)
        frame = value.to_frame("value") if series else value
        if value.attrs or not _plain(frame):
            return False
        try:
            table = pa.Table.from_pandas(frame)
        except (pa.ArrowException, TypeError, ValueError, NotImplementedError):
            return False
        kind = json.dumps({"series": series, "name": value.name if series else None}).encode()
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KIND: kind})
        if not _same_labels(frame, _to_pandas(table)):
            return False
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return True

    def read(self, path: Path) -> pd.DataFrame | pd.Series[Any]:
        """The value, in memory of its own: pandas writes in place (`df.loc[0, "x"] = 1`), and mapped columns refuse that."""
        import pyarrow as pa

        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
        kind = json.loads(table.schema.metadata[_KIND])
        frame = _to_pandas(table).copy()
        if not kind["series"]:
            return frame
        series = frame["value"]
        series.name = kind["name"]
        return series


def _plain(frame: pd.DataFrame) -> bool:
    """Whether labels and dtypes are of the kinds that Arrow keeps: named columns, one-level index, no Python objects."""
    import pandas as pd

    columns, index = frame.columns, frame.index
    if not (columns.is_unique and all(type(label) is str for label in columns)):
        return False
    if columns.name is not None or not isinstance(index.name, (str, type(None))) or index.nlevels > 1:
        return False
    if isinstance(index, (pd.CategoricalIndex, pd.IntervalIndex, pd.PeriodIndex)) or getattr(index, "freq", None):
        return False
    return all(dtype != object and _kept(dtype) for dtype in [*frame.dtypes, index.dtype])


def _kept(dtype: Any) -> bool:
    import pandas as pd

    if isinstance(dtype, pd.CategoricalDtype):
        return bool(dtype.categories.dtype.kind in "iufM" or isinstance(dtype.categories.dtype, pd.StringDtype))
    return not isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype, pd.SparseDtype)) and dtype.kind in "biufMmO"


def _to_pandas(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(split_blocks=True)
    return frame


def _same_labels(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Dtypes and index as they were; Arrow keeps the numbers, so a look at these is enough."""
    return (
        list(before.columns) == list(after.columns)
        and list(before.dtypes) == list(after.dtypes)
        and type(before.index) is type(after.index)
        and before.index.dtype == after.index.dtype
        and before.index.equals(after.index)
        and before.columns.dtype == after.columns.dtype
    )


codec = FrameCodec()
