"""What a value was at a moment, to be compared with what it is later.

Its objects are pickled and digested; its numbers are digested apart, piece by piece. A piece that lies in a blob's map
where nobody has written to is what the blob says: it is not read at all, unless it is to be compared with one that
lies elsewhere or was written to.
"""

from __future__ import annotations

import functools
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stagebook.store.digests import digest_of, digest_of_big
from stagebook.store.maps import PrivateMap, map_around
from stagebook.store.memory import address_of, bounds_of

if TYPE_CHECKING:
    from stagebook.store.memory import Array


class Untouched:
    """Numbers that are still those of the blob that they are mapped from.

    Args:
        memory: the map.
        array: the numbers, which lie in it.
    """

    def __init__(self, memory: PrivateMap, array: Array) -> None:
        self._place = (address_of(array) - memory.address, array.shape, array.strides, array.dtype)
        self._memory = memory

    def is_same(self, other: Untouched) -> bool:
        """Whether it is the same part of the same map."""
        return self._memory is other._memory and self._place == other._place

    @functools.cached_property
    def digest(self) -> str:
        """The digest of the numbers, from the blob: the map may have been written to since."""
        import numpy as np

        start, shape, strides, dtype = self._place
        return digest_of_array(np.ndarray(shape, dtype, self._memory.original, start, strides))


Piece = str | Untouched


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a value was.

    Attributes:
        objects: the digest of its pickle, without big pieces.
        pieces: these, each with its digest, or where it is found.
    """

    objects: str
    pieces: tuple[Piece, ...]

    def is_same(self, other: Snapshot | None) -> bool:
        """Whether the value was the same both times."""
        return (
            other is not None
            and self.objects == other.objects
            and len(self.pieces) == len(other.pieces)
            and all(_same(*pair) for pair in zip(self.pieces, other.pieces, strict=True))
        )

    def digest(self) -> str:
        """One digest for all of it."""
        return digest_of(self.objects.encode(), *(_digest(piece).encode() for piece in self.pieces))


def pieces_now() -> Callable[[Array], Piece]:
    """A function that gives the piece for an array, as of one moment: what was written to is asked for once."""
    written: dict[int, Any] = {}

    def piece(array: Array) -> Piece:
        memory = map_around(*bounds_of(array))
        if memory is None:
            return digest_of_array(array)
        if id(memory) not in written:
            written[id(memory)] = memory.pages_written()
        return Untouched(memory, array) if _is_untouched(array, memory, written[id(memory)]) else digest_of_array(array)

    return piece


def digest_of_array(array: Array) -> str:
    """The digest of an array's numbers in the order of their indices, however they lie in memory."""
    import numpy as np

    return digest_of_big(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def _is_untouched(array: Array, memory: PrivateMap, written: Any) -> bool:
    if written is None:
        return False
    low, high = (address - memory.address for address in bounds_of(array))
    return not written[low // mmap.PAGESIZE : -(-high // mmap.PAGESIZE)].any()


def _same(one: Piece, other: Piece) -> bool:
    if isinstance(one, Untouched) and isinstance(other, Untouched) and one.is_same(other):
        return True
    return _digest(one) == _digest(other)


def _digest(piece: Piece) -> str:
    return piece if isinstance(piece, str) else piece.digest
