"""Which functions, classes and imports of stages may stand at a module's top level, and mean the same there."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Mapping, Sequence

from stagebook.export.chunks import Chunk
from stagebook.export.imports import imports_of, may_be_moved_up
from stagebook.export.uses import uses_of

_BUILTINS = frozenset(dir(builtins))
_DECORATORS = frozenset(
    {
        *("dataclass", "lru_cache", "cache", "staticmethod", "classmethod", "property", "abstractmethod", "wraps"),
        *("contextmanager", "asynccontextmanager", "total_ordering", "cached_property", "final", "overload", "njit"),
        *("jit", "setter", "getter", "deleter", "singledispatch"),
    }
)
_CALLS = frozenset({"field", "TypeVar", "auto", "frozenset", "dataclass", "lru_cache", "wraps", "njit", "jit"})
_AT_CREATION = frozenset({"__init_subclass__", "__set_name__", "__class_getitem__"})


def _binders(every: Iterable[Chunk]) -> dict[str, list[Chunk]]:
    """By name, the pieces of code that bind or delete it, wherever they stand."""
    found: dict[str, list[Chunk]] = {}
    for chunk in every:
        for name in uses_of(chunk.statements).stores:
            found.setdefault(name, []).append(chunk)
    return found


def hoisted(
    setup: Sequence[Chunk], stages: Sequence[Chunk], *, reserved: frozenset[str]
) -> tuple[list[Chunk], list[Chunk]]:
    """The imports and the definitions of stages that may stand at the module's top level.

    Args:
        setup: code that will stand there.
        stages: the stages' code, in notebook order.
        reserved: names that may not be bound there: parameters.
    """
    binders = _binders([*setup, *stages])
    attributes = _attributes_set([*setup, *stages])
    moved = []
    before = "\n".join(chunk.text for chunk in setup)
    has_run = any(_runs(chunk) for chunk in setup)
    for chunk in stages:
        if chunk.is_import and _is_one_import(chunk, binders, attributes, reserved):
            again = all(any(one in imports_of(other) for other in setup) for one in imports_of(chunk))
            if again or not has_run or may_be_moved_up(chunk, before):
                moved.append(chunk)
        before += "\n" + chunk.text
        has_run = has_run or _runs(chunk)
    at_top = {name for chunk in (*setup, *moved) for name in uses_of(chunk.statements).stores}
    return moved, _definitions(stages, binders, frozenset(at_top), reserved)


def _runs(chunk: Chunk) -> bool:
    """Whether it does more than import and define."""
    return bool(chunk.statements) and not chunk.is_import and not chunk.is_definition


def _is_one_import(
    chunk: Chunk, binders: Mapping[str, Sequence[Chunk]], attributes: frozenset[str], reserved: frozenset[str]
) -> bool:
    """Whether what it binds is bound by the same import everywhere."""
    for one in imports_of(chunk):
        name = one.binds
        same = all(any(one.path == other.path for other in imports_of(found)) for found in binders[name])
        if not same or name in reserved or name in _BUILTINS or (one.name and one.name in attributes):
            return False
    return True


def _attributes_set(every: Iterable[Chunk]) -> frozenset[str]:
    """The attributes that code sets on whatever it is: an import of such a name may find another value later."""
    nodes = [node for chunk in every for statement in chunk.statements for node in ast.walk(statement)]
    return frozenset(
        node.attr for node in nodes if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load)
    )


def _definitions(
    stages: Sequence[Chunk], binders: Mapping[str, Sequence[Chunk]], at_top: frozenset[str], reserved: frozenset[str]
) -> list[Chunk]:
    by_stages = {name for name, found in binders.items() if any(one in stages for one in found)}
    special = any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name in _AT_CREATION
        for chunk in stages
        for statement in chunk.statements
        for node in ast.walk(statement)
    )
    candidates = [chunk for chunk in stages if chunk.is_definition and _is_plain(chunk.statements[0], special=special)]
    candidates = [one for one in candidates if len(binders[_name(one)]) == 1]
    candidates = [one for one in candidates if _name(one) not in reserved | _BUILTINS]
    while True:
        names = at_top | {_name(one) for one in candidates}
        kept: list[Chunk] = []
        so_far = set(at_top)
        for chunk in candidates:
            uses = uses_of(chunk.statements)
            own = {_name(chunk)}
            free = (_BUILTINS - by_stages) | own
            if set(uses.direct) <= so_far | free and set(uses.later) <= names | free:
                kept.append(chunk)
                so_far |= own
        if len(kept) == len(candidates):
            return kept
        candidates = kept


def _name(chunk: Chunk) -> str:
    return str(chunk.statements[0].name)  # type: ignore[attr-defined]  # it is a definition


def _is_plain(node: ast.stmt, *, special: bool) -> bool:
    """Whether it makes the same function or class whenever it runs."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        defaults = [one for one in (*node.args.defaults, *node.args.kw_defaults) if one is not None]
        return all(map(_is_inert, defaults)) and all(map(_decorates_only, node.decorator_list))
    if not isinstance(node, ast.ClassDef):
        return False
    if node.keywords or not all(map(_is_inert, node.bases)) or not all(map(_decorates_only, node.decorator_list)):
        return False
    if special and node.bases:
        return False
    return all(_is_plain_member(one) for one in node.body)


def _is_plain_member(node: ast.stmt) -> bool:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return _is_plain(node, special=True)
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        value = node.value is None or _is_inert(node.value)
        return value and all(isinstance(target, ast.Name) for target in targets)
    return isinstance(node, ast.Pass)


def _decorates_only(node: ast.expr) -> bool:
    function = node.func if isinstance(node, ast.Call) else node
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    given = [*node.args, *(one.value for one in node.keywords)] if isinstance(node, ast.Call) else []
    return name in _DECORATORS and all(map(_is_inert, given))


def _is_inert(node: ast.expr) -> bool:
    """Whether an expression gives the same whenever it is evaluated, as far as names are bound once."""
    for part in ast.walk(node):
        if isinstance(part, ast.Call):
            name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
            if name not in _CALLS:
                return False
        if isinstance(part, (ast.Await, ast.NamedExpr, ast.Subscript)) and not _is_type(part):
            return False
    return True


def _is_type(node: ast.AST) -> bool:
    """Whether a subscript is of a type, `dict[str, int]`, rather than of a value."""
    if not isinstance(node, ast.Subscript):
        return False
    base = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
    return base[:1].isupper() or base in ("list", "dict", "tuple", "set", "frozenset", "type")
