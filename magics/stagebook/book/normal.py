"""Code without comments and layout: equal for cells that do the same, and the same on every Python."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from stagebook.book.cells import without_magic
from stagebook.book.syntax import CellSyntaxError, parse


def normal_form(nodes: Iterable[ast.AST]) -> str:
    """The syntax trees as text.

    Empty and absent fields are left out, since which of them `ast` fills in differs between Pythons.
    """
    return "\n".join(_form(node) for node in nodes)


def cell_code(source: str) -> str:
    """The normal form of a cell; its text as it stands where that is no Python."""
    try:
        return normal_form(parse(without_magic(source)).body)
    except CellSyntaxError:
        return source


def _form(node: object) -> str:
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr([{','.join(_form(part) for part in _joined(node.values))}])"
    if isinstance(node, ast.AST):
        fields = ((name, getattr(node, name, None)) for name in node._fields if name not in ("kind", "type_comment"))
        inner = ",".join(f"{name}={_form(value)}" for name, value in fields if value is not None and value != [])
        return f"{type(node).__name__}({inner})"
    if isinstance(node, list):
        return f"[{','.join(_form(item) for item in node)}]"
    return f"{type(node).__name__}:{node!r}"


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
