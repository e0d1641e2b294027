"""Following expressions: what they read, bind and change, and which objects they may evaluate to."""

from __future__ import annotations

import ast
import functools
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Literal

from stagebook.book.definitions import Definitions
from stagebook.book.frames import Frame
from stagebook.book.objects import NOTHING, Class, Function, Object, Value, either
from stagebook.book.parts import Parts, global_name, is_namespace
from stagebook.book.scopes import FunctionNode, scope_of

Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class Expressions(Parts):
    """The expressions of the language, calls excepted."""

    def __init__(self, known: Definitions) -> None:
        super().__init__(known)
        self.functions: dict[int, Function] = {}
        self.referenced: set[Object] = set()
        self.targets: dict[str, Value] | None = None
        self._how = _ways(type(self))

    @abstractmethod
    def call(self, node: ast.Call) -> Value:
        """A call, used for its result."""

    @abstractmethod
    def mention(self, thing: Class) -> None:
        """A class is used: any of its methods may be called."""

    def eval(self, node: ast.expr) -> Value:
        """What an expression may evaluate to; notes what evaluating it does."""
        if not self.depth:
            self.line = node.lineno
        return self._how[type(node)](self, node)

    def eval_all(self, nodes: Sequence[ast.expr | None]) -> None:
        """Evaluate some expressions for what they do."""
        for node in nodes:
            if node is not None:
                self.eval(node)

    # Names and parts

    def _constant(self, _: ast.Constant) -> Value:
        return NOTHING

    def _name(self, node: ast.Name) -> Value:
        value = self.load(node.id)
        for thing in value.objects:
            if isinstance(thing, (Function, Class)):
                self.refer(thing)
        return value

    def refer(self, thing: Function | Class) -> None:
        """A function or class is mentioned, and so may be called by whoever gets to see it."""
        if thing in self.referenced:
            return
        self.referenced.add(thing)
        if isinstance(thing, Class):
            self.mention(thing)
        else:
            self.invoke(thing, NOTHING)

    def _attribute(self, node: ast.Attribute) -> Value:
        return self.attribute(self.eval(node.value), node.attr)

    def _subscript(self, node: ast.Subscript) -> Value:
        name = global_name(node)
        if name is not None:
            return self.load_global(name)
        base = self.eval(node.value)
        self.eval(node.slice)
        return self.part(base, node.slice)

    # Operators

    def _held(self, values: Sequence[Value]) -> frozenset[Object]:
        """What an object computed from `values` may hold: what they hold; an own operator may return anything."""
        found: frozenset[Object] = frozenset()
        for value in values:
            if value.objects:
                found |= self.heap.inside(value)
        return found

    def _binary(self, node: ast.BinOp) -> Value:
        left, right = self.eval(node.left), self.eval(node.right)
        if not left.objects and not right.objects:
            return NOTHING
        result = self.fresh(node, self._held((left, right)))
        instances = {t for v in (left, right) for t in v.objects if isinstance(t, int) and t in self.heap.classes}
        return either(result, Value(frozenset(instances))) if instances else result

    def _unary(self, node: ast.UnaryOp) -> Value:
        operand = self.eval(node.operand)
        return (
            NOTHING if isinstance(node.op, ast.Not) or not operand.objects else self.fresh(node, self._held([operand]))
        )

    def _compare(self, node: ast.Compare) -> Value:
        self.eval(node.left)
        asked = node.left.value if isinstance(node.left, ast.Constant) else None
        if (
            isinstance(asked, str)
            and isinstance(node.ops[0], (ast.In, ast.NotIn))
            and is_namespace(node.comparators[0])
        ):
            self.ask_for(asked)
        for position, (operator, comparator) in enumerate(zip(node.ops, node.comparators, strict=True)):
            if position:
                with self.maybe():
                    self._comparator(operator, comparator)
            else:
                self._comparator(operator, comparator)
        return self.fresh(node)

    def _comparator(self, operator: ast.cmpop, node: ast.expr) -> None:
        if isinstance(operator, (ast.In, ast.NotIn)) and is_namespace(node):
            return
        value = self.eval(node)
        if isinstance(operator, (ast.In, ast.NotIn)):
            self.iterate(value)

    def _boolean(self, node: ast.BoolOp) -> Value:
        value = self.eval(node.values[0])
        for other in node.values[1:]:
            with self.maybe():
                value = either(value, self.eval(other))
        return value

    def _if_else(self, node: ast.IfExp) -> Value:
        self.eval(node.test)
        before = self.snapshot()
        first = self.eval(node.body)
        after = self.snapshot()
        self.restore(before)
        second = self.eval(node.orelse)
        self.meet(after)
        return either(first, second)

    # Displays

    def _display(self, node: ast.List | ast.Tuple | ast.Set) -> Value:
        values = []
        number = self.heap.new(node)
        spread = False
        for element in node.elts:
            if isinstance(element, ast.Starred):
                spread = True
            values.append(self.eval(element))
        if isinstance(node, ast.Tuple) and not spread:
            self.heap.put_fields(number, tuple(values))
        else:
            for value in values:
                self.heap.put(number, value)
        return Value(frozenset((number,)), sure=True, solid=True)

    def _dict(self, node: ast.Dict) -> Value:
        number = self.heap.new(node)
        for key, item in zip(node.keys, node.values, strict=True):
            if key is None:
                self.heap.put(number, self.iterate(self.eval(item)))
                continue
            self.heap.put(number, self.eval(key))
            self.heap.put(number, self.eval(item))
        return Value(frozenset((number,)), sure=True, solid=True)

    def _starred(self, node: ast.Starred) -> Value:
        return self.iterate(self.eval(node.value))

    def _formatted(self, node: ast.JoinedStr | ast.FormattedValue | ast.Slice) -> Value:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.eval(child)
        return NOTHING

    # Functions without a name

    def function(self, node: FunctionNode, name: str) -> Function:
        """The function that `node` defines where the code now stands."""
        found = self.functions.get(id(node))
        if found is None:
            decorators = getattr(node, "decorator_list", ())
            found = Function(node, name, scope_of(node), self.frame.function, _binding(decorators))
            self.functions[id(node)] = found
        arguments = node.args
        positional = (*arguments.posonlyargs, *arguments.args)
        defaults = arguments.defaults
        for parameter, default in zip(positional[len(positional) - len(defaults) :], defaults, strict=True):
            self.heap.put_cell(found, f"={parameter.arg}", self.eval(default))
        for parameter, keyword_default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if keyword_default is not None:
                self.heap.put_cell(found, f"={parameter.arg}", self.eval(keyword_default))
        return found

    def _lambda(self, node: ast.Lambda) -> Value:
        function = self.function(node, "lambda")
        self.refer(function)
        return Value(frozenset((function,)), sure=True, solid=True)

    # Comprehensions

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp) -> Value:
        number = self.heap.new(node)
        self._generate(node, number, self.eval(node.generators[0].iter))
        return Value(frozenset((number,)), sure=True, solid=True)

    def _generator(self, node: ast.GeneratorExp) -> Value:
        number = self.heap.new(node)
        first = self.eval(node.generators[0].iter)
        self.use(first)
        home, overlays = self.frame.function, list(self.frame.overlays)

        def go_on() -> None:
            frame = self.frame
            self.frame = Frame(home, overlays=overlays)
            self._generate(node, number, first)
            self.frame = frame

        self.suspend(number, go_on)
        return Value(frozenset((number,)), sure=True, solid=True)

    def _generate(self, node: Comprehension, number: int, first: Value) -> None:
        overlay: dict[str, Value] = {}
        frame = self.frame
        frame.overlays.append(overlay)
        self._generate_from(node, 0, number, first, overlay)
        frame.overlays.pop()

    def _generate_from(
        self, node: Comprehension, level: int, number: int, source: Value, overlay: dict[str, Value]
    ) -> None:
        if level == len(node.generators):
            for made in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
                self.heap.put(number, self.eval(made))
            return
        generator = node.generators[level]
        element = self.iterate(source)

        def once() -> None:
            self.targets = overlay
            self.assign(generator.target, element)
            self.targets = None
            self.eval_all(generator.ifs)
            following = self.eval(node.generators[level + 1].iter) if level + 1 < len(node.generators) else NOTHING
            self._generate_from(node, level + 1, number, following, overlay)

        self.repeat(once)

    @abstractmethod
    def assign(self, target: ast.expr, value: Value) -> None:
        """Bind a target of an assignment, a loop or a comprehension."""

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self.eval(node.value)
        self.store(node.target.id, value)
        return value

    # Waiting

    def _await(self, node: ast.Await) -> Value:
        value = self.eval(node.value)
        self.use(value)
        found = self.heap.inside(value) | {t for t in value.objects if isinstance(t, str)}
        self.touch_all(frozenset(t for t in value.objects if isinstance(t, str)))
        return Value(found) if found else NOTHING

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Value:
        value = self.eval(node.value) if node.value is not None else NOTHING
        if isinstance(node, ast.YieldFrom):
            value = either(self.iterate(value), value)
        self.frame.returned = either(self.frame.returned, value)
        return Value(self.heap.reachable(value.objects))


