"""Which global names a piece of code uses as it stands: at once, later (in functions), and which it makes.

Where `book/names` follows what code does, this says what it mentions, which is what decides whether the code means the
same in a function's scope.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from stagebook.book.parts import names_in_texts
from stagebook.book.scopes import scope_of

_RUNS_OVER = frozenset(
    {"sorted", "min", "max", "sum", "any", "all", "list", "tuple", "set", "frozenset", "dict", "join", "extend"}
)
"""What runs over a generator before it returns."""
_CALLS_KEY = frozenset({"sorted", "min", "max", "sort"})
_CALLS = frozenset({"apply", "applymap", "agg", "aggregate", "assign", "transform", "sort_values", "rename", "pipe"})
"""Methods of tables that call the functions that they are given before they return, and keep none."""

LAZY = frozenset({"dask", "polars", "pyspark", "vaex", "ray", "modin", "ibis", "daft", "tensorflow", "datasets"})
"""Packages whose tables call such functions later."""


@dataclass(slots=True)
class Uses:
    """What code mentions, each name with its first line.

    Attributes:
        direct: names that are looked up while the code runs.
        later: names that functions look up whenever they are called.
        stores: names that are bound, or deleted.
        deletes: names that are deleted.
        shaky: names that are bound only under a condition, by the statements they stand in.
    """

    direct: dict[str, int] = field(default_factory=dict)
    later: dict[str, int] = field(default_factory=dict)
    stores: dict[str, int] = field(default_factory=dict)
    deletes: dict[str, int] = field(default_factory=dict)
    shaky: set[str] = field(default_factory=set)

    @property
    def loads(self) -> dict[str, int]:
        """All names that are looked up."""
        return {**self.later, **self.direct}


def uses_of(body: Iterable[ast.stmt], *, lazy: bool = False) -> Uses:
    """What statements at a module's, or a cell's, top level mention.

    Args:
        body: the statements.
        lazy: whether tables may call functions later than they are given them.
    """
    walk = _Walk(lazy=lazy)
    for statement in body:
        walk.visit(statement, _Where())
    return walk.found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Where:
    """Where in the code: the names of the functions around, whether it runs later, whether under a condition."""

    owns: tuple[frozenset[str], ...] = ()
    of_class: frozenset[str] | None = None
    later: bool = False
    at_once: bool = False
    shaky: bool = False

    def inside(self, own: Iterable[str], *, later: bool) -> _Where:
        owns = (*self.owns, frozenset(own))
        return _Where(owns=owns, later=self.later or later, shaky=self.shaky)

    @property
    def is_global(self) -> bool:
        return not self.owns and self.of_class is None


class _Walk:
    def __init__(self, *, lazy: bool) -> None:
        self.found = Uses()
        self.lazy = lazy

    def visit(self, node: ast.AST, where: _Where) -> None:
        if isinstance(node, ast.Name):
            self._name(node.id, node.lineno, where, store=not isinstance(node.ctx, ast.Load))
            if isinstance(node.ctx, ast.Del) and where.is_global:
                self.found.deletes.setdefault(node.id, node.lineno)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            self._function(node, where)
        elif isinstance(node, ast.ClassDef):
            self._class(node, where)
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            self._comprehension(node, where)
        elif isinstance(node, ast.Call):
            self._call(node, where)
        else:
            for name in _bound_by(node):
                self._name(name, getattr(node, "lineno", 1), where, store=True)
            inner = where
            if isinstance(node, (ast.If, ast.Try, ast.Match, ast.While)) or type(node).__name__ == "TryStar":
                inner = replace(where, shaky=True)
            for child in ast.iter_child_nodes(node):
                self.visit(child, inner)

    def _name(self, name: str, line: int, where: _Where, *, store: bool) -> None:
        if any(name in own for own in where.owns):
            return
        if where.of_class is not None and name in where.of_class:
            return
        if store:
            if where.is_global:
                self.found.stores.setdefault(name, line)
                (self.found.shaky.add if where.shaky else self.found.shaky.discard)(name)
            return
        (self.found.later if where.later else self.found.direct).setdefault(name, line)

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, where: _Where, *, body: _Where | None = None
    ) -> None:
        """A function; code in a method's body does not see the names of its class, in which it is defined."""
        if not isinstance(node, ast.Lambda):
            self._name(node.name, node.lineno, where, store=True)
            for part in node.decorator_list:
                self.visit(part, where)
            if node.returns is not None:
                self.visit(node.returns, where)
        arguments = node.args
        for default in (*arguments.defaults, *arguments.kw_defaults):
            if default is not None:
                self.visit(default, where)
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for argument in every:
            if argument is not None and argument.annotation is not None:
                self.visit(argument.annotation, where)
        inner = (body or where).inside(scope_of(node).own, later=not where.at_once)
        body_parts: list[ast.AST] = [*node.body] if isinstance(node.body, list) else [node.body]
        for statement in body_parts:
            self.visit(statement, inner)

    def _class(self, node: ast.ClassDef, where: _Where) -> None:
        self._name(node.name, node.lineno, where, store=True)
        for part in (*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)):
            self.visit(part, where)
        own: set[str] = set()
        for statement in node.body:
            inner = replace(where, of_class=frozenset(own), at_once=False)
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._function(statement, inner, body=replace(where, of_class=None, at_once=False))
            else:
                self.visit(statement, inner)
            own |= {name for part in ast.walk(statement) for name in _stored(part)}

    def _comprehension(self, node: ast.AST, where: _Where) -> None:
        generators: list[ast.comprehension] = node.generators  # type: ignore[attr-defined]  # it is a comprehension
        walrus = [one for one in ast.walk(node) if isinstance(one, ast.NamedExpr)]
        for one in walrus:
            self._name(one.target.id, one.lineno, where, store=True)
        self.visit(generators[0].iter, where)
        targets = {part.id for one in generators for part in ast.walk(one.target) if isinstance(part, ast.Name)}
        later = isinstance(node, ast.GeneratorExp) and not where.at_once
        inner = where.inside(targets, later=later)
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]  # type: ignore[attr-defined]
        for position, generator in enumerate(generators):
            parts += [*([generator.iter] if position else []), *generator.ifs]
        for part in parts:
            self.visit(part, inner)

    def _call(self, node: ast.Call, where: _Where) -> None:
        self.visit(node.func, where)
        for name in _names_in_query(node):
            self._name(name, node.lineno, where, store=False)
        for part in (*node.args, *(keyword.value for keyword in node.keywords)):
            at_once = _is_eager(node.func, part, lazy=self.lazy)
            self.visit(part, replace(where, at_once=at_once))


