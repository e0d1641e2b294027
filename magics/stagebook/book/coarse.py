"""What code does with names at the worst, from the names it mentions alone: for code too tangled to be followed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from stagebook.book.definitions import Definition, Definitions
from stagebook.book.objects import Class, Function, Object
from stagebook.book.scopes import mentioned, scope_of
from stagebook.model import Names, Place, frozen_map


def coarse_names(cells: Sequence[tuple[int, ast.Module]], known: Definitions) -> Names:
    """All names mentioned are read and touched, all that are stored may be bound.

    Only what the cells' own statements mention and never bind is sure to be needed. That functions are called, those of
    these cells or known ones, is not, and so neither is what is free in them.
    """
    loads: dict[str, Place] = {}
    binds: dict[str, Place] = {}
    reads: dict[str, Place] = {}
    deletes: dict[str, Place] = {}
    imports: set[str] = set()
    for number, tree in cells:
        for node in _outside_functions(tree):
            place = Place(number, getattr(node, "lineno", 1))
            for name in _bound(node):
                binds.setdefault(name, place)
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
                (deletes if isinstance(node.ctx, ast.Del) else loads).setdefault(node.id, place)
        for root in _reached(tree, known):
            for node in ast.walk(root):
                imports.update(_imported(node))
                if isinstance(node, ast.Global):
                    binds |= {name: Place(number, 1) for name in node.names if name not in binds}
            reads |= {name: Place(number, 1) for name in mentioned([root]) if name not in reads}
    reads |= loads
    return Names(
        reads=frozen_map(reads),
        maybe_reads=frozenset(reads.keys() - (loads.keys() - binds.keys()) - deletes.keys()),
        binds=frozen_map(binds),
        maybe_binds=frozenset(binds),
        touches=frozen_map(reads),
        deletes=frozen_map(deletes),
        imports=frozenset(imports),
        star_imports=frozenset({"exec"}) if reads.keys() & {"exec", "eval", "globals"} else frozenset(),
    )


def _outside_functions(tree: ast.Module) -> Iterable[ast.AST]:
    """The nodes that run in the cells' own scope; what comprehensions and lambdas have to themselves is left out."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
            waiting += [*node.decorator_list, *defaults]
        elif isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            waiting += [ast.Name(name, ast.Load(), lineno=node.lineno) for name in mentioned([node])]
        else:
            waiting += ast.iter_child_nodes(node)


def _reached(tree: ast.Module, known: Definitions) -> list[ast.AST]:
    """The code, and that of the known functions that it mentions, and so on."""
    found: list[ast.AST] = [tree]
    for root in found:
        for name in sorted(mentioned([root])):
            found += [code for code in _code(known, name) if code not in found]
    return found


def coarse_definitions(cells: Sequence[tuple[int, ast.Module]], known: Definitions) -> Definitions:
    """Every function and class may be what its name stands for afterwards."""
    found: dict[str, set[Object]] = {}
    for _, tree in cells:
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found.setdefault(node.name, set()).add(Function(node, node.name, scope_of(node), None))
            elif isinstance(node, ast.ClassDef):
                found.setdefault(node.name, set()).add(_class(node))
    for name, definition in known.definitions.items():
        if name in found:
            found[name] |= definition.objects
    return Definitions(
        frozen_map({name: Definition(frozenset(things), certain=False) for name, things in found.items()}),
        with_classes=any(isinstance(thing, Class) for things in found.values() for thing in things),
    )


def _class(node: ast.ClassDef) -> Class:
    made = Class(node.name)
    made.open.append(True)
    for method in node.body:
        if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
            made.methods.setdefault(method.name, set()).add(Function(method, method.name, scope_of(method), None))
    return made


def _bound(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names if alias.name != "*")
    elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    elif isinstance(node, ast.Global):
        yield from node.names


def _imported(node: ast.AST) -> Iterable[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield "." * node.level + (node.module or "")


def _code(known: Definitions, name: str) -> Iterable[ast.AST]:
    """The bodies that mentioning `name` may run."""
    definition = known.definitions.get(name)
    things: set[Object] = set(definition.objects) if definition else set()
    things |= known.held.get(name, frozenset())
    for thing in things:
        if isinstance(thing, Function):
            yield thing.node
        elif isinstance(thing, Class):
            yield from (method.node for methods in thing.methods.values() for method in methods)
