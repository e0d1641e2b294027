"""What keeps code from meaning in a function what it means in a notebook: each is refused, with its place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

from stagebook.errors import StagebookError
from stagebook.export.chunks import Chunk
from stagebook.export.plain import refusal
from stagebook.model import Pipeline, Place

_NAMESPACE = frozenset({"exec", "eval", "globals", "locals", "get_ipython", "In", "Out", "__builtins__"})
_OF_NOTEBOOKS = re.compile(r"_{1,3}|_\d+|_i{1,3}|_i\d+|_ih|_oh|_dh")
"""What IPython calls the last results and inputs."""
_IN_BOTH = frozenset({"__import__", "__debug__"})
_MODULES = {
    "__main__": "what is called `__main__` is another module than the notebook",
    "contextvars": "a context variable is set for one cell in a notebook, and for all in a module",
    "weakref": "the names of a module hold on to objects longer than those of a notebook",
}
_ATTRIBUTES = {
    "_getframe": "the frames of a module are others than those of a notebook",
    "currentframe": "the frames of a module are others than those of a notebook",
    "getrefcount": "the names of a module hold on to objects longer than those of a notebook",
    "get_referrers": "the names of a module hold on to objects longer than those of a notebook",
}


def refuse_orders(pipeline: Pipeline) -> None:
    """Nothing, where the stages can be called one after the other as they stand in the notebook.

    Raises:
        StagebookError: they cannot.
    """
    places = {stage.name: Place(stage.cells[0].number, 1) for stage in pipeline.stages}
    done: list[str] = []
    for segment in pipeline.segments:
        if segment.stage in done[:-1]:
            between = done[done.index(segment.stage) + 1]
            raise refusal(
                places[between],
                f"cells of `{segment.stage}` stand around cells of `{between}`.",
                f"Move the cells of `{segment.stage}` together, or give the later ones a stage name of their own.",
            )
        if segment.stage not in done:
            done.append(segment.stage)
    for name, stage in zip(done, pipeline.stages, strict=True):
        if name != stage.name:
            raise refusal(
                places[name],
                f"`{name}` runs after `{stage.name}`, which stands below it.",
                f"Move `{stage.name}` up.",
            )


def refuse_code(chunks: Iterable[Chunk], bound: frozenset[str], *, in_stages: bool) -> None:
    """Nothing, where the code asks for nothing that is another thing in a module.

    Args:
        chunks: the code.
        bound: names that the notebook binds.
        in_stages: whether it will stand in functions.

    Raises:
        StagebookError: it does.
    """
    for chunk in chunks:
        for statement in chunk.statements:
            for node in ast.walk(statement):
                for what, remedy in _faults(node, bound, in_stages=in_stages):
                    raise refusal(Place(chunk.cell, getattr(node, "lineno", chunk.first)), what, remedy)


def refuse_hidden_queries(chunks: Iterable[Chunk], bound: frozenset[str]) -> None:
    """Nothing, where the text of each `df.query(...)` that reads variables stands in the call.

    Raises:
        StagebookError: there is a text that reads variables, and a call whose text comes from elsewhere.
    """
    hidden: list[tuple[Chunk, ast.Call]] = []
    texts: list[str] = []
    for chunk in chunks:
        nodes = [node for statement in chunk.statements for node in ast.walk(statement)]
        calls = [node for node in nodes if isinstance(node, ast.Call) and _is_query(node)]
        inside = {id(part) for call in calls for part in ast.walk(call)}
        hidden += [(chunk, call) for call in calls if not isinstance(call.args[0], (ast.Constant, ast.JoinedStr))]
        constants = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in inside]
        texts += [str(node.value) for node in constants if isinstance(node.value, str)]
    read = sorted({name for text in texts for name in _AT.findall(text)} & bound)
    for chunk, call in hidden if read else ():
        raise refusal(
            Place(chunk.cell, call.lineno),
            f"a query whose text is made elsewhere may read `{read[0]}`.",
            "Write the text where it is used.",
        )


_AT = re.compile(r"@([^\W\d]\w*)")


def _is_query(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in ("query", "eval") and bool(node.args)


def _faults(node: ast.AST, bound: frozenset[str], *, in_stages: bool) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Global):
        yield (
            f"`global {', '.join(node.names)}` changes a name from within a function.",
            "Return the value, and bind it where the function is called.",
        )
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id not in bound:
        if node.id in _NAMESPACE:
            yield f"`{node.id}` reaches names that cannot be told from the code.", "Write out what it does."
        elif _OF_NOTEBOOKS.fullmatch(node.id):
            yield f"`{node.id}` is what a notebook remembers of its cells.", "Give the value a name."
        elif node.id.startswith("__") and node.id.endswith("__") and node.id not in _IN_BOTH:
            yield f"`{node.id}` is another value in a module.", "Take it out."
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("vars", "dir"):
        if not node.args:
            yield f"`{node.func.id}()` lists names that are others in a function.", "Write out what it does."
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from _import_faults(node, in_stages=in_stages)
    elif isinstance(node, ast.Attribute) and node.attr in _ATTRIBUTES:
        yield f"{_ATTRIBUTES[node.attr]} (`.{node.attr}`).", "Take it out."
    elif isinstance(node, ast.Attribute) and node.attr == "argv" and _is_name(node.value, "sys"):
        yield "`sys.argv` is the command line of Jupyter in a notebook.", "Make what it holds a parameter."
    elif isinstance(node, ast.Attribute) and node.attr == "modules" and _is_name(node.value, "sys"):
        yield "`sys.modules` holds another `__main__` than in the notebook.", "Take it out."
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == "__del__":
        yield f"{_MODULES['weakref']} (`__del__`).", "Free what it frees in a function, and call that."


def _import_faults(node: ast.Import | ast.ImportFrom, *, in_stages: bool) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.ImportFrom):
        if any(alias.name == "*" for alias in node.names):
            yield (
                f"`from {node.module} import *` binds names that cannot be told from the code.",
                "Name what is imported.",
            )
        if node.module == "__future__" and in_stages:
            yield "a `__future__` import in a stage holds for the cells below it only.", "Move it to a setup cell."
    named = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    for name in named:
        if name in _MODULES:
            yield f"{_MODULES[name]} (`import {name}`).", "Take it out."


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def refuse_unseen(stage: str, place: Place, name: str) -> StagebookError:
    """The error for a name that a stage binds otherwise than by a statement that binds it."""
    return refusal(place, f"stage `{stage}` binds `{name}` in a way that cannot be told from the code.", "Assign it.")
