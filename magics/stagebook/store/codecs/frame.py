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
        import pyarrow as pa

        frame = _as_frame(value)
        if frame is None or not _plain(frame):
            return False
        try:
            table = pa.Table.from_pandas(frame)
            if not _is_exact(frame, _to_pandas(table)):
                return False
        except (pa.ArrowException, TypeError, ValueError):
            return False
        kind = {"series": value is not frame, "name": None if value is frame else value.name}
        table = table.replace_schema_metadata({**(table.schema.metadata or {}), _KIND: json.dumps(kind).encode()})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return True

    def read(self, path: Path) -> pd.DataFrame | pd.Series[Any]:
        """The value, in memory of its own: pandas writes in place (`df.loc[0, "x"] = 1`), and maps refuse that."""
        import pyarrow as pa

        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
        kind = json.loads(table.schema.metadata[_KIND])
        frame: pd.DataFrame = _to_pandas(table).copy()
        if not kind["series"]:
            return frame
        series = frame["value"]
        series.name = kind["name"]
        return series


def _as_frame(value: pd.DataFrame | pd.Series[Any]) -> pd.DataFrame | None:
    """The value, or a frame of the series; None where it carries what a file of columns has no place for."""
    import pandas as pd

    if value.attrs or not value.flags.allows_duplicate_labels:
        return None
    if isinstance(value, pd.DataFrame):
        return value
    return value.to_frame("value") if value.name is None or type(value.name) is str else None


def _plain(frame: pd.DataFrame) -> bool:
    """Whether labels and dtypes are of kinds that Arrow keeps: named columns, one-level index, no Python objects."""
    import pandas as pd

    columns, index = frame.columns, frame.index
    if columns.empty or not (columns.is_unique and all(type(label) is str for label in columns)):
        return False
    if columns.name is not None or not isinstance(index.name, (str, type(None))) or index.nlevels > 1:
        return False
    if isinstance(index, (pd.CategoricalIndex, pd.IntervalIndex, pd.PeriodIndex)) or getattr(index, "freq", None):
        return False
    return all(_kept(dtype) for dtype in [*frame.dtypes, index.dtype])


def _kept(dtype: Any) -> bool:
    import numpy as np
    import pandas as pd

    if isinstance(dtype, np.dtype):
        return dtype.kind in "biufMm"
    if isinstance(dtype, pd.CategoricalDtype):
        return bool(dtype.categories.dtype.kind in "iufM" or isinstance(dtype.categories.dtype, pd.StringDtype))
    return not isinstance(dtype, (pd.PeriodDtype, pd.IntervalDtype, pd.SparseDtype)) and dtype.kind in "biufMmO"


def _to_pandas(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas(split_blocks=True)
    return frame


def _is_exact(before: pd.DataFrame, after: pd.DataFrame) -> bool:
    """Dtypes and labels as they were; Arrow keeps the numbers, so a look at these is enough."""
    return (
        type(before.columns) is type(after.columns)
        and before.columns.identical(after.columns)
        and type(before.index) is type(after.index)
        and before.index.identical(after.index)
        and _same_dtype(before.index.dtype, after.index.dtype)
        and all(_same_dtype(*pair) for pair in zip(before.dtypes, after.dtypes, strict=True))
    )


def _same_dtype(before: Any, after: Any) -> bool:
    """Equal, and in those respects too in which pandas calls dtypes equal that are not the same."""
    import pandas as pd

    if type(before) is not type(after) or before != after:
        return False
    if isinstance(before, pd.CategoricalDtype):
        return bool(before.categories.identical(after.categories) and before.ordered == after.ordered)
    return not isinstance(before, pd.DatetimeTZDtype) or type(before.tz) is type(after.tz)


codec = FrameCodec()