def _is_eager(function: ast.expr, given: ast.expr, *, lazy: bool) -> bool:
    """Whether calling `function` runs over, or calls, what it is `given`, before it returns."""
    called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    if isinstance(given, ast.GeneratorExp):
        return called in _RUNS_OVER
    if not isinstance(given, ast.Lambda):
        return False
    return called in _CALLS_KEY or (called in _CALLS and isinstance(function, ast.Attribute) and not lazy)


_AT = re.compile(r"@([^\W\d]\w*)")


def _names_in_query(node: ast.Call) -> Sequence[str]:
    """Variables that the text of a query reads from whoever calls it: `@limit` to pandas, any word to a database."""
    if not isinstance(node.func, ast.Attribute):
        return ()
    words = names_in_texts(node)
    of_pandas = isinstance(node.func.value, ast.Name) and node.func.value.id in ("pd", "pandas")
    if node.func.attr in ("query", "eval") and not of_pandas:
        texts = [part.value for one in node.args for part in ast.walk(one) if isinstance(part, ast.Constant)]
        words = sorted({name for text in texts if isinstance(text, str) for name in _AT.findall(text)})
    return words


def _bound_by(node: ast.AST) -> Iterator[str]:
    """The names that a node binds by itself, beside those of its `ast.Name` parts."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*")
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _stored(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    else:
        yield from _bound_by(node)
