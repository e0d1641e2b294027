"""NumPy arrays as npy files, mapped when read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SMALL = 4096
"""Bytes below which an array is cheaper inside the pickle than in a file of its own."""


class ArrayCodec:
    """npy for arrays of plain numbers that own their memory; the others are left to pickle."""

    name = "array"

    def handles(self, kind: type) -> bool:
        """Whether values of this type are plain NumPy arrays."""
        return kind.__name__ == "ndarray" and kind.__module__ == "numpy"

    def write(self, value: npt.NDArray[Any], path: Path) -> bool:
        """Write `value`; False where it is small, holds objects, or has a dtype that npy does not keep."""
        import numpy as np

        if value.nbytes < _SMALL or not _kept(value.dtype) or not value.flags.writeable:
            return False
        with path.open("wb") as file:
            np.lib.format.write_array(file, value, allow_pickle=False)
        return True

    def read(self, path: Path) -> npt.NDArray[Any]:
        """The array, mapped copy-on-write: writing to it changes this process's copy only."""
        import numpy as np

        mapped: np.memmap[Any, Any] = np.lib.format.open_memmap(path, mode="c")
        return np.asarray(mapped).view(np.ndarray)


def _kept(dtype: np.dtype[Any]) -> bool:
    """Whether npy keeps the dtype: it loses a structure's alignment and class, and has no room for objects."""
    import numpy as np

    if dtype.hasobject or dtype.metadata:
        return False
    plain = np.lib.format.descr_to_dtype(np.lib.format.dtype_to_descr(dtype))
    return bool(plain == dtype and plain.type is dtype.type and plain.isalignedstruct == dtype.isalignedstruct)


codec = ArrayCodec()