_HOW = {
    ast.Name: "_name",
    ast.Constant: "_constant",
    ast.Call: "call",
    ast.Attribute: "_attribute",
    ast.Subscript: "_subscript",
    ast.BinOp: "_binary",
    ast.Compare: "_compare",
    ast.BoolOp: "_boolean",
    ast.UnaryOp: "_unary",
    ast.IfExp: "_if_else",
    ast.List: "_display",
    ast.Tuple: "_display",
    ast.Set: "_display",
    ast.Dict: "_dict",
    ast.JoinedStr: "_formatted",
    ast.FormattedValue: "_formatted",
    ast.Slice: "_formatted",
    ast.Lambda: "_lambda",
    ast.ListComp: "_comprehension",
    ast.SetComp: "_comprehension",
    ast.DictComp: "_comprehension",
    ast.GeneratorExp: "_generator",
    ast.NamedExpr: "_walrus",
    ast.Starred: "_starred",
    ast.Await: "_await",
    ast.Yield: "_yield",
    ast.YieldFrom: "_yield",
}
"""The methods that follow each kind of expression."""


@functools.cache
def _ways(kind: type[Expressions]) -> dict[type[ast.AST], Callable[..., Value]]:
    """Those methods, looked up once."""
    return {node: getattr(kind, name) for node, name in _HOW.items()}


def _binding(decorators: Sequence[ast.expr]) -> Literal["plain", "static", "class", "property"]:
    for decorator in decorators:
        name = decorator.id if isinstance(decorator, ast.Name) else getattr(decorator, "attr", "")
        if name.endswith("property") or name in ("setter", "getter", "deleter"):
            return "property"
        if name == "staticmethod":
            return "static"
        if name == "classmethod":
            return "class"
    return "plain"
