"""What of a notebook's setup may be done before anything else has run."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable

from stagebook.book.cells import without_magic
from stagebook.book.syntax import CellSyntaxError, parse

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITIONS = (*_FUNCTIONS, ast.ClassDef)
_IMPORTS = (ast.Import, ast.ImportFrom)
_SETTINGS = frozenset({"filterwarnings", "simplefilter", "set_option", "set_theme", "set_config", "seed"})
_MAGICS = ("%matplotlib inline", "%load_ext ", "%autoreload ", "%config InlineBackend")
_TIMELESS_MAGICS = ("%matplotlib inline", "%config InlineBackend", "%load_ext stagebook")


def early_imports(sources: Iterable[str]) -> tuple[str, ...]:
    """The import statements that stand above all that could change what an import does, each as one line of code.

    Above them there may be definitions, constants, options of libraries, and imports. Whatever else there is, such as
    an environment variable being set, may be meant for the imports below, which are then left to the kernel.

    Args:
        sources: the code of the parameters and setup cells, in order.
    """
    found: list[str] = []
    for source in sources:
        try:
            body = parse(without_magic(source)).body
        except CellSyntaxError:
            return tuple(found)
        for statement in body:
            if isinstance(statement, _IMPORTS):
                if getattr(statement, "level", 0) == 0:
                    found.append(ast.unparse(statement))
            elif not _is_harmless(statement):
                return tuple(found)
    return tuple(dict.fromkeys(found))


def is_timeless(sources: Iterable[str], imported: Iterable[str]) -> bool:
    """Whether these cells do the same whenever they are run: they import, define, set constants, and look at nothing.

    Args:
        sources: the code of the parameters and setup cells.
        imported: import statements that are known to name installed packages, and to have no effects.
    """
    return _are_timeless(tuple(sources), frozenset(imported))


@functools.lru_cache(maxsize=64)
def _are_timeless(sources: tuple[str, ...], imported: frozenset[str]) -> bool:
    try:
        statements = [statement for source in sources for statement in parse(without_magic(source)).body]
    except CellSyntaxError:
        return False
    return all(
        ast.unparse(statement) in imported if isinstance(statement, _IMPORTS) else _is_timeless(statement)
        for statement in statements
    )


def _is_timeless(statement: ast.stmt) -> bool:
    """Whether a statement that is no import binds a constant or a function, or sets an option to what it spells out."""
    if not _is_harmless(statement) or isinstance(statement, ast.ClassDef):
        return False
    if isinstance(statement, _FUNCTIONS):
        outside = [statement.args, statement.returns, *getattr(statement, "type_params", [])]
        return not any(isinstance(node, ast.Call) for part in outside if part is not None for node in ast.walk(part))
    if isinstance(statement, ast.Expr):
        if isinstance(statement.value, ast.JoinedStr):
            return ast.unparse(statement.value)[2:].startswith(_TIMELESS_MAGICS)
        return sum(isinstance(node, ast.Call) for node in ast.walk(statement)) <= 1
    return True


def _is_harmless(statement: ast.stmt) -> bool:
    """Whether it can make no difference to an import below it."""
    if isinstance(statement, _DEFINITIONS):
        return not statement.decorator_list and not getattr(statement, "bases", [])
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        return all(isinstance(target, ast.Name) for target in targets) and _is_constant(statement.value)
    if isinstance(statement, ast.Expr):
        value = statement.value
        if isinstance(value, ast.JoinedStr):  # a magic, or a shell line
            return ast.unparse(value)[2:].startswith(_MAGICS)
        if isinstance(value, ast.Call):
            return isinstance(value.func, ast.Attribute) and value.func.attr in _SETTINGS
        return isinstance(value, ast.Constant)
    return isinstance(statement, ast.Pass)


def _is_constant(value: ast.expr | None) -> bool:
    try:
        return value is None or ast.literal_eval(value) is not ...
    except ValueError:
        return False
