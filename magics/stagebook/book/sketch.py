"""What can be known of each code cell before it has a role: names, doings, headings, duration."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from stagebook.book.cells import ReadCell, without_magic
from stagebook.book.doings import Doings, doings_of, names_bound
from stagebook.book.durations import seconds_of
from stagebook.book.headings import Heading, outline
from stagebook.book.hidden import is_hidden
from stagebook.book.names import NOTHING_KNOWN, analyse
from stagebook.book.notebook import Document
from stagebook.book.scores import scores_of
from stagebook.book.syntax import CellSyntaxError, parse
from stagebook.book.verbs import Known, known_in
from stagebook.model import Cell, Names

_COMMENT = re.compile(r"\s*#+[ \t]*(?P<text>[^\n]*\w[^\n]*)")


@dataclass(frozen=True, slots=True)
class Sketch:
    """A code cell, and what is known of it.

    Attributes:
        cell: with the role that it has.
        tree: its code; None where it is no Python.
        fault: why it is no Python.
        names: what it does with names.
        doings: what it is made of.
        path: the headings that it stands under, the outermost first.
        seconds: how long it took when it was run last; None where nothing tells.
        wanted: the names whose earlier value it uses.
        makes: the names that it binds or changes in place, and the hidden state that it sets.
        means: those of the names that it binds that are small: modules, functions, literals.
        scores: those that it binds to numbers that say how good a model is.
    """

    cell: Cell
    tree: ast.Module | None
    fault: str = ""
    names: Names = field(default_factory=Names)
    doings: Doings = field(default_factory=Doings)
    path: tuple[Heading, ...] = ()
    seconds: float | None = None
    wanted: frozenset[str] = frozenset()
    makes: frozenset[str] = frozenset()
    means: frozenset[str] = frozenset()
    scores: tuple[str, ...] = ()

    @property
    def has_role(self) -> bool:
        """Whether a tag, or its `%%stage` line, says what it is for."""
        return self.cell.role != "exploration"

    @property
    def is_empty(self) -> bool:
        """Whether there is no code in it."""
        return self.tree is not None and not self.tree.body

    @property
    def replaced(self) -> frozenset[str]:
        """The names that have another value after it, whatever they were before."""
        return frozenset(self.names.binds.keys() - self.names.maybe_binds)

    @property
    def lines(self) -> int:
        """How many lines there are in it."""
        return sum(bool(line.strip()) for line in self.cell.source.splitlines())

    @property
    def comment(self) -> str:
        """What the comment that it begins with says."""
        begins = _COMMENT.match(self.cell.source)
        return begins["text"].strip() if begins else ""


def sketches_of(document: Document, read: Sequence[ReadCell]) -> tuple[list[Sketch], Known]:
    """A sketch of each code cell, in notebook order, and what the notebook gives names to."""
    trees: dict[int, ast.Module] = {}
    faults: dict[int, str] = {}
    for one in read:
        try:
            trees[one.cell.number] = parse(without_magic(one.cell.source))
        except CellSyntaxError as error:
            faults[one.cell.number] = str(error)
    known = known_in(trees.values())
    paths = outline(document)
    found, definitions = [], NOTHING_KNOWN
    for one in read:
        cell = one.cell
        tree = trees.get(cell.number)
        path, seconds = paths[cell.index], seconds_of(document["cells"][cell.index])
        if tree is None:
            found.append(Sketch(cell, None, faults[cell.number], path=path, seconds=seconds))
            continue
        analysis = analyse([(cell.number, tree)], known=definitions)
        doings = doings_of(tree, known)
        if doings.has("import", "definition") and cell.role != "test":
            definitions = definitions.merged(analysis.definitions)
        found.append(_sketch(cell, tree, analysis.names, doings, known, path=path, seconds=seconds))
    return found, known


def _sketch(
    cell: Cell,
    tree: ast.Module,
    names: Names,
    doings: Doings,
    known: Known,
    *,
    path: tuple[Heading, ...],
    seconds: float | None,
) -> Sketch:
    changed = {name for name in names.changes if not is_hidden(name)}
    return Sketch(
        cell,
        tree,
        names=names,
        doings=doings,
        path=path,
        seconds=seconds,
        wanted=frozenset({*names.reads, *names.changes}),
        makes=frozenset({*names.binds, *changed}),
        means=frozenset(names_bound(tree.body, ("import", "definition", "literal"), known)),
        scores=scores_of(tree, known),
    )
