"""DataFrames and Series as Arrow IPC files, uncompressed: written and read at the speed of memory, and mapped."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.errors import CorruptBlobError
from stagebook.store.blocks import Layout, assembled, from_columns, in_one_piece, plain_blocks, to_columns
from stagebook.store.maps import PrivateMap, private_memory
from stagebook.store.sinks import HashingSink

if TYPE_CHECKING:
    import pandas as pd

_KIND = b"stagebook.frame.2"
"""Where in the schema's metadata it is noted what the file holds; to be renamed when that means something else."""

_SAMPLE = b"stagebook.sample"
"""Where the frame's first row is, as an Arrow stream: labels and dtypes, with categories."""


class FrameCodec:
    """Arrow IPC for frames that Arrow gives back exactly; the others are left to pickle.

    Blocks of plain numbers are kept as they lie in memory (`blocks`), and are there again when the file is mapped: an
    in-place change copies the pages that it touches. All else is Arrow's own (strings and other columns that lie in
    Arrow's memory: mapped, too, and never written to) or copied (nullable numbers).
    """

    name = "frame"

    def handles(self, kind: type) -> bool:
        """Whether values of this type are pandas frames or series (subclasses carry more than Arrow keeps)."""
        return kind.__name__ in ("DataFrame", "Series") and kind.__module__.split(".")[0] == "pandas"

    def write(self, value: pd.DataFrame | pd.Series[Any], path: Path) -> bool:
        """As `write_to`, to a file."""
        with path.open("wb") as file:
            return self.write_to(value, HashingSink(file))

    def write_to(self, value: pd.DataFrame | pd.Series[Any], sink: HashingSink) -> bool:
        """Write `value`; False where its labels, attributes or dtypes would not survive."""
        import pyarrow as pa

        frame = _as_frame(value)
        if frame is None or not _plain(frame):
            return False
        try:
            table = _table(frame)
        except (pa.ArrowException, TypeError, ValueError):
            return False
        if table is None:
            return False
        kind = {"series": value is not frame, "name": None if value is frame else value.name}
        kind |= json.loads(table.schema.metadata[_KIND])
        table = table.replace_schema_metadata({**table.schema.metadata, _KIND: json.dumps(kind).encode()})
        with pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return True

    def read(self, path: Path) -> pd.DataFrame | pd.Series[Any]:
        """As `read_from`, from a file."""
        return self.read_from(private_memory(path))

    def read_from(self, memory: PrivateMap | bytearray) -> pd.DataFrame | pd.Series[Any]:
        """The value; it may be written to in place (`df.loc[0, "x"] = 1`), which changes this process's copy only.

        Raises:
            CorruptBlobError: it was written by another version of Stagebook.
        """
        import pyarrow as pa

        table = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(memory))).read_all()
        if _KIND not in (table.schema.metadata or {}):
            raise CorruptBlobError("A stored frame was written by another version of Stagebook.")
        kind = json.loads(table.schema.metadata[_KIND])
        frame = _frame(table, kind["others"], [_layout(one) for one in kind["blocks"]], memory)
        if not kind["series"]:
            return frame
        series = frame["value"]
        series.name = kind["name"]
        return series


def _table(frame: pd.DataFrame) -> Any:
    """The frame as a table: index and columns that Arrow converts, then blocks of plain numbers.

    None where it would not come back exactly. Arrow keeps the numbers, so a look at labels and dtypes is enough.
    """
    import pyarrow as pa

    sample = _as_stream(pa.Table.from_pandas(frame.iloc[:1]))
    blocks = plain_blocks(frame)
    plain = {place for layout, _ in blocks for place in layout.places}
    others = pa.Table.from_pandas(frame.iloc[:, [place for place in range(frame.shape[1]) if place not in plain]])
    index = _to_pandas(others).index
    if not (_is_exact(frame.iloc[:1], _from_stream(sample)) and _same_labels(frame.index, index)):
        return None
    names, columns = list(others.column_names), [in_one_piece(column) for column in others.columns]
    for layout, array in blocks:
        found = to_columns(layout, array)
        columns += found
        names += [f"{layout.places[number]}: {frame.columns[layout.places[number]]}" for number in range(len(found))]
    kind = {"others": others.num_columns, "blocks": [asdict(layout) for layout, _ in blocks]}
    metadata = {**(others.schema.metadata or {}), _SAMPLE: sample, _KIND: json.dumps(kind).encode()}
    return pa.table(columns, names=names).replace_schema_metadata(metadata)


def _frame(table: Any, others: int, layouts: Sequence[Layout], memory: PrivateMap | bytearray) -> pd.DataFrame:
    sample = _from_stream(table.schema.metadata[_SAMPLE])
    converted = _to_pandas(table.select(range(others))).copy()
    blocks: list[tuple[Any, tuple[int, ...]]] = []
    columns = iter(table.columns[others:])
    for layout in layouts:
        of_block = list(itertools.islice(columns, 1 if layout.by_rows else len(layout.places)))
        array = from_columns(layout, of_block, len(converted), memory)
        blocks.append((_like(sample.iloc[:, layout.places[0]].array, array), layout.places))
    plain = {place for layout in layouts for place in layout.places}
    rest = [place for place in range(sample.shape[1]) if place not in plain]
    blocks += [(one.values, tuple(rest[place] for place in one.mgr_locs.as_array)) for one in converted._mgr.blocks]
    return assembled(blocks, converted.index, sample.columns)


def _layout(record: dict[str, Any]) -> Layout:
    return Layout(**{**record, "places": tuple(record["places"])})


def _like(values: Any, array: Any) -> Any:
    """The array, as pandas' own kind of array (dates, categories) if `values` are of one."""
    import pandas as pd

    return array if isinstance(values, pd.arrays.NumpyExtensionArray) else values._from_backing_data(array)


def _as_stream(table: Any) -> bytes:
    import pyarrow as pa

    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    content: bytes = stream.getvalue().to_pybytes()
    return content


def _from_stream(content: bytes) -> pd.DataFrame:
    import pyarrow as pa

    return _to_pandas(pa.ipc.open_stream(content).read_all())


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
    """Dtypes and labels as they were."""
    return (
        _same_labels(before.columns, after.columns)
        and _same_labels(before.index, after.index)
        and all(_same_dtype(*pair) for pair in zip(before.dtypes, after.dtypes, strict=True))
    )


def _same_labels(before: pd.Index, after: pd.Index) -> bool:
    return type(before) is type(after) and before.identical(after) and _same_dtype(before.dtype, after.dtype)


def _same_dtype(before: Any, after: Any) -> bool:
    """Equal, and in those respects too in which pandas calls dtypes equal that are not the same."""
    import pandas as pd

    if type(before) is not type(after) or before != after:
        return False
    if isinstance(before, pd.CategoricalDtype):
        return bool(before.categories.identical(after.categories) and before.ordered == after.ordered)
    return not isinstance(before, pd.DatetimeTZDtype) or type(before.tz) is type(after.tz)


codec = FrameCodec()
