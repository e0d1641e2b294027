"""Code without comments and layout: equal for cells that do the same, and the same on every Python."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable

from stagebook.book.cells import without_magic
from stagebook.book.syntax import CellSyntaxError, nodes_of, parse


def normal_form(nodes: Iterable[ast.AST]) -> str:
    """The syntax trees as text.

    Empty and absent fields are left out, since which of them `ast` fills in differs between Pythons.
    """
    return "\n".join(_form(node) for node in nodes)


def cell_code(source: str) -> str:
    """The normal form of a cell; its text as it stands where that is no Python."""
    try:
        return "\n".join(_read(source)[0])
    except CellSyntaxError:
        return source


def cell_form(source: str) -> str:
    """The normal form of a cell as a whole; CellSyntaxError where that is no Python."""
    statements = _read(source)[0]
    return f"Module(body=[{','.join(statements)}])" if statements else "Module()"


def texts_in(source: str) -> tuple[str, ...]:
    """All texts that stand in a cell's code; CellSyntaxError where that is no Python."""
    return _read(source)[1]


@functools.lru_cache(maxsize=4096)
def _read(source: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The normal forms of a cell's statements, and the texts in it."""
    tree = parse(without_magic(source))
    constants = (node.value for node in nodes_of(tree) if isinstance(node, ast.Constant))
    return tuple(map(_form, tree.body)), tuple(value for value in constants if isinstance(value, str))


def readable(nodes: Iterable[ast.stmt]) -> str:
    """The statements as Python text without comments and in one layout; IPython's own lines as they stand."""
    return "\n".join(_escape(node) or ast.unparse(node) for node in nodes)


def _escape(node: ast.stmt) -> str:
    """The text of a magic or a shell line, which `parse` gives as a string that stands alone; else nothing."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.JoinedStr):
        return ""
    text = "".join(_text(part) or ast.unparse(part)[2:-1] for part in node.value.values)
    return text if text.startswith(("%", "!")) else ""


def _form(node: object) -> str:
    kind = type(node)
    if kind is ast.JoinedStr:
        return f"JoinedStr([{','.join(map(_form, _joined(node.values)))}])"  # type: ignore[attr-defined]  # it is one
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in _fields(type(node)))
        inner = ",".join([f"{name}={_form(value)}" for name, value in fields if value is not None and value != []])
        return f"{kind.__name__}({inner})"
    if kind is list:
        return f"[{','.join(map(_form, node))}]"  # type: ignore[call-overload]  # it is one
    return f"{kind.__name__}:{node!r}"


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields that count."""
    if kind not in _known_fields:
        _known_fields[kind] = tuple(name for name in kind._fields if name not in ("kind", "type_comment"))
    return _known_fields[kind]


_known_fields: dict[type[ast.AST], tuple[str, ...]] = {}


def _joined(parts: list[ast.expr]) -> list[ast.expr]:
    """The parts of an f-string with neighbouring texts as one, and without empty ones: Pythons differ in these."""
    joined: list[ast.expr] = []
    for part in parts:
        text = _text(part)
        before = _text(joined[-1]) if joined else None
        if text is not None and before is not None:
            joined[-1] = ast.Constant(before + text)
        elif text != "":
            joined.append(part)
    return joined


def _text(part: ast.expr) -> str | None:
    return part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else None
