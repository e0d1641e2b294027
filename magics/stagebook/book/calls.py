"""Following calls: of functions and classes whose body is known, and of what the tables of effects know."""

from __future__ import annotations

import ast
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from stagebook.book import hidden
from stagebook.book.definitions import Definitions
from stagebook.book.expressions import Expressions
from stagebook.book.frames import BOUND, GONE, Frame, State
from stagebook.book.objects import CALL, NOTHING, Class, Function, Module, Object, Value, either, every
from stagebook.book.parts import Receiver
from stagebook.book.scopes import mentioned

# Calls of known functions that one analysis follows to the end; what is left is taken in bulk (`Calls.apply_in_bulk`).
PATIENCE = 400
# Known functions that may be under way within one another.
DEPTH = 16


class Arguments(NamedTuple):
    """The arguments of a call.

    Attributes:
        positional: by position.
        named: by keyword.
        spread: what `*` and `**` arguments may bring along; None where there are none.
        nodes: the arguments as written.
    """

    positional: tuple[Value, ...] = ()
    named: Mapping[str, Value] = {}
    spread: Value | None = None
    node: ast.Call | None = None

    def everything(self) -> Value:
        """All arguments together."""
        values = (*self.positional, *self.named.values(), *((self.spread,) if self.spread else ()))
        return every(values)

    def after(self, first: Value) -> Arguments:
        """The arguments with one before them, as a method gets them."""
        return self._replace(positional=(first, *self.positional))

    def keyword(self, name: str) -> ast.expr | None:
        """The argument written for keyword `name`."""
        return next((k.value for k in self.node.keywords if k.arg == name), None) if self.node else None


@dataclass(slots=True, eq=False)
class Activation:
    """A known function being followed; calls of it from within join it."""

    parameters: dict[str, Value]
    entry: State | None
    returned: Value = NOTHING
    left: State | None = None
    again: bool = False
    recursive: bool = field(default=False)


