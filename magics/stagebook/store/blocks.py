"""The blocks in which pandas holds a frame's columns, as columns of an Arrow table and back, without a copy.

Arrow would keep the numbers, but not as they lie: missing floats and dates become a bitmap, booleans bits, codes of
categories nulls; and what was one block comes back as many. Here each row of a block's memory is a column of plain
numbers; since those of a block follow one another in the file, the block is there as a whole when it is mapped. Where
the rows of a matrix lie one after the other, the matrix is one column of lists of equal length.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stagebook.store.maps import PrivateMap, address_of_memory

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Layout:
    """How a block lies in memory, and where in the frame its columns are.

    Attributes:
        places: positions of its columns in the frame.
        dtype: NumPy's name of what is stored, which is not the column's dtype where that is one of pandas' own.
        by_rows: whether the frame's rows, not its columns, lie one after the other.
        flat: whether it has one axis only.
    """

    places: tuple[int, ...]
    dtype: str
    by_rows: bool
    flat: bool


def plain_blocks(frame: pd.DataFrame) -> list[tuple[Layout, Array]]:
    """The blocks whose memory is one NumPy array of native numbers, with that array."""
    found = []
    for block in frame._mgr.blocks:
        array = stored_array(block.values)
        if array is not None and array.dtype.isnative and array.dtype.kind in "biufMm":
            by_rows = _lies_by_rows(array)
            places = tuple(int(place) for place in block.mgr_locs.as_array)
            found.append((Layout(places, array.dtype.str, by_rows, array.ndim == 1), array))
    return found


def stored_array(values: Any) -> Array | None:
    """The one array that holds a block's values: numbers, or what dates are counted in, or codes of categories."""
    import numpy as np
    import pandas as pd

    if isinstance(values, np.ndarray):
        return values
    backed = (pd.arrays.DatetimeArray, pd.arrays.TimedeltaArray, pd.Categorical)
    return values._ndarray if type(values) in backed else None


def _lies_by_rows(array: Array) -> bool:
    """Whether the rows of a block lie one after the other in memory, as in a frame that was made of a matrix.

    The last bits of sums and products depend on the order in which numbers are met.
    """
    return array.ndim == 2 and abs(array.strides[0]) < abs(array.strides[1])


def to_columns(layout: Layout, array: Array) -> list[Any]:
    """The block's numbers as Arrow arrays, in the block's own memory if it has no gaps."""
    import numpy as np
    import pyarrow as pa

    kind = _arrow_type(array.dtype)
    if layout.by_rows:
        rows = np.ascontiguousarray(array.T)
        numbers = pa.Array.from_buffers(kind, rows.size, [None, _buffer(rows)])
        return [pa.FixedSizeListArray.from_arrays(numbers, rows.shape[1])]
    columns = np.atleast_2d(np.ascontiguousarray(array))
    return [pa.Array.from_buffers(kind, len(column), [None, _buffer(column)]) for column in columns]


def from_columns(layout: Layout, columns: Sequence[Any], length: int, memory: PrivateMap | bytearray) -> Array:
    """The block's array: part of `memory` if it lies there in one piece, which may be written to in any case."""
    import numpy as np

    dtype = np.dtype(layout.dtype)
    shape = (length, len(layout.places)) if layout.by_rows else (len(layout.places), length)
    chunks = [chunk for column in columns for chunk in _chunks(column, by_rows=layout.by_rows)]
    start = _start(chunks, dtype.itemsize, address_of_memory(memory)) if length else None
    if start is not None and 0 <= start <= len(memory) - dtype.itemsize * shape[0] * shape[1]:
        array: Array = np.ndarray(shape, dtype, memory, start)
    else:
        pieces = [
            np.frombuffer(chunk.buffers()[1], dtype, len(chunk), chunk.offset * dtype.itemsize) for chunk in chunks
        ]
        array = np.concatenate([np.zeros(0, dtype), *pieces]).reshape(shape)
    return array[0] if layout.flat else array.T if layout.by_rows else array


def in_one_piece(column: Any) -> Any:
    """A column of several chunks put together; without a copy if there is one only, unlike Arrow."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _chunks(column: Any, *, by_rows: bool) -> Iterable[Any]:
    """The parts of a column in the file, as plain numbers; there are several if other columns came in parts."""
    chunks = [chunk.flatten() if by_rows else chunk for chunk in column.chunks]
    return [chunk for chunk in chunks if len(chunk)]


def _start(chunks: Sequence[Any], itemsize: int, address: int) -> int | None:
    """Where in the memory at `address` the numbers begin; None if they do not follow one another."""
    start = end = None
    for chunk in chunks:
        begin = chunk.buffers()[1].address + chunk.offset * itemsize
        if end is not None and begin != end:
            return None
        start, end = begin if start is None else start, begin + len(chunk) * itemsize
    return None if start is None else start - address


def _arrow_type(dtype: np.dtype[Any]) -> Any:
    import pyarrow as pa

    return {"b": pa.uint8, "M": pa.int64, "m": pa.int64}.get(dtype.kind, lambda: pa.from_numpy_dtype(dtype))()


def _buffer(array: Array) -> Any:
    import numpy as np
    import pyarrow as pa

    return pa.py_buffer(array.reshape(-1).view(np.uint8))


def assembled(blocks: Sequence[tuple[Any, tuple[int, ...]]], index: pd.Index, columns: pd.Index) -> pd.DataFrame:
    """A frame of these blocks: the values of each, and the positions of its columns."""
    import numpy as np
    import pandas as pd

    placed = [(values, np.array(places, np.intp)) for values, places in blocks]
    made: Any
    try:
        made = importlib.import_module("pandas.api.internals").create_dataframe_from_blocks  # pandas 3
    except ImportError:
        internals, make = (importlib.import_module(f"pandas.core.internals{name}") for name in ("", ".api"))
        made = tuple(make.make_block(values, placement=places, ndim=2) for values, places in placed)
        manager = internals.BlockManager(made, [columns, index])
        frame: Any = pd.DataFrame
        return frame._from_mgr(manager, axes=manager.axes)  # type: ignore[no-any-return]
    return made(placed, index=index, columns=columns)  # type: ignore[no-any-return]
