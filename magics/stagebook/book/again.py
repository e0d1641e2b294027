"""What this process has worked out of code before: after an edit of one cell, the others are not analysed again.

A cell that stands as it did has the same tree, and so the same object; of what was made of the same trees, knowing the
same of earlier code, the same comes again. All of it is frozen, or treated so. The oldest is forgotten.
"""

from __future__ import annotations

import ast
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from stagebook.book.definitions import NOTHING_KNOWN, Definitions
from stagebook.book.names import Analysis, analyse
from stagebook.book.syntax import nodes_of, parse

Found = TypeVar("Found")

_MOST = 4096
_RESULTS = 8
"""What may be known after a piece of code, in as many of its versions."""
_kept: OrderedDict[Hashable, tuple[Any, Any]] = OrderedDict()
_lock = threading.Lock()


def parsed(source: str) -> ast.Module:
    """As `syntax.parse`; nobody may change the tree."""
    return once("tree", (source,), (), lambda: parse(source))


def texts_and_calls(tree: ast.Module) -> list[ast.Constant | ast.Call]:
    """The constants and the calls in a cell; nobody may change the list."""
    wanted = (ast.Constant, ast.Call)
    return once("texts", (), (tree,), lambda: [node for node in nodes_of(tree) if isinstance(node, wanted)])


def analysed(cells: Sequence[tuple[int, ast.Module]], *, known: Definitions = NOTHING_KNOWN) -> Analysis:
    """As `names.analyse`."""
    numbers = tuple(number for number, _ in cells)
    return once("names", numbers, (known, *(tree for _, tree in cells)), lambda: analyse(cells, known=known))


def merged(known: Definitions, later: Definitions) -> Definitions:
    """As `Definitions.merged`; what equals an earlier result is that same object, so that what follows is known."""
    found = known.merged(later)
    before = once("known", (), (known,), lambda: deque([known], maxlen=_RESULTS))
    same = next((one for one in list(before) if one is found or one == found), None)
    if same is None:
        before.append(found)
    return found if same is None else same


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
