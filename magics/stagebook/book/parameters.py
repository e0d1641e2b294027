"""The parameters cell: names, defaults, kinds and comments, in Papermill's convention."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Mapping
from typing import Any

from stagebook.book.findings import finding
from stagebook.book.secrets import MASK, is_secret_annotation, is_secret_name
from stagebook.book.syntax import syntax_tree
from stagebook.errors import UsageError, did_you_mean
from stagebook.model import Cell, Finding, Parameter, Place

KINDS: Mapping[str, type] = {"bool": bool, "int": int, "float": float, "str": str, "list": list, "dict": dict}
"""The kinds of value that a parameter can be held to, by name."""


def read_parameters(cells: Iterable[tuple[Cell, ast.Module | None]]) -> tuple[tuple[Parameter, ...], list[Finding]]:
    """The defaults that the parameters cell binds; a second parameters cell is a finding."""
    found: dict[str, Parameter] = {}
    findings: list[Finding] = []
    for position, (cell, tree) in enumerate(cells):
        if position:
            remedy = "Move its lines to the first one."
            findings.append(finding("SB107", "There is a second parameters cell.", remedy, Place(cell.number, 1)))
        comments = comments_of(cell.source)
        for statement in tree.body if tree is not None else ():
            for parameter in _defaults(statement, cell, comments):
                found[parameter.name] = parameter
    return tuple(found.values()), findings


def checked(parameters: Iterable[Parameter], given: Mapping[str, Any], *, notebook: str) -> dict[str, Any]:
    """The given values, each of its parameter's kind; text is read as the kind asks (`"8"` as 8 for an int).

    Raises:
        UsageError: a name that is no parameter, or a value of the wrong kind.
    """
    known = {parameter.name: parameter for parameter in parameters}
    values = {}
    for name, value in given.items():
        if name not in known:
            hint = did_you_mean(name, known) if known else " It has no cell tagged `parameters`."
            raise UsageError(f"{notebook} has no parameter `{name}`.{hint}")
        if known[name].secret and value == MASK:
            raise UsageError(
                f"{notebook} has a mask in place of `{name}`, as it is what a run has put out. "
                f"Give the value: --secret {name}."
            )
        values[name] = _of_kind(known[name], value)
    return values


def _of_kind(parameter: Parameter, value: Any) -> Any:
    kind = parameter.kind
    is_text = isinstance(value, str) and not (parameter.secret and kind is None)
    read = _from_text(value, kind) if is_text else value
    if kind is None or (read is None and parameter.optional):
        return read
    if kind == "float" and isinstance(read, int) and not isinstance(read, bool):
        return float(read)
    wanted = KINDS[kind]
    if not isinstance(read, wanted) or (isinstance(read, bool) and wanted is not bool):
        default = f" (default {parameter.value!r})" if parameter.literal and not parameter.secret else ""
        what = f"what is given, of type {type(read).__name__}," if parameter.secret else repr(value)
        message = f"Parameter `{parameter.name}`{default} takes {_ARTICLE[kind]}, and {what} is none."
        raise UsageError(f"{message} It stands in {parameter.place}.")
    return read


_ARTICLE = {
    "bool": "a bool (true or false)",
    "int": "an int",
    "float": "a float",
    "str": "a str",
    "list": "a list (written as [1, 2])",
    "dict": 'a dict (written as {"a": 1})',
}


def _from_text(text: str, kind: str | None) -> Any:
    """What text from a command line says where a `kind` is asked for; the text itself where it says no such thing."""
    words = {"true": True, "false": False, "none": None, "null": None}
    if kind == "str":
        return text
    if text.strip().lower() in words:
        return words[text.strip().lower()]
    try:
        if kind == "int" or kind == "float":
            return KINDS[kind](text)
        return ast.literal_eval(text)
    except _NO_LITERAL:
        return text


_NO_LITERAL = (ValueError, TypeError, SyntaxError, MemoryError, RecursionError)


def _defaults(statement: ast.stmt, cell: Cell, comments: Mapping[int, str]) -> Iterable[Parameter]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value is not None:
        names, value = [statement.target.id], statement.value
    elif isinstance(statement, ast.Assign):
        names, value = [target.id for target in statement.targets if isinstance(target, ast.Name)], statement.value
    else:
        return
    try:
        default, literal = ast.literal_eval(value), True
    except _NO_LITERAL:
        default, literal = None, False
    if isinstance(statement, ast.AnnAssign):
        kind, optional = _annotated(statement.annotation)
    else:
        kind, optional = type(default).__name__ if literal else None, False
    optional = optional or (literal and default is None)
    last = statement.end_lineno or statement.lineno
    comment = comments.get(statement.lineno) or comments.get(last, "")
    place = Place(cell.number, statement.lineno)
    declared = isinstance(statement, ast.AnnAssign) and is_secret_annotation(statement.annotation)
    for name in names:
        secret = declared or is_secret_name(name)
        held = "str" if kind == "secret" else kind if kind in KINDS else None
        yield Parameter(name, default, literal, held, place, comment, optional, secret)


def _annotated(node: ast.expr | None) -> tuple[str | None, bool]:
    """The kind that an annotation names plainly (`int`, `list[str]`, `Optional[int]`), and whether None is one, too."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            return _annotated(syntax_tree(node.value, mode="eval").body)
        except SyntaxError:
            return None, False
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        sides = [
            side for side in (node.left, node.right) if not (isinstance(side, ast.Constant) and side.value is None)
        ]
        return (_annotated(sides[0])[0], True) if len(sides) == 1 else (None, False)
    if isinstance(node, ast.Subscript):
        outer = _annotated(node.value)[0]
        if outer == "annotated" and isinstance(node.slice, ast.Tuple):
            return _annotated(node.slice.elts[0])
        return (_annotated(node.slice)[0], True) if outer == "optional" else (outer, False)
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.lower(), False


def comments_of(source: str) -> dict[int, str]:
    """The comment behind each line."""
    comments = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type == tokenize.COMMENT:
                comments[token.start[0]] = token.string.lstrip("# ").strip()
    except (tokenize.TokenError, SyntaxError):
        pass  # IPython syntax in the cell: the values still count, only their help texts are missing
    return comments
