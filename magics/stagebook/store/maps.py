"""Blobs' files as memory that can be written to: what is written stays in this process and never reaches the file.

A big file is mapped copy-on-write: nothing is copied but the pages that are written to, when they are. The operating
system knows which these are, so that what was not written to need not be read to see that it has not changed.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_BIG = 1 << 20
"""Bytes from which a file is mapped; a smaller one is read."""

_MOST = 128
"""Maps at a time: each takes two of the files that a process may have open, which are often 1024."""

_PRESENT_OR_SWAPPED, _OF_FILE = 0b11 << 62, 1 << 61
"""Bits of an entry of Linux' `pagemap`; a page in use that is not the file's is the process's own, as it was written
to. (https://docs.kernel.org/admin-guide/mm/pagemap.html)"""


class PrivateMap(mmap.mmap):
    """A file in memory, copied on write.

    Attributes:
        address: of its first byte.
        original: the file's content, whatever was written to the map.
    """

    address: int
    original: mmap.mmap

    def pages_written(self) -> npt.NDArray[np.bool_] | None:
        """For each page, whether it may have been written to; None where the operating system does not tell."""
        return _pages_written(self) if _can_tell() else None


_maps: weakref.WeakSet[PrivateMap] = weakref.WeakSet()


def private_memory(path: Path) -> PrivateMap | bytearray:
    """The content of a file, in memory that this process may write to without changing the file."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size < _BIG or len(_maps) >= _MOST:
            content = bytearray(size)
            del content[file.readinto(content) :]
            return content
        made = PrivateMap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        made.original = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    made.address = address_of_memory(made)
    _maps.add(made)
    return made


def address_of_memory(memory: PrivateMap | bytearray) -> int:
    """The address of its first byte; 0 where it is empty."""
    return ctypes.addressof(ctypes.c_char.from_buffer(memory)) if len(memory) else 0


def map_around(low: int, high: int) -> PrivateMap | None:
    """The map in which this memory lies, from its first address to that behind its last."""
    return next((one for one in list(_maps) if one.address <= low and high <= one.address + len(one)), None)


@functools.lru_cache(maxsize=1)
def _can_tell() -> bool:
    """Whether written pages are told from others here; tried on a page of this very file."""
    try:
        with Path(__file__).open("rb") as file, PrivateMap(file.fileno(), 0, access=mmap.ACCESS_COPY) as probe:
            probe.address = address_of_memory(probe)
            first = probe[0]
            untouched = _pages_written(probe)
            probe[0] = first
            touched = _pages_written(probe)
    except (OSError, ValueError):
        return False
    return untouched is not None and touched is not None and not untouched[0] and bool(touched[0])


def _pages_written(memory: PrivateMap) -> Any:
    import numpy as np

    count = -(-len(memory) // mmap.PAGESIZE)
    try:
        with open("/proc/self/pagemap", "rb", buffering=0) as file:  # noqa: PTH123 - no path that is looked for
            raw = os.pread(file.fileno(), 8 * count, memory.address // mmap.PAGESIZE * 8)
    except OSError:  # not Linux, or not allowed
        return None
    entries = np.frombuffer(raw, np.uint64)
    if len(entries) != count:
        return None
    return ((entries & np.uint64(_PRESENT_OR_SWAPPED)) != 0) & ((entries & np.uint64(_OF_FILE)) == 0)
