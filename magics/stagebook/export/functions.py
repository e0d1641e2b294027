"""A pipeline's stages as functions: what each takes, makes and does, from the code alone; nothing is run.

A stage's code means in a function what it means in the notebook as long as three things hold: it comes by every name
as an argument, or finds it at the module's top level; whatever looks a name up later (a function that it defines) finds
what the notebook would have there; and the functions are called in the notebook's order. Where one of them does not
hold, the export is refused, with the place.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from stagebook.book.control import control_names
from stagebook.book.notebook import Document
from stagebook.export.checks import refuse_orders
from stagebook.export.chunks import Chunk, closed_up
from stagebook.export.code import Code, statements
from stagebook.export.displays import Displays, Showing
from stagebook.export.flow import Flow, flows_of
from stagebook.export.hoisting import hoisted
from stagebook.export.imports import Import
from stagebook.export.titles import function_names, headings_of, title_of
from stagebook.export.top import Top, top_of
from stagebook.export.uses import Uses, uses_of
from stagebook.model import Parameter, Pipeline, Stage

_BUILTINS = frozenset(dir(builtins))
_OURS = frozenset({"main", "run_pipeline", "argparse", "ast", "asyncio", "os", "pyplot", "parser", "metrics"})
"""Names that the module may have for itself."""


@dataclass(frozen=True, slots=True)
class StageFunction:
    """A stage as a function.

    Attributes:
        stage: the stage.
        name: the function's.
        takes: what it takes of other stages, in the order in which it is made.
        given: the parameters that it reads.
        returns: what it makes, or changes in place, for others.
        wanted: whether anything of that is for later stages.
        changes: what it takes and changes in place.
        code: its body, from column 0; empty where nothing is left.
        says: the heading that it stands under.
        is_async: whether it awaits something.
    """

    stage: Stage
    name: str
    takes: tuple[str, ...]
    given: tuple[str, ...]
    returns: tuple[str, ...]
    wanted: bool
    changes: tuple[str, ...]
    code: str
    says: str
    is_async: bool


@dataclass(frozen=True, slots=True)
class Functions:
    """A pipeline as functions.

    Attributes:
        title: the notebook's.
        top: what stands at the module's top level.
        more: imports that are needed beside the notebook's own.
        stages: the functions, in the order in which they are called.
        parameters: those that can be given, in order.
        taken: names that the code uses, so that nothing else may go by them.
        entry: the name of the function that calls them.
    """

    title: str
    top: Top
    more: tuple[Import, ...]
    stages: tuple[StageFunction, ...]
    parameters: tuple[Parameter, ...]
    taken: frozenset[str]
    entry: str


def functions_of(pipeline: Pipeline, document: Document, *, displays: Displays) -> Functions:
    """The pipeline's stages as functions.

    Args:
        pipeline: the pipeline.
        document: the notebook that it was read from.
        displays: whether what cells show is left out or printed.

    Raises:
        StagebookError: something of it would mean another thing in a function; the message names cell and line.
    """
    refuse_orders(pipeline)
    code = Code(pipeline)
    code.refuse()
    parameters = frozenset(one.name for one in pipeline.parameters)
    moved, defined = hoisted(code.setup, code.staged, reserved=parameters)
    left = code.left_without([*moved, *defined])
    uses = {stage: uses_of(statements(chunks), lazy=code.is_lazy) for stage, chunks in left.items()}
    top = top_of(pipeline, code.parameters, code.setup, moved, defined, uses)
    flows = flows_of(pipeline, uses, top)
    taken = code.mentioned | _BUILTINS | parameters
    pyplot = code.pyplot(top, taken)
    showing = code.showing(top, displays, pyplot)
    names = function_names(pipeline, taken | _OURS)
    says = headings_of(pipeline, document)
    stages = tuple(
        _function(stage, names[stage.name], flows[stage.name], left[stage.name], showing, says[stage.name])
        for stage in pipeline.stages
    )
    more = (pyplot,) if any(_closes(one) for one in stages) else ()
    return Functions(
        title_of(pipeline, document),
        _shown(pipeline, code, top, showing, uses, more),
        tuple(one for one in more if not top.binds(one.binds)),
        stages,
        tuple(one for one in pipeline.parameters if one.name not in top.constants),
        taken | frozenset(names.values()),
        next(name for name in ("main", "run_pipeline", "run_all_stages") if name not in taken),
    )


def _shown(
    pipeline: Pipeline, code: Code, top: Top, showing: Showing, uses: Mapping[str, Uses], more: Sequence[Import]
) -> Top:
    """The top level with its text."""
    used = {name for one in uses.values() for name in one.loads} | {one.binds for one in more}
    used |= {name for stage in pipeline.stages for name in control_names(stage.options)}
    first = code.as_in_a_notebook(top)
    used |= {node.id for node in ast.walk(ast.parse(first)) if isinstance(node, ast.Name)}
    shown = top.shown(showing, used=frozenset(used))
    return replace(shown, code=first + shown.code)


def _function(
    stage: Stage, name: str, flow: Flow, chunks: Sequence[Chunk], showing: Showing, says: str
) -> StageFunction:
    return StageFunction(
        stage,
        name,
        flow.takes,
        flow.given,
        flow.returns,
        flow.wanted,
        flow.changes,
        _body(chunks, showing),
        says,
        any(_awaits(statement) for statement in statements(chunks)),
    )


def _body(chunks: Sequence[Chunk], showing: Showing) -> str:
    cells: dict[int, list[Chunk]] = {}
    for chunk in chunks:
        cells.setdefault(chunk.cell, []).append(chunk)
    texts = []
    for pieces in cells.values():
        last = next((one for one in reversed(pieces) if one.statements), None)
        lines = [showing.text(one, is_last=one is last) for one in pieces]
        if showing.closes_figures(pieces):
            lines.append(showing.closing)
        texts.append(closed_up("\n".join(lines)))
    return "\n\n".join(text for text in texts if text.strip())


def _closes(function: StageFunction) -> bool:
    return '.close("all")  # as Jupyter' in function.code


def _awaits(node: ast.AST) -> bool:
    """Whether code awaits something itself, rather than in a function that it defines."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)):
        return False
    if isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)):
        return True
    if isinstance(node, ast.comprehension) and node.is_async:
        return True
    return any(_awaits(child) for child in ast.iter_child_nodes(node))
