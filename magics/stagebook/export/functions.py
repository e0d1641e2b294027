"""A pipeline's stages as functions: what each takes, makes and does, from the code alone; nothing is run.

A stage's code means in a function what it means in the notebook as long as three things hold: it comes by every name
as an argument, or finds it at the module's top level; whatever looks a name up later (a function that it defines) finds
what the notebook would have there; and the functions are called in the notebook's order. Where one of them does not
hold, the export is refused, with the place.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from stagebook.book.control import control_names
from stagebook.book.definitions import NOTHING_KNOWN
from stagebook.book.headings import headings_in, outline
from stagebook.book.names import analyse
from stagebook.book.notebook import Document, source_of
from stagebook.export.checks import refuse_code, refuse_hidden_queries, refuse_orders
from stagebook.export.chunks import Chunk, chunks_of, closed_up
from stagebook.export.displays import Displays, Showing, drawing_at, drawing_names, looks_change
from stagebook.export.flow import Flow, flows_of
from stagebook.export.hoisting import hoisted
from stagebook.export.imports import Import, imports_in
from stagebook.export.plain import plain_source, refusal
from stagebook.export.top import Top, top_of
from stagebook.export.uses import LAZY, uses_of
from stagebook.model import Parameter, Pipeline, Place, Stage

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
    code = _Code(pipeline)
    bound = code.bound
    refuse_code(code.preamble, bound, in_stages=False)
    refuse_code(code.staged, bound, in_stages=True)
    refuse_hidden_queries([*code.preamble, *code.staged], bound)
    moved, defined = hoisted(code.setup, code.staged, reserved=frozenset(one.name for one in pipeline.parameters))
    left = _without({stage: code.stages[stage] for stage in code.stages}, [*moved, *defined])
    _refuse_classes(left)
    uses = {stage: uses_of(_statements(chunks), lazy=code.is_lazy) for stage, chunks in left.items()}
    top = top_of(pipeline, code.parameters, code.setup, moved, defined, uses)
    flows = flows_of(pipeline, uses, top)
    taken = frozenset({*code.mentioned, *_BUILTINS, *(one.name for one in pipeline.parameters)})
    pyplot = _pyplot(code, top, taken)
    showing = _showing(code, top, displays, pyplot)
    for chunk in code.setup:
        if (line := drawing_at(chunk, showing.draws)) is not None:
            raise refusal(Place(chunk.cell, line), "setup draws a picture.", "Draw it in a stage.")
    names = _function_names(pipeline, taken)
    says = _headings(pipeline, document)
    stages = tuple(
        _function(stage, names[stage.name], flows[stage.name], left[stage.name], showing, says[stage.name])
        for stage in pipeline.stages
    )
    free = tuple(one for one in pipeline.parameters if one.name not in top.constants)
    used = {name for one in uses.values() for name in one.loads}
    used |= {name for stage in pipeline.stages for name in control_names(stage.options)}
    closes = any(_closes(one) for one in stages)
    needs = (pyplot,) if closes else ()
    shown = top.shown(showing, used=frozenset(used | {one.binds for one in needs}))
    shown = replace(shown, code=_as_in_a_notebook(code, top) + shown.code)
    more = tuple(one for one in needs if not top.binds(one.binds))
    every = taken | frozenset(names.values())
    entry = "main" if "main" not in taken else "run_pipeline" if "run_pipeline" not in taken else "run_pipeline_"
    return Functions(_title(pipeline, document), shown, more, stages, free, every, entry)


class _Code:
    """The plain Python of a pipeline's cells, in pieces."""

    def __init__(self, pipeline: Pipeline) -> None:
        cells = [*pipeline.preamble, *(cell for stage in pipeline.stages for cell in stage.cells)]
        self.sources = {cell.number: plain_source(cell) for cell in cells}
        pieces = {cell.number: chunks_of(cell, self.sources[cell.number]) for cell in cells}
        self.parameters = [
            one for cell in pipeline.preamble if cell.role == "parameters" for one in pieces[cell.number]
        ]
        self.setup = [one for cell in pipeline.preamble if cell.role == "setup" for one in pieces[cell.number]]
        self.stages = {
            stage.name: [one for cell in stage.cells for one in pieces[cell.number]] for stage in pipeline.stages
        }
        self.preamble = [*self.parameters, *self.setup]
        self.staged = [one for chunks in self.stages.values() for one in chunks]
        every = [*self.preamble, *self.staged]
        self.bound = frozenset(name for chunk in every for name in uses_of(chunk.statements).stores)
        nodes = [node for chunk in every for statement in chunk.statements for node in ast.walk(statement)]
        self.mentioned = frozenset(
            {
                *(node.id for node in nodes if isinstance(node, ast.Name)),
                *(node.arg for node in nodes if isinstance(node, ast.arg)),
                *self.bound,
            }
        )
        self.imports = [
            one for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)) for one in imports_in(node)
        ]
        self.is_lazy = any(one.module.partition(".")[0] in LAZY for one in self.imports)


