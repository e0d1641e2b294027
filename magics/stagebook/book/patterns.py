"""Which cases of a `match` always match."""

from __future__ import annotations

import ast


def exhaustive(case: ast.match_case) -> bool:
    """Whether `case` matches whatever gets to it."""
    return (case.guard is None or _is_true(case.guard)) and _matches_all(case.pattern)


def _matches_all(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchAs):
        return pattern.pattern is None or _matches_all(pattern.pattern)
    return isinstance(pattern, ast.MatchOr) and any(map(_matches_all, pattern.patterns))


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and bool(node.value)
