"""A pipeline's code, ready to be taken apart into functions: read, searched for what cannot be, and looked over."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence

from stagebook.book.definitions import NOTHING_KNOWN
from stagebook.book.names import analyse
from stagebook.export.checks import refuse_code, refuse_hidden_queries
from stagebook.export.chunks import Chunk, chunks_of
from stagebook.export.displays import Displays, Showing, drawing_at, drawing_names, looks_change
from stagebook.export.imports import Import, imports_in
from stagebook.export.plain import plain_source, refusal
from stagebook.export.top import Top
from stagebook.export.uses import LAZY, uses_of
from stagebook.model import Pipeline, Place

_PRINTING = re.compile(r"\b(print|str|repr|format|to_string|logging|info)\s*\(|\bf[\"']")


class Code:
    """The plain Python of a pipeline's cells, in pieces.

    Args:
        pipeline: the pipeline.

    Attributes:
        parameters: of the parameters cell.
        setup: of the setup cells.
        stages: of each stage, by its name.
        bound: all names that are bound somewhere.
        mentioned: all names that are used somehow.
        imports: all imports, wherever they stand.
        is_lazy: whether there are tables that may call functions later than they are given them.
    """

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

    def refuse(self) -> None:
        """Nothing, where nothing of the code is another thing in a module.

        Raises:
            StagebookError: something is.
        """
        refuse_code(self.preamble, self.bound, in_stages=False)
        refuse_code(self.staged, self.bound, in_stages=True)
        refuse_hidden_queries([*self.preamble, *self.staged], self.bound)

    def left_without(self, moved: Sequence[Chunk]) -> dict[str, list[Chunk]]:
        """The stages' code without what goes to the top level.

        Raises:
            StagebookError: a class is left, which would be another one each time that its stage's function is called.
        """
        gone = {id(chunk) for chunk in moved}
        left = {stage: [one for one in chunks if id(one) not in gone] for stage, chunks in self.stages.items()}
        _refuse_classes(left)
        return left

    def pyplot(self, top: Top, taken: frozenset[str]) -> Import:
        """How the module comes by pyplot: as the notebook does, or under a name that is free."""
        for one in self.imports:
            if one.path == "matplotlib.pyplot" and top.binds(one.binds):
                return one
        return Import("matplotlib", "pyplot", "" if "pyplot" not in taken else "_pyplot")

    def showing(self, top: Top, displays: Displays, pyplot: Import) -> Showing:
        """What becomes of what the cells show.

        Raises:
            StagebookError: setup draws a picture.
        """
        paths = {one.binds: one.path for one in self.imports}
        functions = {
            statement.name: statement
            for statement in statements([*self.setup, *self.staged])
            if isinstance(statement, ast.FunctionDef)
        }
        draws = drawing_names(paths, functions)
        for chunk in self.setup:
            if (line := drawing_at(chunk, draws)) is not None:
                raise refusal(Place(chunk.cell, line), "setup draws a picture.", "Draw it in a stage.")
        trees = [(chunk.cell, ast.Module(list(chunk.statements), [])) for chunk in self.preamble]
        return Showing(
            displays,
            paths,
            {name: one for name, one in functions.items() if top.binds(name)},
            analyse(trees, known=NOTHING_KNOWN).definitions,
            self.bound,
            looks_change(self.sources.values()),
            draws,
            f'{pyplot.binds}.close("all")  # as Jupyter does when a cell is done',
        )

    def as_in_a_notebook(self, top: Top) -> str:
        """What makes pandas print tables as it does in a notebook, where something is printed that may be one."""
        pandas = next((one.binds for one in self.imports if one.path == "pandas" and top.binds(one.binds)), None)
        every = "\n".join(self.sources.values())
        if pandas is None or "max_columns" in every or not _PRINTING.search(every):
            return ""
        line = f'{pandas}.set_option("display.max_columns", 20)  # as in a notebook'
        return f"{line}\n" + ("\n\n" if top.body and top.body[0].is_definition else "")


def statements(chunks: Iterable[Chunk]) -> list[ast.stmt]:
    """The statements in these pieces."""
    return [statement for chunk in chunks for statement in chunk.statements]


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
