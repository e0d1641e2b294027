"""The Python of a notebook cell, IPython's own syntax included, as a syntax tree with the cell's line numbers."""

from __future__ import annotations

import ast
import warnings

_FLAGS = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


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
            tree = compile(source, "<cell>", "exec", _FLAGS, dont_inherit=True)
        except ValueError as error:  # a null byte
            raise SyntaxError(str(error), ("<cell>", 1, 0, "")) from error
        except RecursionError as error:
            raise SyntaxError("too deeply nested", ("<cell>", 1, 0, "")) from error
    assert isinstance(tree, ast.Module)
    return tree


def may_be_ipython(source: str) -> bool:
    """Whether text that is no Python may be IPython's: it has its marks, or starts indented or with a prompt."""
    if any(mark in source for mark in "%!?"):
        return True
    return source.lstrip("\n").startswith((" ", "\t", ">>>", "In ["))


def as_cell_error(error: SyntaxError) -> CellSyntaxError:
    """Our error for Python's."""
    return CellSyntaxError(error.msg or "invalid syntax", error.lineno or 1)
