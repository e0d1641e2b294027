"""The objects that the analysis of names follows through a piece of code, and what each may hold.

An object is one of: a `str`, the object that a global name referred to before the code (with all that hangs on it); an
`int`, an object that the code makes itself, one number per place in the code; a `Function` or a `Class` whose body is
known; a `Module`, or what a dotted path into one leads to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from stagebook.book.scopes import FunctionNode, Scope


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function, method or lambda whose body is known.

    Attributes:
        node: its code.
        name: what it is called in its code.
        scope: the names of its body.
        outer: the function it is nested in.
        binding: what a decorator makes of it in a class.
    """

    node: FunctionNode
    name: str
    scope: Scope
    outer: Function | None
    binding: Literal["plain", "static", "class", "property"] = "plain"

    def __repr__(self) -> str:
        return f"<function {self.name}>"


@dataclass(frozen=True, slots=True, eq=False)
class Class:
    """A class whose body is known. `methods` and `bases` fill as the body is read."""

    name: str
    methods: dict[str, set[Function]] = field(default_factory=dict)
    bases: set[Class] = field(default_factory=set)
    open: list[bool] = field(default_factory=list)

    def find(self, name: str) -> set[Function]:
        """The methods that `name` may mean on an instance."""
        if name in self.methods:
            return self.methods[name]
        return self.find_above(name)

    def find_above(self, name: str) -> set[Function]:
        """The methods that `super().name` may mean."""
        return {method for base in self.bases if base is not self for method in base.find(name)}

    def __repr__(self) -> str:
        return f"<class {self.name}>"


class Module(NamedTuple):
    """What the dotted `path` leads to; `root` is the earlier-bound global name it was reached through, if any."""

    path: str
    root: str | None = None


Object = str | int | Function | Class | Module


class Value(NamedTuple):
    """What an expression may evaluate to.

    Attributes:
        objects: the followed objects that it may be, or be a part of; none for numbers, strings and the like.
        sure: a change of the value is a change of every one of the objects.
        solid: it is no iterator that using it up would change.
    """

    objects: frozenset[Object]
    sure: bool = False
    solid: bool = False


NOTHING: Value = Value(frozenset(), sure=True, solid=True)


def either(first: Value, second: Value) -> Value:
    """The value after two ways that the code may take."""
    if first == second or first.objects == second.objects:
        return Value(first.objects, first.sure and second.sure, first.solid and second.solid)
    solid = (first.solid or not first.objects) and (second.solid or not second.objects)
    return Value(first.objects | second.objects, sure=False, solid=solid)


def every(values: Iterable[Value]) -> Value:
    """All of the values, one after the other, as when a loop runs over them."""
    found: frozenset[Object] = frozenset()
    sure = solid = True
    for value in values:
        if value.objects:
            found |= value.objects
            sure = sure and value.sure
            solid = solid and value.solid
    return Value(found, sure, solid)


# Steps that one analysis may take: objects looked at, and calls, which cost more. Ordinary cells take a few hundred.
EFFORT = 400_000
CALL = 20


_NONE: frozenset[Object] = frozenset()


class TangledError(Exception):
    """The code is too tangled to be followed in reasonable time."""


class Heap:
    """What the followed objects hold. It only ever grows, so a pass over the code that adds nothing is final."""

    def __init__(self) -> None:
        self.version = 0
        self.effort = EFFORT
        self.contents: dict[Object, set[Object]] = {}
        self.fields: dict[int, tuple[Value, ...]] = {}
        self.mixed: set[Object] = set()
        self.classes: dict[int, set[Class]] = {}
        self.pools: set[Object] = set()
        self.cells: dict[tuple[Function, str], Value] = {}
        self.changed_cells: set[tuple[Function, str]] = set()
        self._numbers: dict[tuple[int, str], int] = {}

    def new(self, node: ast.AST | Function | Class, kind: str = "") -> int:
        """The object made at `node`."""
        return self._numbers.setdefault((id(node), kind), len(self._numbers))

    def spend(self, effort: int) -> None:
        """Count what following the code costs; TangledError where it is too much."""
        self.effort -= effort
        if self.effort < 0:
            raise TangledError

    def put(self, target: Object, value: Value) -> None:
        """Notes that `target` may hold `value` from now on."""
        held = self.contents.setdefault(target, set())
        if not value.objects <= held:
            held |= value.objects
            self.version += 1
        if not value.sure and value.objects and target not in self.mixed:
            self.mixed.add(target)
            self.version += 1

    def put_fields(self, target: int, values: tuple[Value, ...]) -> None:
        """Notes the parts of a tuple, by position."""
        old = self.fields.get(target)
        if old is not None:
            values = tuple(map(either, old, values)) if len(old) == len(values) else ()
        if old != values:
            self.fields[target] = values
            self.version += 1
        self.put(target, every(values))

    def put_cell(self, function: Function, name: str, value: Value) -> None:
        """Notes a value of a variable that code nested in `function` sees."""
        old = self.cells.get((function, name))
        new = value if old is None else either(old, value)
        if new != old:
            self.cells[function, name] = new
            self.changed_cells.add((function, name))
            self.version += 1

    def mingle(self, node: ast.AST | Function, things: frozenset[Object]) -> None:
        """Notes that each of `things` may hold each of them from now on: somebody we cannot see into had them all."""
        pool = self.new(node, "pool")
        self.pools.add(pool)
        self.put(pool, Value(things))
        for thing in things:
            if not isinstance(thing, Module):
                self.put(thing, Value(frozenset((pool,))))

    def held(self, thing: Object) -> AbstractSet[Object]:
        """What `thing` was seen to be given to hold."""
        found = self.contents.get(thing, _NONE)
        if self.pools and not self.pools.isdisjoint(found):
            found = found.union(*(self.contents[pool] for pool in found & self.pools))
            self.spend(len(found))
        return found

    def inside(self, value: Value) -> frozenset[Object]:
        """What a part of `value` (an item, an element) may be."""
        found: set[Object] = set()
        for thing in value.objects:
            if isinstance(thing, (str, Module)):
                found.add(thing)
            found |= self.contents.get(thing, _NONE)
            if isinstance(thing, int) and thing in self.classes:
                # An instance makes its items as it likes: `__getitem__` may return anything it can reach.
                found |= self.reachable((thing,))
        for pool in found & self.pools:
            found |= self.contents[pool]
        self.spend(len(found))
        return frozenset(found)

    def reachable(self, objects: Iterable[Object]) -> frozenset[Object]:
        """The objects, what they hold, what that holds, and so on."""
        found = set(objects)
        waiting = list(found)
        while waiting:
            thing = waiting.pop()
            held: set[Object] = set(self.contents.get(thing, ()))
            if isinstance(thing, int) and thing in self.classes:
                held |= self.classes[thing]
            new = held - found
            found |= new
            waiting.extend(new)
        self.spend(len(found))
        return frozenset(found)
