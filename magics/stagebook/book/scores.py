"""Numbers that say how good a model is, told by what computes them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from stagebook.book.verbs import Known, path_of

_SCORE = re.compile(r"score|\w+_score|r?mse|mae|\w+_error|\w+_loss|auc|\w*_auc|\w+_deviance|matthews_corrcoef|accuracy")
"""The last part of a call's name."""
_FOLDS = re.compile(r"cross_val_score\w*\.(mean|median|std)")
_AROUND = frozenset({"float", "round", "abs", "numpy.sqrt", "math.sqrt", "sqrt"})
_WHOLE = frozenset({"average", "multioutput"})
"""Arguments with which there may be a number for each class or column."""


def scores_of(tree: ast.Module, known: Known) -> tuple[str, ...]:
    """The names that a cell binds to scores, errors and losses, in order.

    Args:
        tree: its code.
        known: what the notebook gives names to.
    """
    names = (name for statement in tree.body for name in _scores(statement, known))
    return tuple(dict.fromkeys(names))


def _scores(node: ast.stmt, known: Known) -> Iterator[str]:
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        pairs = _pairs(node.target, node.value)
    elif isinstance(node, ast.Assign) and len(node.targets) == 1:
        pairs = _pairs(node.targets[0], node.value)
    else:
        return
    yield from (target.id for target, value in pairs if isinstance(target, ast.Name) and _is_score(value, known))


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.expr]]:
    """What is bound to what: `r2, mae = r2_score(a, b), mean_absolute_error(a, b)` binds twice."""
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
        return list(zip(target.elts, value.elts, strict=True))
    return [(target, value)]


def _is_score(node: ast.expr, known: Known) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_score(node.operand, known)
    if isinstance(node, ast.BinOp):  # `mse ** 0.5`, `1 - score`, `100 * accuracy`
        sides = (node.left, node.right)
        return any(_is_score(one, known) for one in sides) and all(_is_number(one, known) for one in sides)
    if not isinstance(node, ast.Call):
        return False
    path, _ = path_of(node.func, known)
    if path in _AROUND:
        return bool(node.args) and _is_score(node.args[0], known)
    if _FOLDS.search(path):
        return True
    by_class = any(word.arg in _WHOLE and not _is_text(word.value) for word in node.keywords)
    raw = any(isinstance(word.value, ast.Constant) and word.value.value == "raw_values" for word in node.keywords)
    return bool(_SCORE.fullmatch(path.rpartition(".")[2])) and "cross_val" not in path and not by_class and not raw


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _is_number(node: ast.expr, known: Known) -> bool:
    constant = isinstance(node, ast.Constant) and isinstance(node.value, (int, float))
    return constant or _is_score(node, known)
