"""The state of code while it is followed: what each name may stand for at this point, and what was noted so far."""

from __future__ import annotations

import ast
import builtins
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from stagebook.book import effects
from stagebook.book.definitions import Definitions
from stagebook.book.objects import NOTHING, Class, Function, Heap, Module, Object, Value, either
from stagebook.model import Place

# How a name stands: as it was before the code, bound by it, unbound by it; or several, by different ways through it.
BEFORE, BOUND, GONE = 1, 2, 4

Slot = tuple[int, Value]
Slots = dict[str, Slot]
State = tuple[Slots, Slots]  # global names, names of the frame
UNSET: Slot = (GONE, NOTHING)
_BUILTINS = frozenset(dir(builtins)) | {"display"}


@dataclass(slots=True, eq=False)
class Frame:
    """One body under way: the notebook's own cells, a class body, or a known function that is called.

    Attributes:
        function: the function whose body this is or stands in; None at top level.
        class_body: whether this is the body of a class.
        slots: the body's own names; unused at top level, where names are global.
        declared: names that a class body declares global.
        overlays: names of comprehensions under way, innermost last.
        returned: the values returned so far.
        exits: the states in which the body was left.
        breaks, continues: the states that leave, or go on with, the loop under way.
    """

    function: Function | None = None
    class_body: bool = False
    declared: frozenset[str] = frozenset()
    slots: Slots = field(default_factory=dict)
    overlays: list[dict[str, Value]] = field(default_factory=list)
    returned: Value = NOTHING
    exits: list[State] = field(default_factory=list)
    breaks: list[State] = field(default_factory=list)
    continues: list[State] = field(default_factory=list)


@dataclass(slots=True)
class Log:
    """What the code was seen to do with global names."""

    reads: dict[str, Place] = field(default_factory=dict)
    binds: dict[str, Place] = field(default_factory=dict)
    changes: dict[str, Place] = field(default_factory=dict)
    touches: dict[str, Place] = field(default_factory=dict)
    deletes: dict[str, Place] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    stars: set[str] = field(default_factory=set)


