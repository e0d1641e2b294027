"""Digests of what values mean, the same in every process: for values that were made in different ones."""

from __future__ import annotations

import copy
import io
import itertools
import pickle
import pickletools
import sys
import types
from collections.abc import Iterable, Mapping
from typing import Any

from stagebook.store.contents import ContentPickler
from stagebook.store.digests import digest_of
from stagebook.store.pickler import CannotStoreError

__all__ = ["CannotStoreError", "drawn", "figure_of", "looked_at", "meaning_of"]

_LONGEST_PICKLE = 1 << 20
"""Bytes of a pickle that is taken apart."""
_ATOMS = {bool, bytes, complex, float, int, str, type(None)}
_EMPTY: tuple[Any, ...] = ([], (), "", b"", range(0), {})
_ITERATORS = tuple(type(iter(empty)) for empty in _EMPTY)


class _Looking(ContentPickler):
    """As stored values are told apart, but by what can be seen of them in Python, without using private parts.

    It is blind to which of several equal texts, dtypes, arrays or labels an object holds, to how tables lie in memory,
    and to the names of files that code is from. Of what Matplotlib draws it sees the picture.

    Args:
        namespace: the notebook's globals.
        by_name: modules whose functions and classes are known by their names alone.
    """

    def __init__(self, *, namespace: dict[str, Any], setup: Mapping[int, str], by_name: Iterable[str] = ()) -> None:
        super().__init__(namespace=namespace, setup=setup)
        self._by_name = frozenset(by_name)
        self.definitions: dict[str, None] = {}

    def persistent_id(self, part: Any) -> Any:
        meaning = self._name_of(part) or self._of_pickle(part) or _meaning(part, self._by_name)
        return super().persistent_id(part) if meaning is None else int(meaning[:32], 16)

    def _name_of(self, part: Any) -> str | None:
        """What stands for a function or a class that is known by its name."""
        if not isinstance(part, (types.FunctionType, type)) or part.__module__ not in self._by_name:
            return None
        self.definitions[part.__name__] = None
        code = getattr(part, "__code__", None)
        takes = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code is not None else ()
        return digest_of(b"definition", part.__name__.encode(), repr(takes).encode())

    def _of_pickle(self, part: Any) -> str | None:
        """What stands for bytes that pickle has made, and that name a module whose definitions are known by name."""
        if type(part) is not bytes or part[:1] != pickle.PROTO or len(part) > _LONGEST_PICKLE:
            return None
        if not any(name.encode() in part for name in self._by_name):
            return None
        try:
            found = [(code.name, argument) for code, argument, _ in pickletools.genops(part) if code.name != "FRAME"]
        except Exception:  # it only begins as a pickle does
            return None
        for (_, module), (_, name) in itertools.pairwise([one for one in found if one[1] is not None]):
            if module in self._by_name:
                self.definitions[str(name)] = None
        plain = [(code, "" if argument in self._by_name else argument) for code, argument in found]
        return digest_of(b"pickle", repr(plain).encode("utf-8", "surrogatepass"))

    def reducer_override(self, part: Any) -> Any:
        if (figure := figure_of(part)) is not None:
            return (tuple, ((f"{type(part).__qualname__} {drawn(figure)}", _shown_of(part)),))
        if type(part) in _ITERATORS:
            return (iter, (list(copy.copy(part)),))
        if type(part).__name__ == "Bunch":  # scikit-learn's: it leaves out what it does not show
            return (dict, (list(part.items()),))
        if type(part).__name__ in ("DataFrameGroupBy", "SeriesGroupBy"):
            return (dict, (list(part),))
        reduced = super().reducer_override(part)
        if isinstance(part, type) and isinstance(reduced, tuple) and len(reduced) > 2:
            make, arguments, (members, *more), *rest = reduced
            # Their order differs where a class was made again; its module stands among the arguments, too.
            members = {name: member for name, member in sorted(members.items()) if name != "__module__"}
            # The number by which it is found again is left out.
            return (make, (*arguments[:-2], part.__qualname__), (members, *more), *rest)
        return reduced


def meaning_of(value: Any) -> str:
    """A digest of the value.

    Raises:
        CannotStoreError: it has none.
    """
    return looked_at(value)[0]


