"""A cell's text in pieces: statements with their comments, cut from the text and never written anew."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from stagebook.book.syntax import compile_cell
from stagebook.model import Cell, Place


@dataclass(frozen=True, slots=True)
class Chunk:
    """Statements that share lines, with what stands above them since the last ones.

    Attributes:
        cell: number of the cell.
        first: number of the first of its lines.
        statements: most often one; none for comments at a cell's end.
        text: its lines, as they stand.
    """

    cell: int
    first: int
    statements: tuple[ast.stmt, ...]
    text: str

    @property
    def place(self) -> Place:
        """Where its first statement stands."""
        return Place(self.cell, self.statements[0].lineno if self.statements else self.first)

    @property
    def is_definition(self) -> bool:
        """Whether it is one function or class."""
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        return len(self.statements) == 1 and isinstance(self.statements[0], kinds)

    @property
    def is_import(self) -> bool:
        """Whether it only imports."""
        return bool(self.statements) and all(isinstance(one, (ast.Import, ast.ImportFrom)) for one in self.statements)


def chunks_of(cell: Cell, source: str) -> list[Chunk]:
    """The pieces of a cell, whose plain Python is `source`."""
    lines = source.split("\n")
    found: list[Chunk] = []
    above = 0
    group: list[ast.stmt] = []
    body = compile_cell(source).body
    for position, statement in enumerate(body):
        group.append(statement)
        end = statement.end_lineno or statement.lineno
        following = body[position + 1] if position + 1 < len(body) else None
        if following is None or _first_line(following) > end:
            text = "\n".join(lines[above:end])
            found.append(Chunk(cell.number, above + 1, tuple(group), text))
            above, group = end, []
    rest = "\n".join(lines[above:])
    if rest.strip():
        found.append(Chunk(cell.number, above + 1, (), rest))
    return found


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(one.lineno for one in decorators)])


def indented(text: str, by: str = "    ") -> str:
    """The code `by` further right; what stands in a text of several lines stays as it is."""
    inside = _inside_texts(text)
    lines = [
        line if number in inside or not line.strip() else by + line
        for number, line in enumerate(text.split("\n"), start=1)
    ]
    return "\n".join(line if number in inside else line.rstrip() for number, line in enumerate(lines, start=1))


def _inside_texts(text: str) -> set[int]:
    """The lines that begin within a string."""
    inside: set[int] = set()
    opened: list[int] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        name = tokenize.tok_name[token.type]
        if name in ("FSTRING_START", "TSTRING_START"):
            opened.append(token.start[0])
        elif name in ("FSTRING_END", "TSTRING_END"):
            inside.update(range(opened.pop() + 1, token.end[0] + 1))
        elif name == "STRING":
            inside.update(range(token.start[0] + 1, token.end[0] + 1))
    return inside


def closed_up(text: str) -> str:
    """The code without blank lines at its ends, and with no two of them in a row."""
    inside = _inside_texts(text)
    kept: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if number not in inside and not line.strip() and (not kept or not kept[-1].strip()):
            continue
        kept.append(line)
    while kept and not kept[-1].strip():
        kept.pop()
    return "\n".join(kept)


def replaced(chunk: Chunk, edits: Iterable[tuple[ast.expr, str]]) -> str:
    """A chunk's text with other text in the place of some of its expressions.

    Args:
        chunk: the chunk.
        edits: expressions, none within another, each with its new text, in which `{}` stands for the old one.
    """
    text = chunk.text.encode("utf-8")
    starts = [0]
    for line in text.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    for node, new in sorted(edits, key=lambda one: (one[0].lineno, one[0].col_offset), reverse=True):
        begin = starts[node.lineno - chunk.first] + node.col_offset
        end = starts[(node.end_lineno or node.lineno) - chunk.first] + (node.end_col_offset or 0)
        text = text[:begin] + new.encode("utf-8").replace(b"{}", text[begin:end]) + text[end:]
    return text.decode("utf-8")


def comments_above(chunk: Chunk) -> str:
    """The lines above a chunk's first statement."""
    if not chunk.statements:
        return chunk.text
    count = _first_line(chunk.statements[0]) - chunk.first
    return "\n".join(chunk.text.split("\n")[:count])
