"""The Python of a notebook cell, IPython's own syntax included, as a syntax tree with the cell's line numbers."""

from __future__ import annotations

import ast
import re
import threading
import warnings
from contextlib import suppress
from typing import Any

_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_QUOTING = re.compile(r"^\s*[;,/]", re.MULTILINE)
"""Lines that IPython makes calls of: `;f a b`, and so a `;` on a line of its own, which hides what a cell shows."""
_ONE_AT_A_TIME = threading.Lock()
"""CPython 3.11 counts once for all threads how deep it is in a tree, and raises SystemError where two make one."""
_ATTEMPTS = 5
"""As code that is not ours makes trees, too, and does not wait for the lock."""


class CellSyntaxError(ValueError):
    """A cell is no Python, even to IPython.

    Attributes:
        message: what is wrong, in Python's words.
        line: of the cell, from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(f"line {line}: {message}")
        self.message = message
        self.line = line


def parse(source: str) -> ast.Module:
    """The syntax tree of a cell.

    Magics, `!` commands and `?` are replaced by Python that reads and binds the names that they do. A first line
    `%%stage` counts as blank.

    Raises:
        CellSyntaxError: the cell is no Python.
    """
    if source.startswith("%%stage"):
        source = source[source.find("\n") :] if "\n" in source else ""
    try:
        return compile_cell(source)
    except SyntaxError as error:
        if not may_be_ipython(source):
            raise as_cell_error(error) from error
    from stagebook.book.magic_syntax import parse_ipython  # reads with IPython, which takes 0.2 s to import

    try:
        return parse_ipython(source)
    except SyntaxError as error:
        raise as_cell_error(error) from error


def compile_cell(source: str) -> ast.Module:
    """The syntax tree of plain Python; warnings about it are for whoever runs it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = syntax_tree(source, name="<cell>")
        except ValueError as error:  # a null byte
            raise SyntaxError(str(error), ("<cell>", 1, 0, "")) from error
        except RecursionError as error:
            raise SyntaxError("too deeply nested", ("<cell>", 1, 0, "")) from error
    assert isinstance(tree, ast.Module)
    return tree


def syntax_tree(source: str | bytes, *, mode: str = "exec", name: str = "<unknown>") -> Any:
    """The syntax tree of plain Python, as `ast.parse` has it, with `await` allowed everywhere; in any thread.

    Raises:
        SyntaxError: it is no Python.
        ValueError: it holds a null byte.
    """
    with _ONE_AT_A_TIME:
        for _ in range(_ATTEMPTS - 1):
            with suppress(SystemError):
                return compile(source, name, mode, _FLAGS, dont_inherit=True)
        return compile(source, name, mode, _FLAGS, dont_inherit=True)


def nodes_of(tree: ast.AST) -> list[ast.AST]:
    """The tree and all nodes below it, in the order of `ast.walk`, which takes longer.

    Only fields are followed: what shows tracebacks in IPython gives nodes an attribute that leads back up.
    """
    found = [tree]
    for node in found:
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                found.append(value)
            elif type(value) is list:
                found += [item for item in value if isinstance(item, ast.AST)]
    return found


def may_be_ipython(source: str) -> bool:
    """Whether text that is no Python may be IPython's: it has its marks, or starts indented or with a prompt."""
    if any(mark in source for mark in "%!?") or _QUOTING.search(source):
        return True
    return source.lstrip("\n").startswith((" ", "\t", ">>>", "In ["))


def as_cell_error(error: SyntaxError) -> CellSyntaxError:
    """Our error for Python's."""
    return CellSyntaxError(error.msg or "invalid syntax", error.lineno or 1)