def looked_at(value: Any, *, by_name: Iterable[str] = ()) -> tuple[str, tuple[str, ...]]:
    """A digest of the value, and the functions and classes in it that are told by their names alone.

    Args:
        value: what to look at.
        by_name: modules whose functions and classes are told so.

    Raises:
        CannotStoreError: it has none.
    """
    looking = _Looking(namespace=vars(sys.modules["__main__"]), setup={}, by_name=by_name)
    looking.dump_value(value)
    return looking.snapshot().digest(), tuple(looking.definitions)


def _meaning(part: Any, by_name: Iterable[str]) -> str | None:
    """A digest of what can be told apart by content alone; None for what is taken apart further."""
    kind = type(part)
    if kind is str:
        return digest_of(b"str", part.encode("utf-8", "surrogatepass"))
    if kind is bytes:
        return digest_of(b"bytes", part)
    if kind is tuple and {type(one) for one in part} <= _ATOMS:  # equal ones may be one object, or not
        return digest_of(b"tuple", repr(part).encode("utf-8", "surrogatepass"))
    if kind.__name__ == "StringDtype":  # pandas has one object for many columns, or one for each
        return digest_of(b"dtype", f"{part!r} {getattr(part, 'storage', '')}".encode())
    if kind is types.CodeType:
        told_apart = (part.co_name, part.co_code, part.co_consts, part.co_names, part.co_varnames, part.co_freevars)
        return digest_of(b"code", meaning_of(told_apart).encode())
    if isinstance(part, types.ModuleType):
        return digest_of(b"module", part.__name__.encode())
    if kind in (set, frozenset):
        each = (looked_at(one, by_name=by_name)[0] for one in part)
        return digest_of(kind.__name__.encode(), *(one.encode() for one in sorted(each)))
    numpy, arrow = sys.modules.get("numpy"), sys.modules.get("pyarrow")
    if numpy is not None and isinstance(part, numpy.dtype):
        return digest_of(b"dtype", repr(part).encode())
    if numpy is not None and kind in (numpy.ndarray, numpy.memmap) and not part.dtype.hasobject:
        return _of_array(part)
    if arrow is not None and isinstance(part, (arrow.Array, arrow.ChunkedArray)):
        return digest_of(b"arrow", str(part.type).encode(), meaning_of(part.to_pylist()).encode())
    return _of_labels(part)


def _of_labels(part: Any) -> str | None:
    """Of plain labels of pandas, which nobody can change: tables may have one object of them, or each its own."""
    pandas, numpy = sys.modules.get("pandas"), sys.modules.get("numpy")
    if pandas is None or numpy is None or type(part) not in (pandas.Index, pandas.RangeIndex):
        return None
    if isinstance(part.dtype, numpy.dtype) and not part.dtype.hasobject:
        labels = _of_array(part.to_numpy())
    elif type(part.dtype).__name__ == "StringDtype":
        labels = meaning_of(part.to_list())
    else:
        return None
    return digest_of(b"labels", type(part).__name__.encode(), meaning_of(part.name).encode(), labels.encode())


def _of_array(array: Any) -> str:
    fields = array.dtype.names
    shape = f"{type(array).__name__} {array.dtype!r} {array.shape}".encode()
    if fields:  # between fields there may be bytes that mean nothing
        return digest_of(shape, *(_of_array(array[field]).encode() for field in fields))
    return digest_of(shape, array.tobytes())


def figure_of(value: Any) -> Any:
    """The figure that a value of Matplotlib's is, or is drawn in; None for all else."""
    artist = sys.modules.get("matplotlib.artist")
    if artist is None or not isinstance(value, artist.Artist):
        return None
    return value.get_figure(root=True) or value


def _shown_of(artist: Any) -> list[Any]:
    """Colours, texts, places and the like, by which a legend's handle that is in no figure can be told from others."""
    from matplotlib.artist import ArtistInspector

    found = ArtistInspector(artist).properties()
    return [(name, value) for name, value in sorted(found.items()) if _is_plain(value)]


def _is_plain(value: Any) -> bool:
    if type(value) in (tuple, list):
        return all(map(_is_plain, value))
    return type(value) in _ATOMS or type(value).__module__ == "numpy"


def drawn(figure: Any) -> str:
    """A digest of the picture: its object holds numbers of its own process."""
    if not hasattr(figure, "savefig"):
        return ""
    stream = io.BytesIO()
    figure.savefig(stream, format="raw", dpi=50)
    return digest_of(stream.getvalue())
