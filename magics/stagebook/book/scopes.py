"""What the body of one function, lambda or comprehension says about its own names, before anything is run."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, slots=True)
class Scope:
    """The names of one function body.

    Attributes:
        positional: parameters that take positional arguments, in order.
        keyword_only: parameters after `*`.
        rest: the name behind `*`, if any.
        options: the name behind `**`, if any.
        own: names that belong to the function (parameters and whatever it binds).
        captured: the part of `own` that code nested in the function mentions, and so may see or rebind later.
        declared_global: names under a `global` statement.
        generates: whether the body yields.
    """

    positional: tuple[str, ...]
    keyword_only: tuple[str, ...]
    rest: str | None
    options: str | None
    own: frozenset[str]
    captured: frozenset[str]
    declared_global: frozenset[str]
    generates: bool


@dataclass(slots=True)
class _Sighting:
    """What a walk over a body has met so far."""

    bound: set[str] = field(default_factory=set)
    inner: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)
    generates: bool = False


def scope_of(node: FunctionNode) -> Scope:
    """The scope of a function or lambda."""
    arguments = node.args
    positional = tuple(a.arg for a in (*arguments.posonlyargs, *arguments.args))
    keyword_only = tuple(a.arg for a in arguments.kwonlyargs)
    rest = arguments.vararg.arg if arguments.vararg else None
    options = arguments.kwarg.arg if arguments.kwarg else None
    seen = _sightings(node.body if isinstance(node.body, list) else [node.body])
    parameters = {*positional, *keyword_only, *(name for name in (rest, options) if name)}
    own = (parameters | seen.bound) - seen.globals - seen.nonlocals
    return Scope(
        positional,
        keyword_only,
        rest,
        options,
        frozenset(own),
        frozenset(own & seen.inner),
        frozenset(seen.globals),
        seen.generates,
    )


def _sightings(body: Iterable[ast.AST]) -> _Sighting:
    seen = _Sighting()
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                seen.bound.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.GeneratorExp)):
            waiting.extend(_enter_nested(node, seen))
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp)):
            waiting.extend(_comprehension_parts(node))
        else:
            _note_binding(node, seen)
            waiting.extend(ast.iter_child_nodes(node))
    return seen


def _enter_nested(node: ast.AST, seen: _Sighting) -> list[ast.AST]:
    """Notes what nested code mentions; returns the parts of it that run in the enclosing scope."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            seen.inner.add(inner.id)
        elif isinstance(inner, ast.Nonlocal):
            seen.inner.update(inner.names)
        elif isinstance(inner, ast.NamedExpr) and isinstance(node, ast.GeneratorExp):
            seen.bound.add(inner.target.id)
    if isinstance(node, ast.GeneratorExp):
        return [node.generators[0].iter]
    if isinstance(node, ast.Lambda):
        return [d for d in (*node.args.defaults, *node.args.kw_defaults) if d]
    assert isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    seen.bound.add(node.name)
    if isinstance(node, ast.ClassDef):
        return [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]
    return [*node.decorator_list, *(d for d in (*node.args.defaults, *node.args.kw_defaults) if d)]


def _comprehension_parts(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> list[ast.AST]:
    parts: list[ast.AST] = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
    for generator in node.generators:
        parts += [generator.iter, *generator.ifs]
    return parts


def _note_binding(node: ast.AST, seen: _Sighting) -> None:
    if isinstance(node, (ast.Yield, ast.YieldFrom)):
        seen.generates = True
    elif isinstance(node, ast.Global):
        seen.globals.update(node.names)
    elif isinstance(node, ast.Nonlocal):
        seen.nonlocals.update(node.names)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        seen.bound.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        if node.name:
            seen.bound.add(node.name)
    elif isinstance(node, ast.MatchMapping) and node.rest:
        seen.bound.add(node.rest)


def mentioned(body: Iterable[ast.AST]) -> set[str]:
    """The names in code, without those that belong to functions and comprehensions nested in it."""
    names: set[str] = set()
    waiting = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            inner = node.body if isinstance(node.body, list) else [node.body]
            names |= mentioned(inner) - scope_of(node).own
            waiting += [part for part in ast.iter_child_nodes(node) if part not in inner]
        elif isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            first, targets = node.generators[0].iter, mentioned(one.target for one in node.generators)
            names |= mentioned(part for part in _comprehension_parts(node) if part is not first) - targets
            waiting.append(first)
        else:
            waiting.extend(ast.iter_child_nodes(node))
    return names
