"""In the kernel of a test: asserts that tell what they compare, as in pytest, and where an exception was raised."""

from __future__ import annotations

import ast
import functools
import io
import os
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

EARLY = "import pytest"
"""What a template of kernels for tests imports first: it takes as long as many a test."""
_ADVICE = ("Use -v", "use '-vv'", "use -vv")
"""What pytest says of its own options."""
_BARE = ("--noconftest", "--assert=plain", "--capture=no", "--color=no")
_NO_PLUGINS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"
_LONGEST = 10
"""Steps that are shown of the way to where an exception was raised."""


def explain_asserts(shell: Any) -> None:
    """Have asserts of the cells to come tell the values in them, where pytest is installed.

    Args:
        shell: IPython's.
    """
    try:
        from _pytest.assertion import util
    except ImportError:
        return
    shell.ast_transformers.append(_Rewriting())
    util._reprcompare = _compared


class _Rewriting(ast.NodeTransformer):
    """pytest's own rewriting of asserts, as IPython takes it."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """The cell with its asserts rewritten."""
        from _pytest.assertion.rewrite import rewrite_asserts

        rewrite_asserts(node, b"", "the cell")
        for made in ast.walk(node):  # what it says of where a node begins is to say where it ends, too
            if getattr(made, "lineno", None) is not None and getattr(made, "end_lineno", None) is None:
                vars(made).update(end_lineno=made.lineno, end_col_offset=made.col_offset)  # type: ignore[attr-defined]
        return node


def _compared(operator: str, left: object, right: object) -> str | None:
    """What differs between two values, in pytest's words and in its notation for lines; None for no more than that."""
    try:
        config = _pytest_config()
        each = config.hook.pytest_assertrepr_compare(config=config, op=operator, left=left, right=right)
        lines = next(filter(None, map(_without_advice, each)), [])
    except Exception:  # what it says without that will do, and is about what the user compares
        lines = []
    return "\n~".join(line.replace("\n", "\\n") for line in lines).replace("%", "%%") or None


def _without_advice(lines: Iterable[str] | None) -> list[str]:
    kept = [line for line in lines or () if not any(advice in line for advice in _ADVICE)]
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


@functools.cache
def _pytest_config() -> Any:
    """What pytest's functions ask for its options: as it is without anybody's configuration and plug-ins."""
    from _pytest.config import get_config
    from _pytest.terminal import TerminalReporter

    config = get_config()
    before = os.environ.get(_NO_PLUGINS)
    os.environ[_NO_PLUGINS] = "1"
    try:
        config.parse([*_BARE, "-c", os.devnull, "--rootdir", os.curdir], addopts=False)
    finally:
        del os.environ[_NO_PLUGINS]
        os.environ.update({_NO_PLUGINS: before} if before is not None else {})
    config.pluginmanager.register(TerminalReporter(config, io.StringIO()), "terminalreporter")  # pytest 8 asks it
    return config


def where_raised(error: BaseException | None, shell: Any) -> tuple[int, list[str]]:
    """The line of the cell that was running when this was raised, 0 for none; then each step to where that was done.

    Args:
        error: what was raised.
        shell: IPython's.
    """
    frames = list(traceback.walk_tb(error.__traceback__ if error is not None else None))
    first = next((at for at, (frame, _) in enumerate(frames) if frame.f_globals is shell.user_ns), None)
    if first is None:
        return 0, []
    steps = traceback.StackSummary.extract(iter(frames[first + 1 :][-_LONGEST:]))
    trail = [f"{_place(step, shell)}, in {step.name}: {step.line}".rstrip(": ") for step in steps]
    return frames[first][1], trail


def _place(step: traceback.FrameSummary, shell: Any) -> str:
    """`cell 2, line 5`, or a file and its line."""
    label = shell.compile.format_code_name(step.filename)
    if label is not None:  # ("Cell", "In[2]")
        return f"cell {label[1].strip('In[]')}, line {step.lineno}"
    path = Path(step.filename)
    if path.parent.name.startswith("ipykernel_"):  # of a function that a stage has made, in a kernel that is gone
        return f"a cell, line {step.lineno}"
    return f"{path.parent.name}/{path.name}, line {step.lineno}"
