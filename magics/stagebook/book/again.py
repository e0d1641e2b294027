"""What this process has worked out of code before: after an edit of one cell, the others are not analysed again.

A cell that stands as it did has the same tree, and so the same object; of what was made of the same trees, knowing the
same of earlier code, the same comes again. All of it is frozen, or treated so. The oldest is forgotten.
"""

from __future__ import annotations

import ast
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeVar

from stagebook.book.definitions import NOTHING_KNOWN, Definition, Definitions
from stagebook.book.names import Analysis, analyse
from stagebook.book.objects import Function, Object
from stagebook.book.syntax import parse

Found = TypeVar("Found")

_MOST = 4096
_RESULTS = 8
"""What may be known after a piece of code, in as many of its versions."""
_kept: OrderedDict[Hashable, tuple[Any, Any]] = OrderedDict()
_lock = threading.Lock()


def parsed(source: str) -> ast.Module:
    """As `syntax.parse`; nobody may change the tree."""
    return once("tree", (source,), (), lambda: parse(source))


def analysed(cells: Sequence[tuple[int, ast.Module]], *, known: Definitions = NOTHING_KNOWN) -> Analysis:
    """As `names.analyse`.

    Where earlier code left plain functions and modules, the same comes again as long as those are the same that the
    analysis has asked for.
    """
    numbers, trees = tuple(number for number, _ in cells), tuple(tree for _, tree in cells)
    if not _is_plain(known):
        return once("names", numbers, (known, *trees), lambda: _canonical(analyse(cells, known=known)))
    before: deque[tuple[_Watched, Analysis]]
    before = once("watched", (*numbers, known.annotations_wait), trees, lambda: deque(maxlen=_RESULTS))
    for watched, found in list(before):
        if watched.is_answered_by(known.definitions):
            return found
    watched = _Watched(known.definitions)
    found = _canonical(analyse(cells, known=replace(known, definitions=watched)))
    before.append((watched, found))
    return found


def merged(known: Definitions, later: Definitions) -> Definitions:
    """As `Definitions.merged`; what equals an earlier result is that same object, so that what follows is known."""
    found = known.merged(later)
    before = once("known", (), (known,), lambda: deque([known], maxlen=_RESULTS))
    same = next((one for one in list(before) if one is found or one == found), None)
    if same is None:
        before.append(found)
    return found if same is None else same


class _Watched(Mapping[str, Definition]):
    """Definitions, and which of them were asked for."""

    def __init__(self, definitions: Mapping[str, Definition]) -> None:
        self._definitions = definitions
        self._asked: dict[str, Definition | None] = {}
        self._all = False

    def is_answered_by(self, definitions: Mapping[str, Definition]) -> bool:
        """Whether these would give the same answers."""
        if self._all:
            return dict(self._definitions) == dict(definitions)
        return all(definitions.get(name) == found for name, found in self._asked.items())

    def __getitem__(self, name: str) -> Definition:
        self._asked[name] = self._definitions.get(name)
        return self._definitions[name]

    def __iter__(self) -> Iterator[str]:
        self._all = True
        return iter(self._definitions)

    def __len__(self) -> int:
        self._all = True
        return len(self._definitions)


def _is_plain(known: Definitions) -> bool:
    """Whether nothing is known but what names stand for: no function keeps anything, and there are no classes."""
    return not (known.cells or known.held or known.keeping or known.with_classes)


def _canonical(analysis: Analysis) -> Analysis:
    """The analysis with the same object for each function that has the same code, where that says all of it."""
    known = analysis.definitions
    if not known.definitions or not _is_plain(known):
        return analysis
    definitions = {
        name: replace(one, objects=frozenset(map(_same_function, one.objects)))
        for name, one in known.definitions.items()
    }
    return replace(analysis, definitions=replace(known, definitions=MappingProxyType(definitions)))


def _same_function(thing: Object) -> Object:
    if not isinstance(thing, Function) or thing.outer is not None:
        return thing
    return once("function", (thing.name, thing.binding, ast.dump(thing.node)), (), lambda: thing)


def once(kind: str, values: tuple[Hashable, ...], things: tuple[object, ...], work: Callable[[], Found]) -> Found:
    """What `work` gives: from before, where that was for equal values and the very same things.

    The things are kept along, so that no other can have taken one's place in memory.

    Args:
        kind: what is asked for.
        values: that it is made of.
        things: that it is made of, which nobody changes.
        work: makes it.
    """
    key = (kind, values, tuple(map(id, things)))
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            found: Found = _kept[key][1]
            return found
    found = work()
    with _lock:
        _kept[key] = things, found
        while len(_kept) > _MOST:
            _kept.popitem(last=False)
    return found
