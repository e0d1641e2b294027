"""Arrow arrays of plain values, made of buffers: `pyarrow.array` would import pandas, where there is one.

That takes a second, in which a busy service writes no log, and half as much memory again as the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    Array = np.ndarray[Any, Any]


def of_numbers(values: Array, missing: Array | None = None) -> pa.Array:
    """An array of numbers, of true and false, or of times in UTC (`datetime64[us]`).

    Args:
        values: them.
        missing: which are missing; None: those that are not a number.
    """
    import numpy as np
    import pyarrow as pa

    if missing is None:
        missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    if values.dtype.kind == "M":
        kind = pa.timestamp("us", tz="UTC")
    else:
        kind = {
            "f8": pa.float64(),
            "f4": pa.float32(),
            "i8": pa.int64(),
            "i4": pa.int32(),
            "b1": pa.bool_(),
        }[values.dtype.str[1:]]
    content = np.packbits(values, bitorder="little") if values.dtype.kind == "b" else np.ascontiguousarray(values)
    return pa.Array.from_buffers(kind, len(values), [_known(missing), pa.py_buffer(content)])


def of_texts(values: Sequence[str | None]) -> pa.Array:
    """An array of texts; None is missing."""
    import numpy as np
    import pyarrow as pa

    parts = [b"" if value is None else value.encode("utf-8", "replace") for value in values]
    offsets = np.zeros(len(parts) + 1, dtype="i8")
    np.cumsum([len(part) for part in parts], out=offsets[1:])
    missing = np.array([value is None for value in values], dtype=bool)
    buffers = [_known(missing), pa.py_buffer(offsets), pa.py_buffer(b"".join(parts))]
    return pa.Array.from_buffers(pa.large_string(), len(parts), buffers)


def of_values(values: Sequence[Any]) -> pa.Array | None:
    """An array of values that are all numbers, all true or false, or all texts, where they are not None; else None."""
    import numpy as np

    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {str}:
        return of_texts(values)
    if not kinds or not (kinds <= {int, float} or kinds == {bool}):
        return None
    missing = np.array([value is None for value in values], dtype=bool)
    try:
        kind = "f8" if float in kinds else "?" if bool in kinds else "i8"
        return of_numbers(np.array([0 if value is None else value for value in values], dtype=kind), missing)
    except OverflowError:  # an integer of more than 64 bits
        return None


def _known(missing: Array) -> pa.Buffer | None:
    """Arrow's bitmap of what is there."""
    import numpy as np
    import pyarrow as pa

    return pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
