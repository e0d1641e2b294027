"""Which global names a piece of a notebook reads, binds, changes and deletes, inferred without running it.

The code is followed statement by statement, both ways at every branch, into every function whose body is known, with
each name standing for the set of objects it may refer to (see `objects`). What is unknown is taken at its worst; code
too tangled to be followed, by what it mentions (see `coarse`).

What cannot be seen this way: objects that two names shared before the code; types that change as they are looked at,
by an operator, `len`, a subscript or an attribute (a `defaultdict`'s missing key); `exec` of text made at run time;
context managers of imported types that swallow exceptions; functions that one imported function keeps for another.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType

from stagebook.book.calls import Arguments
from stagebook.book.coarse import coarse_definitions, coarse_names
from stagebook.book.definitions import NOTHING_KNOWN, Definition, Definitions, Summary
from stagebook.book.frames import BEFORE, BOUND, GONE
from stagebook.book.naming import Naming
from stagebook.book.objects import Class, Function, Module, Object, TangledError, Value
from stagebook.model import Names, Place, frozen_map

__all__ = ["NOTHING_KNOWN", "Analysis", "Definitions", "Summary", "analyse", "summary"]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What a piece of code does with names, and what later code may know of the functions that it defines."""

    names: Names
    definitions: Definitions = field(default_factory=Definitions)


def analyse(cells: Sequence[tuple[int, ast.Module]], *, known: Definitions = NOTHING_KNOWN) -> Analysis:
    """What `cells`, run one after the other, do with global names.

    Args:
        cells: the number and the syntax tree of each cell.
        known: the functions, classes and modules that earlier code defined.
    """
    following = Naming(known)
    try:
        for number, tree in cells:
            following.cell, following.line = number, 1
            following.run(tree.body)
    except (TangledError, RecursionError):
        return Analysis(coarse_names(cells, known), coarse_definitions(cells, known))
    ends = following.live
    if not ends:
        following.meet(*following.raised)
    return Analysis(_names(following, ends=ends), _definitions(following))


def _names(following: Naming, *, ends: bool = True) -> Names:
    log, final = following.log, following.globals
    status = {name: final.get(name, (BEFORE,))[0] for name in log.binds.keys() | log.deletes.keys()}
    # A name bound on a way that leads nowhere (an endless loop, a `raise`) is bound when that way fails.
    binds = {n: place for n, place in log.binds.items() if status[n] & BOUND or not status[n] & GONE or not ends}
    deletes = {n: place for n, place in log.deletes.items() if status[n] & GONE or not ends}
    touches = {name: place for name, place in log.touches.items() if name not in log.changes}
    return Names(
        reads=_shown(log.reads),
        binds=_shown(binds),
        maybe_binds=frozenset(name for name in _shown(binds) if status[name] & (BEFORE | GONE)),
        changes=_shown(log.changes),
        touches=_shown(touches),
        deletes=_shown(deletes),
        imports=frozenset(log.imports),
        star_imports=frozenset(log.stars),
    )


def _shown(places: Mapping[str, Place]) -> Mapping[str, Place]:
    """Without the names that our own rewriting of magics made up."""
    return frozen_map({name: place for name, place in places.items() if not name.startswith("<")})


# What later code may know


def _definitions(following: Naming) -> Definitions:
    final = following.globals
    found: dict[str, Definition] = {}
    held: dict[Object, frozenset[Object]] = {}
    for name, (status, value) in final.items():
        if status == BEFORE or name.startswith("<"):
            continue
        known = frozenset(thing for thing in value.objects if isinstance(thing, (Function, Class, Module)))
        if known:
            named = frozenset(Module(t.path, name) if isinstance(t, Module) else t for t in known)
            found[name] = Definition(named, known == value.objects and not status & BEFORE)
        inside = following.heap.reachable(value.objects) - known
        inside = frozenset(thing for thing in inside if isinstance(thing, (Function, Class)))
        if inside:
            held[name] = inside
    translation = _Translation(following)
    for made in following.classes:
        held[made] = translation.of(following.heap.held(made), made)
    cells = {}
    for key in following.heap.changed_cells | following.known.keeping:
        value = Value(translation.of(following.heap.cells[key].objects, key[0]))
        if value != following.known.cells.get(key):
            cells[key] = value
    things = chain(*(definition.objects for definition in found.values()), *held.values())
    return Definitions(
        frozen_map(found),
        frozenset(final.keys() - found.keys()),
        MappingProxyType(cells),
        MappingProxyType(held),
        following.annotations_wait,
        frozenset(key for key, value in cells.items() if value.objects),
        any(isinstance(thing, Class) for thing in things),
    )


class _Translation:
    """What functions and classes keep, in terms of the global names that later code can reach it by."""

    def __init__(self, following: Naming) -> None:
        self.holders: dict[Object, set[str]] = {}
        if not following.heap.changed_cells and not following.known.keeping and not following.classes:
            return
        final = following.globals
        for name, (_, value) in final.items():
            for thing in following.heap.reachable(value.objects):
                self.holders.setdefault(thing, set()).add(name)
        for thing, names in self.holders.items():
            if isinstance(thing, str) and thing not in final:
                names.add(thing)

    def of(self, objects: Iterable[Object], owner: Function | Class) -> frozenset[Object]:
        """The names that hold `objects`; what has none is a part of `owner`, who keeps it."""
        found: set[Object] = set()
        for thing in objects:
            if isinstance(thing, (Function, Class, Module)) or (isinstance(thing, str) and thing not in self.holders):
                found.add(thing)
            else:
                found |= self.holders.get(thing, set())
                found |= self.holders.get(owner, set())
        return frozenset(found)


# What a call does


def summary(name: str, known: Definitions) -> Summary:
    """What a call of the function or class that `name` stands for does."""
    following = Naming(known)
    value = following.initial(name)[1]
    parameters = sorted({parameter for thing in value.objects for parameter in _parameters(thing)})
    stand_ins = {parameter: Value(frozenset((f"<{parameter}>",)), sure=True) for parameter in parameters}
    following.depth = 1
    result = following.call_value(ast.Pass(), value, Arguments(named=stand_ins))
    log = following.log
    reached = {thing for thing in following.heap.reachable(result.objects) if isinstance(thing, str)}
    return Summary(
        _names(following),
        changes=frozenset(p for p in parameters if f"<{p}>" in log.changes),
        touches=frozenset(p for p in parameters if f"<{p}>" in log.touches and f"<{p}>" not in log.changes),
        returns=frozenset(str(thing).strip("<>") for thing in reached),
    )


def _parameters(thing: Object) -> Iterable[str]:
    if isinstance(thing, Function):
        yield from (*thing.scope.positional, *thing.scope.keyword_only)
    elif isinstance(thing, Class):
        for method in thing.find("__init__"):
            yield from (*method.scope.positional[1:], *method.scope.keyword_only)