class Calls(Expressions):
    """Calls of what is known, unknown, and known from the tables."""

    def __init__(self, known: Definitions) -> None:
        super().__init__(known)
        self.active: dict[Function, Activation] = {}
        self.patience = PATIENCE
        self.called_others = False  # whether anything was called that may draw from a random generator
        self._mentioned: dict[Function, tuple[frozenset[str], frozenset[str]]] = {}

    # Evaluating a call

    def call(self, node: ast.Call, *, dropped: bool = False) -> Value:
        """A call; `dropped` where nobody uses its result."""
        self.heap.spend(CALL)
        special = self.special(node)
        if special is not None:
            return special
        function = node.func
        line = self.line
        if isinstance(function, ast.Attribute):
            base = self.receiver(function.value)
            arguments = self.arguments(node)
            self._back_to(line)
            return self.call_attribute(node, base, arguments, dropped=dropped)
        callee = self._callee(function)
        arguments = self.arguments(node)
        self._back_to(line)
        return self.call_value(node, callee, arguments)

    def _back_to(self, line: int) -> None:
        if not self.depth:
            self.line = line

    def _callee(self, node: ast.expr) -> Value:
        if isinstance(node, ast.Name):
            self.stand_at(node)
            return self.load(node.id)  # being called is followed exactly; it is no mere mention
        if isinstance(node, ast.Lambda):
            return Value(frozenset((self.function(node, "lambda"),)), sure=True, solid=True)
        return self.eval(node)

    def arguments(self, node: ast.Call) -> Arguments:
        """Evaluate the arguments of a call."""
        positional: list[Value] = []
        named: dict[str, Value] = {}
        spread: Value | None = None
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                spread = every((spread or NOTHING, self.eval(argument)))
            elif spread is not None:
                spread = every((spread, self._callee(argument)))
            else:
                positional.append(self._callee(argument))
        for keyword in node.keywords:
            if keyword.arg is None:
                spread = every((spread or NOTHING, self.iterate(self.eval(keyword.value))))
            else:
                named[keyword.arg] = self._callee(keyword.value)
        return Arguments(tuple(positional), named, spread, node)

    @abstractmethod
    def instantiate(self, node: ast.AST, made: Class, arguments: Arguments) -> Value:
        """Make an instance of a known class."""

    @abstractmethod
    def call_methods(self, node: ast.AST, base: Value, name: str, arguments: Arguments) -> Value:
        """Call a method of instances that we saw made."""

    @abstractmethod
    def special(self, node: ast.Call) -> Value | None:
        """Calls that are not what they seem; None for all others."""

    @abstractmethod
    def call_attribute(self, node: ast.Call, base: Receiver, arguments: Arguments, *, dropped: bool) -> Value:
        """A call of an attribute of `base`."""

    @abstractmethod
    def call_imported(self, node: ast.AST, module: Module, arguments: Arguments) -> Value:
        """A call of a function or class found by its dotted path."""

    def call_value(self, node: ast.AST, callee: Value, arguments: Arguments) -> Value:
        """Call whatever `callee` may be."""
        if len(callee.objects) == 1:
            (thing,) = callee.objects
            return self.call_object(node, thing, arguments)
        result: Value | None = None
        for thing in sorted(callee.objects, key=repr):
            with self.maybe():
                returned = self.call_object(node, thing, arguments)
                result = returned if result is None else either(result, returned)
        return result if result is not None else self.call_unknown(node, NOTHING, arguments)

    def call_object(self, node: ast.AST, thing: Object, arguments: Arguments) -> Value:
        """Call one object."""
        if isinstance(thing, Function):
            return self.apply(thing, arguments)
        if isinstance(thing, Class):
            return self.instantiate(node, thing, arguments)
        if isinstance(thing, Module):
            return self.call_imported(node, thing, arguments)
        if isinstance(thing, int) and thing in self.heap.classes:
            return self.call_methods(node, Value(frozenset((thing,)), sure=True), "__call__", arguments)
        return self.call_unknown(node, Value(frozenset((thing,))), arguments)

    def note_hidden(self, path: str) -> None:
        """Functions that draw from a global random generator, seed it, or set filters of warnings."""
        parent, _, last = path.rpartition(".")
        state = hidden.GENERATORS.get(parent)
        setting = None if last in hidden.READERS else hidden.setting_of(path)
        if path in hidden.WARNING_FILTERS:
            self.touch(Value(frozenset({"setting:warnings"})))
        elif parent == "logging" and last not in hidden.EMITTING:
            self.touch(Value(frozenset({"setting:logging"})))
        elif path in hidden.REGISTERING or (parent == "IPython.core.magic" and last.startswith("register_")):
            self.change(Value(frozenset({hidden.process_of(path)}), sure=True))
        elif setting is not None:
            self.change(Value(frozenset({setting}), sure=True))
        elif state is None:
            self.called_others = self.called_others or parent not in ("builtins", *hidden.GENERATORS)
        elif last in hidden.SEEDS and not self.called_others:
            self.store_global(state, NOTHING)  # nothing before can have drawn from it
        elif last not in hidden.NO_DRAWS:
            slot = self.globals.get(state)
            self.change(Value(frozenset({state}), sure=True) if slot is None else slot[1])

    # Unknown functions and methods

    def call_unknown(self, node: ast.AST, callee: Value, arguments: Arguments) -> Value:
        """A call that could do anything with what it is given, except rebind names."""
        self.called_others = True
        everything = self.heap.reachable(callee.objects | arguments.everything().objects)
        self.touch_all(everything)
        self.use(Value(everything))
        result = self.call_back(Value(everything))
        everything |= result.objects
        self.heap.mingle(node, everything)
        return Value(everything | self.fresh(node, everything).objects)

    def call_back(self, everything: Value) -> Value:
        """The known functions among `everything` may be called with any of it."""
        result = NOTHING
        for thing in sorted((t for t in everything.objects if isinstance(t, (Function, Class))), key=repr):
            if isinstance(thing, Class):
                self.mention(thing)
            else:
                result = either(result, self.invoke(thing, everything))
        return result

    def invoke(self, function: Function, everything: Value) -> Value:
        """Somebody may call `function` with any of `everything`."""
        with self.perhaps():
            return self.apply(function, Arguments(spread=everything._replace(sure=False)))

    # Known functions

    def apply(self, function: Function, arguments: Arguments) -> Value:
        """Call a known function."""
        parameters = self.parameters(function, arguments)
        activation = self.active.get(function)
        if activation is not None:
            return self._recurse(activation, parameters)
        if self.patience <= 0 or len(self.active) >= DEPTH:
            return self.apply_in_bulk(function, parameters)
        body = function.node
        if function.scope.generates or isinstance(body, ast.AsyncFunctionDef):
            return self._suspended(function, parameters)
        return self.follow(function, parameters)

    def _suspended(self, function: Function, parameters: dict[str, Value]) -> Value:
        number = self.heap.new(function, "suspended")

        def go_on() -> None:
            self.heap.put(number, self.follow(function, parameters))

        self.heap.put(number, Value(every(parameters.values()).objects))
        self.suspend(number, go_on)
        return Value(frozenset((number,)), sure=True, solid=True)

    def follow(self, function: Function, parameters: dict[str, Value]) -> Value:
        """Follow the body of a known function, until another time adds nothing."""
        if function in self.active:
            return self._recurse(self.active[function], parameters)
        here, was_live = self.frame, self.live
        activation = Activation(parameters, (self.globals.copy(), {}))
        self.active[function] = activation
        self.depth += 1
        targets, self.targets = self.targets, None
        try:
            while True:
                activation.again = False
                version = self.heap.version
                self._follow_once(function, activation)
                settled = not activation.again and (not activation.recursive or version == self.heap.version)
                if settled or self.patience <= 0:
                    break
            if not settled:
                activation.returned = either(activation.returned, self.apply_in_bulk(function, activation.parameters))
        finally:
            del self.active[function]
            self.depth -= 1
            self.frame = here
            self.live = self.live and was_live
            self.targets = targets
        return activation.returned

    def _follow_once(self, function: Function, activation: Activation) -> None:
        self.heap.spend(CALL)
        self.patience -= 1
        here = self.frame
        frame = Frame(function)
        assert activation.entry is not None
        self.globals = activation.entry[0].copy()
        self.frame = frame
        self.live = True
        for name, value in activation.parameters.items():
            self.store(name, value)
        node = function.node
        if isinstance(node, ast.Lambda):
            frame.returned = self.eval(node.body)
        else:
            self.run(node.body)
        state = self.snapshot()
        for left in frame.exits:
            state = self.join(state, left)
        self.frame = here
        grown = self.join(activation.left, state)
        if grown is not None:
            grown = (grown[0], {})
        returned = either(activation.returned, frame.returned) if activation.returned.objects else frame.returned
        if activation.recursive and (grown != activation.left or returned != activation.returned):
            activation.again = True
        activation.left, activation.returned = grown, returned
        # A body that only raises still leaves its caller somewhere: under `try`, or at the end of the code.
        self.live = grown is not None
        self.globals = grown[0].copy() if grown is not None else self.globals

    def _recurse(self, activation: Activation, parameters: dict[str, Value]) -> Value:
        """A call of a function under way: its parameters join; the result is what is known of it so far."""
        activation.recursive = True
        for name, value in parameters.items():
            old = activation.parameters.get(name)
            new = value if old is None else either(old, value)
            if new != old:
                activation.parameters[name] = new
                activation.again = True
        entry = self.join(activation.entry, (self.globals.copy(), {}))
        if entry != activation.entry:
            activation.entry = entry
            activation.again = True
        if activation.left is not None:
            self.globals = self.join((self.globals, {}), activation.left)[0]  # type: ignore[index]  # neither is None
        return activation.returned

    def parameters(self, function: Function, arguments: Arguments) -> dict[str, Value]:
        """The values of a function's parameters in a call."""
        scope = function.scope
        spread = arguments.spread
        found: dict[str, Value] = {}
        named = dict(arguments.named)
        for position, name in enumerate((*scope.positional, *scope.keyword_only)):
            if position < len(arguments.positional) and position < len(scope.positional):
                value = arguments.positional[position]
            elif name in named:
                value = named.pop(name)
            else:
                default = self.heap.cells.get((function, f"={name}"), NOTHING)
                value = default if spread is None else either(default, spread)
            found[name] = value
        extra = arguments.positional[len(scope.positional) :]
        for gathering, values in ((scope.rest, extra), (scope.options, tuple(named.values()))):
            if gathering is not None:
                number = self.heap.new(function, f"*{gathering}")
                for value in (*values, *((spread,) if spread else ())):
                    self.heap.put(number, value)
                found[gathering] = Value(frozenset((number,)), sure=True, solid=True)
        return found

    def apply_in_bulk(self, function: Function, parameters: dict[str, Value]) -> Value:
        """A call without following it: whatever the body mentions may be read, bound and changed."""
        found = set(every(parameters.values()).objects) | {function}
        seen: set[Function] = set()
        while True:
            found |= self.heap.reachable(found)
            new = self._functions_among(found) - seen
            if not new:
                break
            seen |= new
            for current in sorted(new, key=repr):
                for name in self._mentions(current)[0]:
                    found |= self.load_outside(name, current).objects
        everything = Value(frozenset(found))
        self.touch(everything)
        self.heap.mingle(function, everything.objects)
        for name in sorted({name for current in seen for name in self._mentions(current)[1]}):
            self._rebind_in_bulk(name, everything)
        return everything

    def _functions_among(self, things: set[Object]) -> set[Function]:
        found = {thing for thing in things if isinstance(thing, Function)}
        for thing in things:
            if isinstance(thing, Class):
                found |= {method for methods in thing.methods.values() for method in methods}
        return found

    def _mentions(self, function: Function) -> tuple[frozenset[str], frozenset[str]]:
        """The names in a function's code, and those that it declares global."""
        mentions = self._mentioned.get(function)
        if mentions is None:
            declared = {name for node in ast.walk(function.node) if isinstance(node, ast.Global) for name in node.names}
            body = function.node.body
            names = mentioned([*body] if isinstance(body, list) else [body])
            names = {n for n in names if n not in function.scope.own or n in function.scope.captured} | declared
            mentions = self._mentioned[function] = (frozenset(names), frozenset(declared))
        return mentions

    def _rebind_in_bulk(self, name: str, everything: Value) -> None:
        status, value = self.globals.get(name) or self.initial(name)
        if status & BOUND and status & GONE and everything.objects <= value.objects:
            return
        with self.maybe():
            self.store_global(name, everything, BOUND)
        with self.maybe():
            self.store_global(name, NOTHING, GONE)
