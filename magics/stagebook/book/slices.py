"""The part of the preamble that a stage stands on: what it uses of setup, and which parameters it reads."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from stagebook.book.cells import without_magic
from stagebook.book.names import NOTHING_KNOWN, analyse
from stagebook.book.syntax import parse
from stagebook.model import Names, Pipeline, Stage


@dataclass(frozen=True, slots=True)
class Statement:
    """A top-level statement of the preamble, what it does to names, and the number of its cell."""

    node: ast.stmt
    names: Names
    parameters: bool
    cell: int


@dataclass(frozen=True, slots=True)
class Foundation:
    """What a stage stands on: statements of setup it uses, parameters it reads, modules that both import."""

    setup: tuple[ast.stmt, ...]
    parameters: Mapping[str, ast.stmt]
    imports: frozenset[str]


def preamble_statements(pipeline: Pipeline) -> tuple[Statement, ...]:
    """The preamble, statement by statement."""
    found = []
    known = NOTHING_KNOWN
    for cell in pipeline.preamble:
        for node in parse(without_magic(cell.source)).body:
            analysis = analyse([(cell.number, ast.Module(body=[node], type_ignores=[]))], known=known)
            known = known.merged(analysis.definitions)
            found.append(Statement(node, analysis.names, cell.role == "parameters", cell.number))
    return tuple(found)


def foundation(stage: Stage, preamble: Sequence[Statement]) -> Foundation:
    """What `stage` uses of the preamble, found backwards from the names it reads.

    A statement that binds no name (`pd.set_option(...)`), or holds one such, is there for its effect, and every stage
    stands on it.
    """
    wanted = {*stage.names.reads, *stage.names.touches, *stage.names.changes, *stage.names.maybe_binds}
    setup: list[ast.stmt] = []
    parameters: dict[str, ast.stmt] = {}
    imports = set(stage.names.imports)
    for statement in reversed(preamble):
        names = statement.names
        used = wanted & (names.binds.keys() | names.changes.keys() | names.touches.keys())
        if not (used or _has_effect(statement)):
            continue
        wanted |= names.reads.keys()
        imports |= names.imports
        made_later = used & parameters.keys()  # `depth` at `depth = 3`, where `depth *= 2` follows
        if statement.parameters:
            parameters |= dict.fromkeys(sorted(used - made_later), statement.node)
        if made_later or not (statement.parameters and used):
            setup.append(statement.node)
    return Foundation(tuple(reversed(setup)), parameters, frozenset(imports))


def _has_effect(statement: Statement) -> bool:
    if isinstance(statement.node, ast.Expr):
        return not isinstance(statement.node.value, ast.Constant)
    return not statement.names.binds or _holds_expression(statement.node)


def _holds_expression(node: ast.AST) -> bool:
    """Whether running `node` comes to an expression that stands alone, as one does in a loop over options to set."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
        return False
    return any(_holds_expression(inner) for inner in ast.iter_child_nodes(node))
