"""Files that are digested while they are written: the bytes pass once, and no core waits for another."""

from __future__ import annotations

import threading
from typing import BinaryIO

from blake3 import blake3

from stagebook.store.digests import hexadecimal

_BIG = 4 << 20
"""Bytes from which a thread that digests them while they are written pays."""


class HashingSink:
    """What looks like a file to write to; it can be appended to, and no more.

    Args:
        file: where the bytes go.
    """

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hasher = blake3(max_threads=1)
        self._length = 0

    def write(self, content: bytes | bytearray | memoryview) -> int:
        """Write and digest, both at a time where there is much of it."""
        view = memoryview(content).cast("B")
        if len(view) < _BIG:
            self._hasher.update(view)
            self._file.write(view)
        else:
            beside = threading.Thread(target=self._hasher.update, args=(view,))
            beside.start()
            try:
                self._file.write(view)
            finally:
                beside.join()
        self._length += len(view)
        return len(view)

    def digest(self) -> str:
        """The digest of all that was written."""
        return hexadecimal(self._hasher)

    def tell(self) -> int:
        """How much was written."""
        return self._length

    def flush(self) -> None:
        """Write out what is held back."""
        self._file.flush()

    def close(self) -> None:
        """Nothing: whoever has opened the file closes it."""

    def writable(self) -> bool:
        """Yes."""
        return True

    def readable(self) -> bool:
        """No."""
        return False

    def seekable(self) -> bool:
        """No."""
        return False
