"""How NumPy's arrays are pickled that are more than their numbers: views, maps of files, masks, attributes."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from stagebook.errors import CorruptBlobError
from stagebook.store.digests import digest_of
from stagebook.store.memory import Block, address_of, block_around, bounds_of, owner_of

if TYPE_CHECKING:
    import numpy as np

    from stagebook.store.memory import Array

_SMALL = 4096

_OF_ITS_FILE = ("r", "r+", "w+")
"""Modes in which a map is its file's content; one that is copied on write is not."""


@dataclass(frozen=True, slots=True)
class View:
    """Where in an array's memory another lies."""

    block: Array
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]
    writeable: bool


@dataclass(frozen=True, slots=True)
class Map:
    """Which part of a file an array is, and the digest of what was there."""

    path: str
    mode: str
    offset: int
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    order: str
    digest: str


@functools.lru_cache(maxsize=1024)
def is_array(kind: Any) -> bool:
    """Whether this is an array's class that leaves pickling to NumPy."""
    numpy = sys.modules.get("numpy")
    return (
        numpy is not None
        and issubclass(kind, numpy.ndarray)
        and kind.__reduce__ is numpy.ndarray.__reduce__
        and kind.__reduce_ex__ is numpy.ndarray.__reduce_ex__
    )


def is_made_from_another(array: Array, blocks: Mapping[int, list[Block]]) -> bool:
    """Whether the array is to be made from other memory, or a file, when it is loaded."""
    return _mapped_owner(array) is not None or _view(array, blocks) is not None


def reduce_array(part: Any, blocks: Mapping[int, list[Block]]) -> tuple[Any, ...] | None:
    """How to make an array anew; None where NumPy's own way keeps all of it, and for what is no array.

    Args:
        part: anything.
        blocks: memory that more than one of the arrays to be kept lie in.
    """
    kind: type = type(part)
    if not is_array(kind):
        masked = kind.__name__ == "MaskedArray" and kind.__module__.startswith("numpy.ma")
        return (_masked, (part._data,), vars(part), None, None, _set_attributes) if masked else None
    array: Array = part
    numpy = sys.modules["numpy"]
    mapped = _mapped_owner(array)
    if mapped is array:
        return (_map, (_map_of(array),))
    view = _view(array, blocks) if mapped is None else _view_of(array, mapped, bounds_of(mapped)[0])
    if view is not None:
        attributes = _attributes(array)
        return (_as_view, (view, kind), *((attributes, None, None, _set_attributes) if attributes else ()))
    if kind is numpy.ndarray:
        return _reduce_small(array)
    attributes = _attributes(array)
    if not attributes:
        return None
    make, arguments, state = cast("tuple[Any, ...]", array.__reduce__())
    return (make, arguments, (state, attributes), None, None, _restore)


def _reduce_small(array: Array) -> tuple[Any, ...] | None:
    """As an array that owns its memory, so that it can be resized, too; NumPy's own way lays it in the pickle's."""
    if array.nbytes >= _SMALL or not array.flags.writeable or array.dtype.hasobject:
        return None
    order: Any = "F" if array.flags.fnc else "C"
    return (_owned, (array.tobytes(order), array.shape, array.dtype, order))


def _owned(content: bytes, shape: tuple[int, ...], dtype: np.dtype[Any], order: Any) -> Array:
    import numpy as np

    laid: Array = np.ndarray(shape, dtype, content, order=order)
    made: Array = laid.copy(order)
    return made


def _mapped_owner(array: Array) -> Array | None:
    """The map of a user's file that the array lies in."""
    numpy = sys.modules["numpy"]
    owner: Any = owner_of(array)
    if not isinstance(owner, numpy.memmap) or owner.mode not in _OF_ITS_FILE or owner.filename is None:
        return None
    return owner if owner.flags.forc else None


def _view(array: Array, blocks: Mapping[int, list[Block]]) -> View | None:
    block = block_around(array, blocks) if blocks else None
    if block is None or block.array is array:
        return None
    if (array.dtype.hasobject or block.array.dtype.hasobject) and array.dtype != block.array.dtype:
        return None
    return _view_of(array, block.array, block.low)


def _view_of(array: Array, memory: Array, low: int) -> View:
    return View(memory, address_of(array) - low, array.shape, array.strides, array.dtype, array.flags.writeable)


def _attributes(array: Array) -> dict[str, Any]:
    """What an array of a class of its own has beside its numbers; a map's are its file's."""
    numpy = sys.modules["numpy"]
    return {} if isinstance(array, numpy.memmap) else getattr(array, "__dict__", {})


def _as_view(view: View, kind: type) -> Array:
    import numpy as np

    flat = np.asarray(view.block).ravel("K")
    made: Any
    if view.dtype.hasobject:
        start = view.offset // view.dtype.itemsize
        made = np.lib.stride_tricks.as_strided(flat[start:], view.shape, view.strides)
    else:
        made = np.ndarray(view.shape, view.dtype, flat.view(np.uint8), view.offset, view.strides)
    if kind is not np.ndarray:
        made = made.view(kind)
    if isinstance(view.block, np.memmap) and isinstance(made, np.memmap):
        vars(made).update(vars(view.block))
    if made.flags.writeable and not view.writeable:
        made.flags.writeable = False
    return made  # type: ignore[no-any-return]


def _map_of(array: Any) -> Map:
    order = "C" if array.flags.c_contiguous else "F"
    digest = digest_of(array.ravel("K").view("u1").data)
    return Map(str(array.filename), array.mode, array.offset, array.shape, array.dtype, order, digest)


def _map(which: Map) -> Any:
    """The map, on the file that it was on.

    Raises:
        CorruptBlobError: the file does not hold what it held any more.
    """
    import numpy as np

    mode: Any = "r" if which.mode == "r" else "r+"
    order: Any = which.order
    made: Any = None
    with contextlib.suppress(OSError, ValueError):  # gone, or too short
        made = np.memmap(which.path, which.dtype, mode, which.offset, which.shape, order)
    if made is None or _map_of(made).digest != which.digest:
        raise CorruptBlobError(f"The file {which.path}, which an array is a map of, has changed since.")
    return made


def _masked(numbers: Array) -> Any:
    import numpy as np

    return numbers.view(np.ma.MaskedArray)


def _set_attributes(made: Any, attributes: dict[str, Any]) -> None:
    vars(made).update(attributes)


def _restore(made: Any, state: tuple[Any, dict[str, Any]]) -> None:
    made.__setstate__(state[0])
    vars(made).update(state[1])