def _statements(chunks: Iterable[Chunk]) -> list[ast.stmt]:
    return [statement for chunk in chunks for statement in chunk.statements]


def _without(stages: Mapping[str, list[Chunk]], moved: Sequence[Chunk]) -> dict[str, list[Chunk]]:
    gone = {id(chunk) for chunk in moved}
    return {stage: [one for one in chunks if id(one) not in gone] for stage, chunks in stages.items()}


def _refuse_classes(stages: Mapping[str, list[Chunk]]) -> None:
    for stage, chunks in stages.items():
        for chunk in chunks:
            for statement in chunk.statements:
                for node in ast.walk(statement):
                    if isinstance(node, ast.ClassDef):
                        raise refusal(
                            Place(chunk.cell, node.lineno),
                            f"class `{node.name}` is made of what only stage `{stage}` knows, or more than once.",
                            "Move it to a setup cell.",
                        )


def _showing(code: _Code, top: Top, displays: Displays, pyplot: Import) -> Showing:
    paths = {one.binds: one.path for one in code.imports}
    functions = {
        statement.name: statement
        for chunk in [*code.setup, *code.staged]
        for statement in chunk.statements
        if isinstance(statement, ast.FunctionDef)
    }
    known = analyse(
        [(chunk.cell, ast.Module(list(chunk.statements), [])) for chunk in code.preamble], known=NOTHING_KNOWN
    )
    return Showing(
        displays,
        paths,
        {name: one for name, one in functions.items() if top.binds(name)},
        known.definitions,
        code.bound,
        looks_change(code.sources.values()),
        drawing_names(paths, functions),
        f'{pyplot.binds}.close("all")  # as Jupyter does when a cell is done',
    )


def _pyplot(code: _Code, top: Top, taken: frozenset[str]) -> Import:
    """How the module comes by pyplot: as the notebook does, or under a name that is free."""
    for one in code.imports:
        if one.path == "matplotlib.pyplot" and top.binds(one.binds):
            return one
    return Import("matplotlib", "pyplot", "" if "pyplot" not in taken else "_pyplot")


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
        any(_awaits(statement) for statement in _statements(chunks)),
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


def _as_in_a_notebook(code: _Code, top: Top) -> str:
    """What makes pandas print tables as it does in a notebook, where something is printed that may be one."""
    pandas = next((one.binds for one in code.imports if one.path == "pandas" and top.binds(one.binds)), None)
    every = "\n".join(code.sources.values())
    if pandas is None or "max_columns" in every or not _PRINTING.search(every):
        return ""
    line = f'{pandas}.set_option("display.max_columns", 20)  # as in a notebook'
    return f"{line}\n" + ("\n\n" if top.body and top.body[0].is_definition else "")


_PRINTING = re.compile(r"\b(print|str|repr|format|to_string|logging|info)\s*\(|\bf[\"']")


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


def _function_names(pipeline: Pipeline, taken: frozenset[str]) -> dict[str, str]:
    names: dict[str, str] = {}
    for stage in pipeline.stages:
        name = stage.name.replace("-", "_")
        while name in taken or name in names.values() or not _is_free(name):
            name += "_stage"
        names[stage.name] = name
    return names


def _is_free(name: str) -> bool:
    import keyword

    return name.isidentifier() and not keyword.iskeyword(name) and name not in _OURS


def _headings(pipeline: Pipeline, document: Document) -> dict[str, str]:
    paths = outline(document)
    found = {}
    for stage in pipeline.stages:
        path = paths[stage.cells[0].index]
        found[stage.name] = path[-1].text if path else ""
    return found


def _title(pipeline: Pipeline, document: Document) -> str:
    """The notebook's first heading; its name where it has none."""
    for index, cell in enumerate(document["cells"]):
        if cell["cell_type"] == "markdown":
            for heading in headings_in(source_of(cell), index):
                return heading.text
        elif cell["cell_type"] == "code":
            break
    return pipeline.notebook.stem
