"""What a parameter may be, beyond its kind: bounds and choices that stand in its annotation or the comment behind it.

    depth: int = 6                                  # 1..20
    share = 0.3                                     # part held back, between 0 and 1
    criterion = "gini"                              # one of: gini, entropy
    loss: Literal["log", "exponential"] = "log"
    rate: Annotated[float, Gt(0), Le(1)] = 0.1

They are for forms, which ask within them; a run takes what it is given.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from stagebook.book.parameters import comments_of
from stagebook.book.syntax import CellSyntaxError, parse, syntax_tree
from stagebook.model import Cell

_NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?"
_DOTS = re.compile(rf"(?<![\w.])({_NUMBER})\s*\.\.\s*({_NUMBER})(?![\w.]*\w)")
_BETWEEN = re.compile(rf"\b(?:between|from)\s+({_NUMBER})\s+(?:and|to)\s+({_NUMBER})(?![\w.]*\w)", re.IGNORECASE)
_ONE_OF = re.compile(r"\bone of\b:?\s+(.+)", re.IGNORECASE)
_NO_LITERAL = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)
_MARKS = {"ge": "low", "gt": "low", "le": "high", "lt": "high"}
_OPEN = {"gt": "low_open", "lt": "high_open"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a value may be.

    Attributes:
        low: the least; None for no such.
        high: the most; None for no such.
        low_open: whether `low` itself is too little.
        high_open: whether `high` itself is too much.
        choices: the only values; empty where others are, too.
    """

    low: float | None = None
    high: float | None = None
    low_open: bool = False
    high_open: bool = False
    choices: tuple[Any, ...] = ()

    def wrong(self, value: Any) -> str:
        """Why the value is none of those, in a sentence; empty where it is one."""
        if self.choices:
            if any(type(one) is type(value) and one == value for one in self.choices):
                return ""
            return f"{value!r} is none of {', '.join(map(repr, self.choices))}."
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return ""
        if self.low is not None and not (value > self.low if self.low_open else value >= self.low):
            return f"{value} is too little: {self}."
        if self.high is not None and not (value < self.high if self.high_open else value <= self.high):
            return f"{value} is too much: {self}."
        return ""

    def __str__(self) -> str:
        if self.choices:
            return f"one of {', '.join(map(str, self.choices))}"
        low = f"{'more than' if self.low_open else 'at least'} {self.low}" if self.low is not None else ""
        high = f"{'less than' if self.high_open else 'at most'} {self.high}" if self.high is not None else ""
        return " and ".join(part for part in (low, high) if part)


def bounds_in(cells: Iterable[Cell]) -> Mapping[str, Bounds]:
    """The bounds of the parameters of a notebook with these cells, as far as there are some."""
    found: dict[str, Bounds] = {}
    for cell in cells:
        if cell.role == "parameters":
            found |= bounds_of(cell.source)
    return found


def bounds_of(source: str) -> Mapping[str, Bounds]:
    """The bounds of the parameters that a parameters cell has some for.

    What its own default does not keep to is no bound: it was meant otherwise, or misread.

    Args:
        source: the cell's text.
    """
    try:
        tree = parse(source)
    except CellSyntaxError:
        return {}
    comments = comments_of(source)
    found = {}
    for statement in tree.body:
        comment = comments.get(statement.lineno) or comments.get(statement.end_lineno or statement.lineno, "")
        for name, value, annotation in _defaults(statement):
            bounds = _annotated(annotation) or _commented(comment, value)
            if bounds is not None and not _contradicted(bounds, value):
                found[name] = bounds
    return found


def _defaults(statement: ast.stmt) -> Iterable[tuple[str, ast.expr, ast.expr | None]]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value is not None:
        yield statement.target.id, statement.value, statement.annotation
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value, None


def _contradicted(bounds: Bounds, value: ast.expr) -> bool:
    try:
        default = ast.literal_eval(value)
    except _NO_LITERAL:
        return False
    return default is not None and bool(bounds.wrong(default))


def _commented(comment: str, value: ast.expr) -> Bounds | None:
    """What the comment says; a choice is read as the default is: `one of: 1, 2` are texts where that is a text."""
    span = _DOTS.search(comment) or _BETWEEN.search(comment)
    if span:
        low, high = _number(span[1]), _number(span[2])
        return Bounds(low, high) if low <= high else None
    listed = _ONE_OF.search(comment)
    if not listed:
        return None
    words = [word.strip().strip("`'\"") for word in re.split(r",|\bor\b", listed[1].rstrip(". ")) if word.strip()]
    as_text = isinstance(value, ast.Constant) and isinstance(value.value, str)
    return Bounds(choices=tuple(word if as_text else _literal(word) for word in words)) if len(words) > 1 else None


def _annotated(node: ast.expr | None) -> Bounds | None:
    """What `Literal[...]` and `Annotated[...]` say, also in text, or beside None."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        with suppress(SyntaxError):
            return _annotated(syntax_tree(node.value, mode="eval").body)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _annotated(node.left) or _annotated(node.right)
    if not isinstance(node, ast.Subscript):
        return None
    name = _last_name(node.value)
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Literal":
        values = tuple(part.value for part in parts if isinstance(part, ast.Constant) and part.value is not None)
        return Bounds(choices=values) if values else None
    if name == "Optional":
        return _annotated(node.slice)
    return _marked(parts[1:]) if name == "Annotated" else None


def _marked(marks: Iterable[ast.expr]) -> Bounds | None:
    """What `range(1, 21)`, `Ge(0)`, `Interval(gt=0, le=1)` and `Field(ge=0)` say, taken together."""
    bounds = Bounds()
    for mark in marks:
        if not isinstance(mark, ast.Call):
            continue
        name = _last_name(mark.func)
        if name == "range":
            ends = [int(number) for one in mark.args if (number := _constant(one)) is not None]
            span = range(*ends) if 0 < len(ends) == len(mark.args) else range(0)
            bounds = replace(bounds, low=min(span), high=max(span)) if span else bounds
            continue
        said = {word.arg: _constant(word.value) for word in mark.keywords if word.arg in _MARKS}
        if name.lower() in _MARKS and len(mark.args) == 1:
            said[name.lower()] = _constant(mark.args[0])
        for kind, number in said.items():
            if kind is not None and number is not None:
                changes: dict[str, Any] = {_MARKS[kind]: number}
                changes |= {_OPEN[kind]: True} if kind in _OPEN else {}
                bounds = replace(bounds, **changes)
    return bounds if bounds != Bounds() else None


def _constant(node: ast.expr) -> float | None:
    try:
        value = ast.literal_eval(node)
    except _NO_LITERAL:
        return None
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _number(text: str) -> float:
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _literal(word: str) -> Any:
    try:
        return ast.literal_eval(word)
    except _NO_LITERAL:
        return word
