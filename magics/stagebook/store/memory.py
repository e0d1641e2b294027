"""Which arrays lie in the same memory: a write to one of them is a write to the others, so they are kept as views.

Arrays that lie in parts of their own of a larger one (the halves of a split) have nothing to do with each other: each
is kept by itself, and the larger one need not even be there.
"""

from __future__ import annotations

import bisect
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[Any]

_FEW = 16
"""Arrays whose bounds overlap are compared two by two if they are so few; if they are more, they count as sharing."""

_EFFORT = 10_000
"""Solutions that NumPy may try to tell whether two arrays have an element in common."""


@dataclass(frozen=True, slots=True)
class Block:
    """Memory that several arrays lie in.

    Attributes:
        array: the memory, as an array: one of these arrays, or a flat one around all of them.
        low: its address.
        high: the address behind its last byte.
    """

    array: Array
    low: int
    high: int


def owner_of(array: Array) -> Array:
    """The array that `array` is a view of, through all views between; itself if it is none."""
    numpy = sys.modules["numpy"]
    while True:
        base = array.base
        if type(base).__name__ == "DummyArray":  # what as_strided() and sliding windows put between
            base = getattr(base, "base", None)
        if not isinstance(base, numpy.ndarray):
            return array
        array = base


def blocks_of(arrays: Iterable[Array]) -> dict[int, list[Block]]:
    """The memory that more than one of these arrays lies in, by the id of the array that owns it, by address."""
    of_owner: dict[int, dict[int, Array]] = {}
    owners = {}
    for array in arrays:
        owner = owner_of(array)
        owners[id(owner)] = owner
        of_owner.setdefault(id(owner), {})[id(array)] = array
    found: dict[int, list[Block]] = {}
    for key, those in of_owner.items():
        if len(those) > 1:
            blocks = [_block(owners[key], members) for members in _overlapping(list(those.values()))]
            found[key] = sorted((block for block in blocks if block is not None), key=_address)
    return found


def block_around(array: Array, blocks: Mapping[int, list[Block]]) -> Block | None:
    """The block that `array` lies in."""
    candidates = blocks.get(id(owner_of(array)), ())
    if not candidates:
        return None
    low, high = bounds_of(array)
    position = bisect.bisect_right(candidates, low, key=_address) - 1
    return candidates[position] if position >= 0 and high <= candidates[position].high else None


def _address(block: Block) -> int:
    return block.low


def bounds_of(array: Array) -> tuple[int, int]:
    """The address of the array's first byte in memory, and the one behind its last."""
    low = high = address_of(array)
    for length, stride in zip(array.shape, array.strides, strict=True):
        if stride < 0:
            low += (length - 1) * stride
        else:
            high += (length - 1) * stride
    return low, high + array.itemsize


def address_of(array: Array) -> int:
    """The address of the element whose indices are all 0."""
    return int(array.__array_interface__["data"][0])


def _overlapping(arrays: list[Array]) -> Iterator[list[Array]]:
    """Those of the arrays, in groups, that have memory in common with another, directly or through a third."""
    run: list[Array] = []
    end = 0
    for low, high, array in sorted(((*bounds_of(array), array) for array in arrays), key=lambda found: found[:2]):
        if run and low >= end:
            yield from _sharing(run)
            run = []
        end = max(end, high) if run else high
        run.append(array)
    yield from _sharing(run)


def _sharing(arrays: list[Array]) -> Iterator[list[Array]]:
    """Of arrays whose bounds overlap (columns of a table, say), those that have elements in common, in groups.

    Groups whose own bounds overlap are one: the memory around one of them would hold arrays of the other.
    """
    if len(arrays) > _FEW:
        yield arrays
        return
    group = list(range(len(arrays)))
    for one, other in itertools.combinations(range(len(arrays)), 2):
        if group[one] != group[other] and _share(arrays[one], arrays[other]):
            group = [group[one] if number == group[other] else number for number in group]
    found = [[array for array, of in zip(arrays, group, strict=True) if of == number] for number in set(group)]
    yield from _joined([members for members in found if len(members) > 1])


def _joined(groups: list[list[Array]]) -> list[list[Array]]:
    joined: list[list[Array]] = []
    end = 0
    for low, high, members in sorted(((*_around(members), members) for members in groups), key=lambda found: found[:2]):
        if low < end:
            joined[-1].extend(members)
        else:
            joined.append(members)
        end = max(end, high)
    return joined


def _share(one: Array, other: Array) -> bool:
    import numpy as np

    try:
        return np.shares_memory(one, other, max_work=_EFFORT)  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _block(owner: Array, members: list[Array]) -> Block | None:
    """The memory around these arrays: one of them, if it fills it, or part of their owner; None if that has gaps."""
    import numpy as np

    low, high = _around(members)
    writeable = any(member.flags.writeable for member in members)
    for member in sorted(members, key=lambda one: (one is not owner, one.dtype.str, one.shape, one.strides)):
        if _is_all(member, low, high, writeable=writeable) and member.dtype == owner.dtype:
            return Block(member, low, high)
    first, last = bounds_of(owner)
    flat = np.asarray(owner).ravel("K")
    if last - first != owner.nbytes or not np.may_share_memory(flat, owner) or low < first or high > last:
        return None
    start, end = (low - first) // owner.itemsize, -((first - high) // owner.itemsize)
    around = flat[start:end]
    if writeable and not around.flags.writeable:
        around = around.copy()
    return Block(around, first + start * owner.itemsize, first + end * owner.itemsize)


def _around(arrays: list[Array]) -> tuple[int, int]:
    bounds = [bounds_of(array) for array in arrays]
    return min(low for low, _ in bounds), max(high for _, high in bounds)


def _is_all(array: Array, low: int, high: int, *, writeable: bool) -> bool:
    """Whether the array fills this memory, in an order that is kept, and can be written to where that is called for."""
    import numpy as np

    whole = bounds_of(array) == (low, high) and array.nbytes == high - low and array.flags.forc
    return bool(whole and type(array) is np.ndarray and (array.flags.writeable or not writeable))
