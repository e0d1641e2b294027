"""Gates: conditions on metrics such as `auc >= 0.8 and auc >= champion.auc - 0.002`, judged without running any code.

A gate may compare and calculate (`+ - * / abs min max round`), and join with `and`, `or`, `not`. It names metrics as
they are recorded, `scores.brier` for an entry of a dict, `scores["log loss"]` where its name is none of Python's;
`champion.` stands before those of the model version that is in use. Where there is none, what a comparison with it
says is not known, and a gate whose other parts hold is passed.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from stagebook.book.syntax import syntax_tree

CHAMPION = "champion"
"""The name, in a gate, of the model version in use."""

_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {"abs": abs, "min": min, "max": max, "round": round}
_LONGEST = 1000


class GateError(ValueError):
    """A text is no gate, or a gate cannot be judged; the message says why."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a gate says of a run.

    Attributes:
        passed: whether the run may go on.
        told: the values that decided.
        complete: whether all values are known; those of a champion may not be.
    """

    passed: bool
    told: str
    complete: bool = True


class _Unknown:
    """In place of a value of the champion, where there is none."""


_UNKNOWN = _Unknown()


def checked_gate(text: str) -> str:
    """The gate, without what surrounds it.

    Raises:
        GateError: it is none.
    """
    _condition(text)
    return text.strip()


def metrics_in(gate: str) -> list[str]:
    """The metrics that a gate names, in order; the champion's with `champion.` before them."""
    return list(dict.fromkeys(_names(_condition(gate))))


def asks_champion(gate: str) -> bool:
    """Whether the gate compares with the model version in use."""
    return any(is_champions(name) for name in metrics_in(gate))


def is_champions(name: str) -> bool:
    """Whether a metric that a gate names is the champion's."""
    return name.startswith(f"{CHAMPION}.")


def judge(gate: str, metrics: Mapping[str, float], champion: Mapping[str, float] | None) -> Judgement:
    """What the gate says.

    Args:
        gate: the condition.
        metrics: of the run.
        champion: metrics of the model version in use; None where there is none.

    Raises:
        GateError: a metric is missing, or something is divided by zero.
    """
    tree = _condition(gate)
    values = {name: _value(name, metrics, champion) for name in _names(tree)}
    try:
        found = _evaluated(tree, values)
    except ZeroDivisionError:
        raise GateError("it divides by zero") from None
    known = {name: value for name, value in values.items() if value is not _UNKNOWN}
    told = ", ".join(f"{name} = {value:.6g}" for name, value in known.items())
    return Judgement(found is _UNKNOWN or bool(found), told, complete=len(known) == len(values))


def _value(name: str, metrics: Mapping[str, float], champion: Mapping[str, float] | None) -> Any:
    if not is_champions(name):
        if name not in metrics:
            raise GateError(f"there is no metric `{name}`")
        return metrics[name]
    if champion is None:
        return _UNKNOWN
    plain = name.removeprefix(f"{CHAMPION}.")
    if plain not in champion:
        raise GateError(f"the champion has no metric `{plain}`")
    return champion[plain]


def _condition(text: str) -> ast.expr:
    """The gate's syntax tree, of which all is allowed."""
    if len(text) > _LONGEST:
        raise GateError(f"it is longer than {_LONGEST} letters")
    try:
        tree: ast.expr = syntax_tree(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise GateError("it is no expression") from None
    _check(tree)
    if not _is_condition(tree):
        raise GateError("it compares nothing")
    return tree


def _check(node: ast.expr) -> None:
    """Refuse whatever is not listed here."""
    if _name(node) is not None or (isinstance(node, ast.Constant) and isinstance(node.value, (bool, int, float))):
        return
    allowed = (
        (isinstance(node, ast.BoolOp))
        or (isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.USub)))
        or (isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC)
        or (isinstance(node, ast.Compare) and all(type(one) in _COMPARISONS for one in node.ops))
        or (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in _FUNCTIONS
            and node.args
            and not node.keywords
        )
    )
    if not allowed:
        raise GateError(f"`{ast.unparse(node)}` is not allowed in it")
    for child in _operands(node):
        _check(child)


def _is_condition(node: ast.expr) -> bool:
    """Whether it is true or false, rather than a number."""
    if isinstance(node, ast.BoolOp):
        return all(map(_is_condition, node.values))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return _is_condition(node.operand)
    return isinstance(node, ast.Compare)


def _operands(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.Call):
        return list(node.args)
    return [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]


def _names(node: ast.expr) -> Iterator[str]:
    name = _name(node)
    if name is not None:
        yield name
        return
    for child in _operands(node):
        yield from _names(child)


def _name(node: ast.expr) -> str | None:
    """The metric that it names: `a`, `a.b` or `a["b"]`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before, last = _name(node.value), node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        before, last = _name(node.value), node.slice.value
    else:
        return None
    return None if before is None else f"{before}.{last}"


def _evaluated(node: ast.expr, values: Mapping[str, Any]) -> Any:
    """What an expression comes to: a number, true or false, or unknown (Kleene's logic of three values)."""
    name = _name(node)
    if name is not None:
        return values[name]
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.BoolOp):
        decides = isinstance(node.op, ast.Or)
        found = [_evaluated(value, values) for value in node.values]
        if any(one is not _UNKNOWN and bool(one) is decides for one in found):
            return decides
        return _UNKNOWN if _UNKNOWN in found else not decides
    if isinstance(node, ast.Compare):
        operands = [_evaluated(one, values) for one in (node.left, *node.comparators)]
        steps = [
            _UNKNOWN if _UNKNOWN in (left, right) else _COMPARISONS[type(step)](left, right)
            for step, left, right in zip(node.ops, operands, operands[1:], strict=False)
        ]
        return reduce(_both, steps)
    operands = [_evaluated(one, values) for one in _operands(node)]
    if _UNKNOWN in operands:
        return _UNKNOWN
    if isinstance(node, ast.UnaryOp):
        return not operands[0] if isinstance(node.op, ast.Not) else -operands[0]
    if isinstance(node, ast.BinOp):
        return _ARITHMETIC[type(node.op)](*operands)
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    return _FUNCTIONS[node.func.id](*operands)


def _both(left: Any, right: Any) -> Any:
    if left is False or right is False:
        return False
    return _UNKNOWN if _UNKNOWN in (left, right) else left and right