class Frames(ABC):
    """Names, their values and the ways through the code; the rest of the analysis stands on this."""

    def __init__(self, known: Definitions) -> None:
        self.known = known
        self.heap = Heap()
        self.log = Log()
        self.globals: Slots = {}
        self.frame = Frame()
        self.live = True
        self.possibly = 0
        self.depth = 0
        self.cell = 0
        self.line = 1
        self.writes = 0
        self.watchers: list[tuple[Frame, Slots, Slots]] = []
        self.roots: dict[Object, set[str]] = {}
        self._initial: Slots = {}
        self.heap.cells.update(known.cells)
        for thing, held in known.held.items():
            self.heap.contents[thing] = set(held)

    @abstractmethod
    def eval(self, node: ast.expr) -> Value:
        """What an expression may evaluate to; notes what evaluating it does."""

    @abstractmethod
    def run(self, body: Sequence[ast.stmt]) -> None:
        """Follow statements."""

    @property
    def place(self) -> Place:
        """Where the code under way stands."""
        return Place(self.cell, self.line)

    def stand_at(self, node: ast.expr | ast.stmt) -> None:
        """Note where the code under way stands; in a function that is called, that is where the call stands."""
        if not self.depth:
            self.line = node.lineno

    # Global names

    def initial(self, name: str) -> Slot:
        """How a global name stands before the code."""
        slot = self._initial.get(name)
        if slot is None:
            slot = self._initial[name] = (BEFORE, self._value_before(name))
        return slot

    def _value_before(self, name: str) -> Value:
        definition = self.known.definitions.get(name)
        if definition is not None:
            found: frozenset[Object] = definition.objects
            for thing in found:
                if isinstance(thing, (Function, Class)):
                    self.roots.setdefault(thing, set()).add(name)
            return Value(
                found if definition.certain else found | {name}, sure=len(found) == 1, solid=definition.certain
            )
        if name in _BUILTINS:
            return Value(frozenset({Module(f"builtins.{name}", name)}), sure=True, solid=True)
        if name in effects.CONVENTIONAL:
            return Value(frozenset({Module(effects.CONVENTIONAL[name], name)}), sure=True, solid=True)
        return Value(frozenset({name}), sure=True)

    def load_global(self, name: str) -> Value:
        """Use a global name."""
        slot = self.globals.get(name)
        if slot is None:
            slot = self.initial(name)
        if slot[0] & BEFORE and name not in self.log.reads:
            self.log.reads[name] = self.place
            if name == "get_ipython":  # of magics, nothing of it is left here
                self.change(Value(frozenset({"process:IPython"}), sure=True))
        return slot[1]

    def ask_for(self, name: str) -> None:
        """Note that it makes a difference whether there is a global `name`."""
        if self.globals.get(name, (BEFORE,))[0] & BEFORE:
            self.log.touches.setdefault(name, self.place)

    def store_global(self, name: str, value: Value, status: int = BOUND) -> None:
        """Bind (or unbind) a global name."""
        if status == BOUND:
            self.log.binds.setdefault(name, self.place)
        else:
            self.log.deletes.setdefault(name, self.place)
        self.globals[name] = slot = (status, value)
        self.writes += 1
        for _, seen, _ in self.watchers:
            old = seen.get(name)
            seen[name] = join_slots(old if old is not None else self.initial(name), slot)

    # Names where they stand

    def load(self, name: str) -> Value:
        """Use a name, as the innermost scope that has it means it."""
        frame = self.frame
        for overlay in reversed(frame.overlays):
            if name in overlay:
                return overlay[name]
        if frame.class_body and not frame.overlays and name in frame.slots:
            status, value = frame.slots[name]
            return value if not status & GONE else either(value, self.load_outside(name, frame.function))
        if frame.function is None:
            return self.load_global(name)
        if not frame.class_body and name in frame.function.scope.own and name not in frame.function.scope.captured:
            return frame.slots.get(name, UNSET)[1]
        return self.load_outside(name, frame.function)

    def load_outside(self, name: str, function: Function | None) -> Value:
        """A name that nested code sees: of `function`, of one around it, or global."""
        while function is not None:
            if name in function.scope.declared_global:
                break
            if name in function.scope.own:
                return self.heap.cells.get((function, name), NOTHING)
            function = function.outer
        return self.load_global(name)

    def store(self, name: str, value: Value, status: int = BOUND) -> None:
        """Bind (or unbind) a name where the scope under way says."""
        frame = self.frame
        function = frame.function
        if frame.class_body and name not in frame.declared:
            self._store_slot(frame, name, value, status)
            return
        while function is not None and name not in function.scope.declared_global:
            if name in function.scope.own:
                if function is frame.function and name not in function.scope.captured and not frame.class_body:
                    self._store_slot(frame, name, value, status)
                else:
                    self.heap.put_cell(function, name, value)
                return
            function = function.outer
        self.store_global(name, value, status)

    def _store_slot(self, frame: Frame, name: str, value: Value, status: int) -> None:
        frame.slots[name] = slot = (status, value)
        self.writes += 1
        for watched, _, seen in self.watchers:
            if watched is frame:
                seen[name] = join_slots(seen.get(name, UNSET), slot)

    # Ways through the code

    def snapshot(self) -> State | None:
        """The state at this point; None where the code cannot get to."""
        return (self.globals.copy(), self.frame.slots.copy()) if self.live else None

    def restore(self, state: State | None) -> None:
        """Go on from `state`. The state belongs to the analysis from then on."""
        self.live = state is not None
        if state is not None:
            self.globals, self.frame.slots = state

    def join(self, first: State | None, second: State | None) -> State | None:
        """The state where two ways meet."""
        if first is None or second is None:
            return first or second
        if first is second:
            return first
        return (
            _join_all(first[0], second[0], self.initial),
            _join_all(first[1], second[1], lambda _: UNSET),
        )

    def meet(self, *states: State | None) -> None:
        """Go on where the way under way and others meet."""
        here: State | None = (self.globals, self.frame.slots) if self.live else None
        for state in states:
            here = self.join(here, state)
        self.restore(here)

    @contextmanager
    def maybe(self) -> Iterator[None]:
        """Follow code that may not be run at all."""
        before, writes, live = self.snapshot(), self.writes, self.live
        yield
        if self.writes != writes or self.live != live:
            self.meet(before)

    @contextmanager
    def perhaps(self) -> Iterator[None]:
        """Follow code that may be run, now or later, by somebody else: what it changes is a possible change only."""
        self.possibly += 1
        try:
            with self.maybe():
                yield
        finally:
            self.possibly -= 1

    def repeat(self, once: Callable[[], None]) -> None:
        """Follow code that runs any number of times, until another time adds nothing. It may run no time at all."""
        while True:
            before, version = self.snapshot(), self.heap.version
            once()
            self.meet(before)
            if before is None or (version == self.heap.version and not self._grown(before)):
                return

    def _grown(self, before: State) -> bool:
        return _has_grown(before[0], self.globals, self.initial) or _has_grown(
            before[1], self.frame.slots, lambda _: UNSET
        )

    @contextmanager
    def watching(self) -> Iterator[State]:
        """Yields a state that is, when the code under `with` is done, what any exception in it may leave behind."""
        state = self.snapshot() or ({}, {})
        self.watchers.append((self.frame, *state))
        try:
            yield state
        finally:
            self.watchers.pop()

    # Effects on objects

    def change(self, value: Value, *, certain: bool = True) -> None:
        """Note that the objects of `value` change in place."""
        for thing in value.objects:
            for root in self._roots(thing):
                if certain and value.sure and not self.possibly:
                    self.log.changes.setdefault(root, self.place)
                elif root not in self.log.touches:
                    self.log.touches[root] = self.place

    def touch(self, value: Value) -> None:
        """Note that the objects of `value` may change in place."""
        if value.objects:
            self.change(value, certain=False)

    def touch_all(self, objects: frozenset[Object]) -> None:
        """Note that any of `objects` may change in place."""
        self.change(Value(objects), certain=False)

    def _roots(self, thing: Object) -> tuple[str, ...]:
        if isinstance(thing, str):
            return (thing,)
        if isinstance(thing, Module):
            return (thing.root,) if thing.root else ()
        return tuple(self.roots.get(thing, ()))

    def fresh(self, node: ast.AST, held: frozenset[Object] = frozenset(), *, kind: str = "") -> Value:
        """A new object made at `node`, which may hold `held`."""
        number = self.heap.new(node, kind)
        if held:
            self.heap.put(number, Value(held))
        return Value(frozenset({number}), sure=True, solid=True)


def join_slots(first: Slot, second: Slot) -> Slot:
    """How a name stands where two ways meet."""
    if first is second:
        return first
    if first[0] == GONE:
        return (first[0] | second[0], second[1])
    if second[0] == GONE:
        return (first[0] | second[0], first[1])
    return (first[0] | second[0], either(first[1], second[1]))


def _join_all(first: Slots, second: Slots, missing: Callable[[str], Slot]) -> Slots:
    joined = first.copy()
    for name, slot in second.items():
        old = first.get(name)
        if old is not slot:
            joined[name] = join_slots(old if old is not None else missing(name), slot)
    for name in first.keys() - second.keys():
        joined[name] = join_slots(first[name], missing(name))
    return joined


def _has_grown(before: Slots, after: Slots, missing: Callable[[str], Slot]) -> bool:
    for name, slot in after.items():
        old = before.get(name)
        if old is not slot and not slot[1].objects <= (old if old is not None else missing(name))[1].objects:
            return True
    return False
