"""How what a notebook defines is pickled: its classes under ids that every process gives alike, its cached functions.

cloudpickle gives a class a random id when it first meets it, by which the class is found again when it is loaded twice.
Here the id comes from the class's definition, so that equal values have equal pickles whichever kernel made them.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib
import re
import sys
import types
import typing
from collections.abc import Callable
from typing import Any

from cloudpickle import cloudpickle  # noqa: TID253 - with the pickler, which needs it at once

_HEAP_TYPE = 1 << 9
"""Flag of classes made by a `class` statement; the others are part of an interpreter or an extension."""

_LRU = type(functools.lru_cache(lambda: None))
_SENTINELS = {id(dataclasses.MISSING): "MISSING", id(dataclasses.KW_ONLY): "KW_ONLY"}
_CELL_FILE = re.compile(r"ipykernel_\d+(?=[/\\]\d+\.py$)")
"""The file name of a cell's code: the process's number is in it, and no other process has such a file."""

_GLOBAL_GENERATORS = {"Random": ("random", "_inst"), "RandomState": ("numpy.random.mtrand", "_rand")}
"""By the name of their type, the random generators that there is one of in a process: `shuffle` is a method of one."""

_MACHINERY = frozenset({"_field_defaults", "_abc_impl"})


def is_by_value(kind: type) -> bool:
    """Whether a class is pickled with its definition, since no module has it."""
    return bool(kind.__flags__ & _HEAP_TYPE) and not cloudpickle._should_pickle_by_reference(kind)


def is_named(kind: type) -> bool:
    """Whether the class has an id already."""
    return kind in cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS


def name_class(kind: type, digest: Callable[[], str]) -> None:
    """Give a class its id.

    Args:
        kind: the class.
        digest: makes the digest of its definition; while it does so the class, which may refer to itself, has its
            qualified name for an id.
    """
    by_class, by_id = cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS, cloudpickle._DYNAMIC_CLASS_TRACKER_BY_ID
    by_class[kind] = kind.__qualname__
    try:
        name = digest()
    except BaseException:
        del by_class[kind]
        raise
    while by_id.setdefault(name, kind) is not kind:  # the same definition executed twice makes two classes
        name += "+"
    by_class[kind] = name


def made_quietly(kind: type, reduced: tuple[Any, ...]) -> tuple[Any, ...]:
    """The reduction of a class, so that its bases are not told once more of it when it is made again."""
    if isinstance(kind, enum.EnumMeta):
        return reduced
    make, arguments, *rest = reduced
    return (_make_quietly, (make, *arguments), *rest)


def _make_quietly(make: Callable[..., type], kind: type, name: str, bases: tuple[type, ...], *rest: Any) -> type:
    owners = [one for one in _ancestors(bases) if "__init_subclass__" in vars(one) and is_by_value(one)]
    hooks = [(owner, vars(owner)["__init_subclass__"]) for owner in owners]
    try:
        for owner, _ in hooks:
            owner.__init_subclass__ = _passing_on(owner)  # type: ignore[method-assign]
        return make(kind, name, bases, *rest)
    finally:
        for owner, hook in hooks:
            owner.__init_subclass__ = hook  # type: ignore[method-assign]


def _ancestors(bases: tuple[type, ...]) -> list[type]:
    return list(dict.fromkeys(one for base in bases for one in getattr(base, "__mro__", ())))


def _passing_on(owner: Any) -> Any:
    """A hook that has those of the libraries behind it run."""
    return classmethod(lambda cls, **_: super(owner, cls).__init_subclass__())


def name_type_variable(variable: typing.TypeVar) -> None:
    """Give a type variable its id."""
    if variable not in cloudpickle._DYNAMIC_CLASS_TRACKER_BY_CLASS:
        text = f"{variable.__module__}.{variable!r}:{variable.__bound__!r}:{variable.__constraints__!r}"
        cloudpickle._lookup_class_or_track(text, variable)


def state_of_class(kind: type) -> list[Any]:
    """The mutable objects among a class's attributes: `seen = []` in a class's body is one list for all instances."""
    return [
        value
        for name, value in vars(kind).items()
        if not (name.startswith("_") and name.endswith("_")) and name not in _MACHINERY and type(value).__hash__ is None
    ]


def reduce_definition(part: Any) -> tuple[Any, ...] | str | None:
    """How to make `part` anew where `pickle` cannot, or would by a name that no module has; None for all else."""
    if id(part) in _SENTINELS:
        return _SENTINELS[id(part)]
    generator = _GLOBAL_GENERATORS.get(type(part).__name__)
    if generator is not None and part is getattr(sys.modules.get(generator[0]), generator[1], None):
        return (_attribute_of, generator)
    if isinstance(part, types.CodeType):
        make, arguments = cloudpickle._code_reduce(part)
        return (make, tuple(_CELL_FILE.sub("ipykernel", one) if isinstance(one, str) else one for one in arguments))
    if isinstance(part, types.CellType):  # filled when it is there, as what it holds may refer to it
        try:
            return (types.CellType, (), (part.cell_contents,), None, None, _fill_cell)
        except ValueError:  # empty
            return (types.CellType, ())
    if isinstance(part, functools.cached_property):  # holds a lock until Python 3.12
        return (_cached_property, (part.func, part.attrname))
    if isinstance(part, _LRU) and not _is_importable(part):
        return (_lru_cached, (part.__wrapped__, part.cache_parameters()))
    return None


def holds_results(part: Any) -> bool:
    """Whether this is a cached function of the notebook that has been called."""
    return isinstance(part, _LRU) and not _is_importable(part) and part.cache_info().misses > 0


def _attribute_of(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name)


def _fill_cell(cell: types.CellType, content: tuple[Any]) -> None:
    (cell.cell_contents,) = content


def _is_importable(part: Any) -> bool:
    module = sys.modules.get(part.__module__)
    found: Any = None if part.__module__ == "__main__" else module
    for name in part.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is part


def _cached_property(compute: Callable[[Any], Any], name: str) -> functools.cached_property[Any]:
    made = functools.cached_property(compute)
    made.attrname = name
    return made


def _lru_cached(function: types.FunctionType, parameters: dict[str, Any]) -> Any:
    return functools.lru_cache(**parameters)(function)
