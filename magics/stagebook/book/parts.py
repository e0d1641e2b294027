"""Following parts of objects: attributes, items, elements, and what a store into one changes."""

from __future__ import annotations

import ast
import re
from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from stagebook.book import effects, hidden
from stagebook.book.definitions import Definitions
from stagebook.book.frames import Frames
from stagebook.book.objects import NOTHING, Class, Function, Module, Object, Value, either, every

# The longest dotted path into a module that is told apart from what it starts with.
DEEPEST_PATH = 6


class Receiver(NamedTuple):
    """An object that something is done to, and the objects whose value is surely changed where it is changed."""

    value: Value
    whole: Value


class Parts(Frames):
    """What objects are made of, and running over them."""

    def __init__(self, known: Definitions) -> None:
        super().__init__(known)
        self.suspended: dict[int, tuple[Callable[[], None], int]] = {}
        self._going_on: set[int] = set()

    @abstractmethod
    def invoke(self, function: Function, everything: Value) -> Value:
        """Somebody may call `function` with any of `everything`."""

    # Attributes and items

    def attribute(self, base: Value, name: str) -> Value:
        """`base.name`."""
        if not base.objects:
            return NOTHING
        if name in effects.INDEXERS:
            return base._replace(solid=True)
        found: set[Object] = set()
        result = NOTHING
        for thing in base.objects:
            if isinstance(thing, Module):
                # `x = x.next` in a loop must come to an end.
                deep = thing.path.count(".") >= DEEPEST_PATH
                found.add(thing if deep else Module(f"{thing.path}.{name}", thing.root))
                continue
            if not isinstance(thing, Class) or thing.open:
                found.add(thing)
            found |= self.heap.held(thing)
            for owner in self.owners(thing):
                found |= {*self.heap.held(owner), *owner.find(name)}
        for method in self._methods_read(base, name):
            result = either(result, self.invoke(method, base))
        modules_only = all(isinstance(thing, Module) for thing in found)
        value = Value(frozenset(found), modules_only and base.sure, modules_only or name in effects.SOLID_ATTRIBUTES)
        return either(value, result) if result.objects else value

    def owners(self, thing: Object) -> set[Class]:
        """The known classes whose attributes `thing` has."""
        if isinstance(thing, Class):
            return {thing, *thing.bases}
        return self.heap.classes.get(thing, set()) if isinstance(thing, int) else set()

    def _methods_read(self, base: Value, name: str) -> set[Function]:
        """The properties that reading `base.name` may run."""
        found: set[Function] = set()
        for owner in self._possible_owners(base):
            found |= {method for method in owner.find(name) if method.binding == "property"}
        return found

    def _possible_owners(self, base: Value) -> set[Class]:
        """The known classes that an object may be of: its own where we saw it made, else any."""
        found: set[Class] = set()
        for thing in base.objects:
            if isinstance(thing, str):
                return self.classes
            found |= self.owners(thing)
        return found

    @property
    @abstractmethod
    def classes(self) -> set[Class]:
        """All classes whose body is known."""

    def part(self, base: Value, index: ast.expr) -> Value:
        """`base[index]`."""
        if isinstance(index, ast.Constant) and isinstance(index.value, int):
            fields = self.fields(base)
            if fields is not None and -len(fields) <= index.value < len(fields):
                return fields[index.value]
        found = self.heap.inside(base)
        if isinstance(index, ast.Tuple):
            found |= self.heap.inside(Value(found))
        if isinstance(index, ast.Slice):
            found |= base.objects
        return Value(found) if found else NOTHING

    def fields(self, value: Value) -> tuple[Value, ...] | None:
        """The parts of a tuple by position, where they are known."""
        found: tuple[Value, ...] | None = None
        for thing in value.objects:
            fields = self.heap.fields.get(thing) if isinstance(thing, int) else None
            if not fields or (found is not None and len(found) != len(fields)):
                return None
            found = fields if found is None else tuple(every(pair) for pair in zip(found, fields, strict=True))
        return found

    def receiver(self, node: ast.expr) -> Receiver:
        """The object of a store, or of a method that may be called for its effect.

        `frames["a"].columns[0] = 1` surely changes `frames`. A mask or a slice makes a copy, as often as not.
        """
        if isinstance(node, ast.Attribute):
            base = self.receiver(node.value)
            value = self.attribute(base.value, node.attr)
            return Receiver(value, base.whole if base.value.objects <= value.objects else NOTHING)
        if isinstance(node, ast.Subscript) and global_name(node) is None:
            base = self.receiver(node.value)
            self.eval(node.slice)
            value = self.part(base.value, node.slice)
            copies = isinstance(node.slice, (ast.Slice, ast.Compare, ast.BoolOp, ast.List, ast.UnaryOp, ast.BinOp))
            if value.sure:
                return Receiver(value, value)
            return Receiver(value, NOTHING if copies else base.whole)
        value = self.eval(node)
        return Receiver(value, value if value.sure else NOTHING)

    def change_in(self, base: Receiver, *, certain: bool = True) -> None:
        """Note that an object changes in place, and so whatever it is a part of."""
        if certain:
            self.change(base.whole)
        self.touch(base.value)
        for thing in base.value.objects:
            if isinstance(thing, Module):  # `os.environ["x"] = "1"`, `math.floor = round`
                name = hidden.setting_of(thing.path) or hidden.process_of(thing.path)
                self.change(Value(frozenset({name}), sure=True), certain=certain)

    # Iteration

    def iterate(self, value: Value) -> Value:
        """Run over `value`: what its elements may be. Running over an iterator uses it up."""
        self.use(value)
        if not value.solid:
            self.touch(value._replace(objects=frozenset(t for t in value.objects if isinstance(t, str))))
        found: set[Object] = set()
        sure = value.sure
        for thing in value.objects:
            if isinstance(thing, str):
                found.add(thing)
            held = self.heap.held(thing)
            if held:
                found |= held
                sure = sure and thing not in self.heap.mixed and not isinstance(thing, str)
            if isinstance(thing, int) and thing in self.heap.classes:
                found |= self.heap.reachable((thing,))
        return Value(frozenset(found), sure, solid=not found)

    def use(self, value: Value) -> None:
        """Let generators and coroutines in `value` run on."""
        if not self.suspended:
            return
        for thing in self.heap.reachable(value.objects):
            if isinstance(thing, int) and thing in self.suspended:
                go_on, since = self.suspended[thing]
                if since != self.writes and thing not in self._going_on:
                    self._go_on(thing, go_on)

    def suspend(self, maker: int, go_on: Callable[[], None]) -> None:
        """Note a generator or coroutine: it may run at once, or whenever somebody lets it."""
        self._go_on(maker, go_on)

    def _go_on(self, maker: int, go_on: Callable[[], None]) -> None:
        self._going_on.add(maker)
        with self.perhaps():
            go_on()
        self._going_on.discard(maker)
        self.suspended[maker] = (go_on, self.writes)


def is_namespace(node: ast.expr) -> bool:
    """Whether this is `globals()`, or what is the same at top level."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("globals", "locals", "vars")
        and not node.args
    )


def global_name(node: ast.expr) -> str | None:
    """The name that `globals()["name"]` means; None for anything else."""
    if isinstance(node, ast.Subscript) and is_namespace(node.value):
        key = node.slice
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            return key.value
    return None


_READ_TEXT = frozenset({"eval", "execute", "query", "sql"})
_NAME = re.compile(r"[^\W\d]\w*")


def names_in_texts(call: ast.Call) -> list[str]:
    """What may be variables in the text of `df.query("x > @limit")`, `duckdb.sql("select * from df")` and the like."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr in _READ_TEXT):
        return []
    nodes = [node for argument in call.args for node in ast.walk(argument)]
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return sorted({name for text in texts for name in _NAME.findall(text)})
