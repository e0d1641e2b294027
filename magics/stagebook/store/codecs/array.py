"""NumPy arrays as npy files, mapped when read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from stagebook.store.maps import PrivateMap, private_memory
from stagebook.store.sinks import HashingSink

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SMALL = 4096
"""Bytes below which an array is cheaper inside the pickle than in a file of its own."""

_HEADER = 1 << 17
"""More bytes than a header of the format's first version can have; later ones are for dtypes of very many fields."""


class ArrayCodec:
    """npy for arrays of plain numbers that own their memory; the others are left to pickle."""

    name = "array"

    def handles(self, kind: type) -> bool:
        """Whether values of this type are plain NumPy arrays."""
        return kind.__name__ == "ndarray" and kind.__module__ == "numpy"

    def write(self, value: npt.NDArray[Any], path: Path) -> bool:
        """As `write_to`, to a file."""
        with path.open("wb") as file:
            return self.write_to(value, HashingSink(file))

    def write_to(self, value: npt.NDArray[Any], sink: HashingSink) -> bool:
        """Write `value`; False where it is small, holds objects, or has a dtype that npy does not keep."""
        import numpy as np

        if value.nbytes < _SMALL or not _kept(value.dtype) or not value.flags.writeable:
            return False
        whole = value if value.flags.forc else np.ascontiguousarray(value)
        header: Any = io.BytesIO()
        try:
            np.lib.format.write_array_header_1_0(header, np.lib.format.header_data_from_array_1_0(whole))
        except ValueError:  # too long, or names that are not Latin
            np.lib.format.write_array(cast("Any", sink), whole, allow_pickle=False)
        else:
            sink.write(header.getvalue())
            sink.write(whole.ravel("K").view(np.uint8).data)
        return True

    def read(self, path: Path) -> npt.NDArray[Any]:
        """As `read_from`, from a file."""
        return self.read_from(private_memory(path))

    def read_from(self, memory: PrivateMap | bytearray) -> npt.NDArray[Any]:
        """The array, in this memory: writing to it changes this process's copy only."""
        import numpy as np

        head: Any = io.BytesIO(memory[:_HEADER])
        if np.lib.format.read_magic(head) != (1, 0):
            head = io.BytesIO(memory)
            whole: npt.NDArray[Any] = np.lib.format.read_array(head, max_header_size=len(memory))
            return whole
        shape, by_columns, dtype = np.lib.format.read_array_header_1_0(head, max_header_size=_HEADER)
        array: npt.NDArray[Any] = np.ndarray(shape, dtype, memory, head.tell(), order="F" if by_columns else "C")
        return array


def _kept(dtype: np.dtype[Any]) -> bool:
    """Whether npy keeps the dtype: it loses a structure's alignment and class, and has no room for objects."""
    import numpy as np

    if dtype.hasobject or dtype.metadata:
        return False
    plain = np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype))
    return bool(plain == dtype and plain.type is dtype.type and plain.isalignedstruct == dtype.isalignedstruct)


codec = ArrayCodec()
