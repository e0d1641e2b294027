"""What stands at a module's top level: imports, setup, definitions, and the parameters that these read."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from stagebook.export.chunks import Chunk
from stagebook.export.displays import Showing
from stagebook.export.imports import Import, imports_in, is_known, may_be_moved_up, sorted_imports
from stagebook.export.plain import refusal
from stagebook.export.uses import Uses, uses_of
from stagebook.model import Parameter, Pipeline, Place, frozen_map


@dataclass(frozen=True, slots=True)
class Top:
    """A module's top level.

    Attributes:
        head: the imports at its very top.
        body: the code below them, in order.
        names: all that it binds.
        values: the part of `names` that is neither imported nor defined.
        constants: parameters whose values are fixed there, since code at the top level reads them.
        defaults: per parameter, the code of its default.
        code: the body's text, displays dropped or printed; empty until `shown`.
        imports: the head's text; empty until `shown`.
    """

    head: tuple[Chunk, ...]
    body: tuple[Chunk, ...]
    names: frozenset[str]
    values: frozenset[str]
    constants: frozenset[str]
    defaults: Mapping[str, str] = field(default_factory=frozen_map)
    code: str = ""
    imports: tuple[Import, ...] = ()

    def binds(self, name: str) -> bool:
        """Whether it binds `name`."""
        return name in self.names

    def shown(self, showing: Showing, *, used: frozenset[str]) -> Top:
        """With its text, and without imports of well-known packages that nobody uses.

        Args:
            showing: how displays are shown.
            used: names that stages look up.
        """
        wanted = used | {name for chunk in self.body for name in uses_of(chunk.statements).loads}
        wanted -= {"display"} if showing.has_jupyters_display else set()
        text = _body_text(self.body, showing, wanted)
        return replace(self, code=text, head=tuple(_used_imports(self.head, wanted)))

    def import_lines(self, more: Sequence[Import]) -> str:
        """The head's text, with imports of the module's own."""
        return sorted_imports(self.head, more)


def top_of(
    pipeline: Pipeline,
    parameters: Sequence[Chunk],
    setup: Sequence[Chunk],
    moved: Sequence[Chunk],
    defined: Sequence[Chunk],
    stages: Mapping[str, Uses],
) -> Top:
    """The top level of a pipeline's module.

    Args:
        pipeline: the pipeline.
        parameters: the parameters cell.
        setup: the setup cells.
        moved: imports of stages that go there.
        defined: definitions of stages that go there.
        stages: what each stage mentions.

    Raises:
        StagebookError: code there reads what a stage makes, or binds a parameter.
    """
    code = [*setup, *moved, *defined]
    known = {one.name: one for one in pipeline.parameters}
    uses = [(chunk, uses_of(chunk.statements)) for chunk in code]
    bound = {name for _, one in uses for name in one.stores}
    for chunk, one in uses:
        for name, line in one.stores.items():
            if name in known:
                raise refusal(Place(chunk.cell, line), f"setup binds parameter `{name}`.", "Give it another name.")
    read = {name for _, one in uses for name in one.loads}
    is_plain = _are_defaults(parameters, known)
    fixed = [chunk for chunk in parameters if not is_plain or _binds_any(chunk, read)]
    constants = read & known.keys()
    beside = {name for chunk in fixed for name in uses_of(chunk.statements).stores} - known.keys()
    names = frozenset(bound | beside | constants)
    _refuse_later_reads(uses, stages, names)
    top = [*_in_order(fixed, setup), *defined]
    head, body = _split([*moved, *top])
    values = {name for chunk in (*fixed, *setup) if _is_value(chunk) for name in uses_of(chunk.statements).stores}
    defaults = {name: one if is_plain else name for name, one in _default_texts(parameters, known).items()}
    return Top(
        tuple(head), tuple(body), names, frozenset(values - known.keys()), frozenset(constants), frozen_map(defaults)
    )


def _refuse_later_reads(uses: Sequence[tuple[Chunk, Uses]], stages: Mapping[str, Uses], names: frozenset[str]) -> None:
    """A function at the top level finds names there alone, and would not see what stages bind."""
    for chunk, one in uses:
        for name, line in one.loads.items():
            for stage, found in stages.items():
                if name in found.stores and (name in one.later or name not in names):
                    raise refusal(
                        Place(chunk.cell, line),
                        f"a function of setup reads `{name}`, which stage `{stage}` binds.",
                        "Pass it to the function as an argument.",
                    )


def _are_defaults(parameters: Sequence[Chunk], known: Mapping[str, Parameter]) -> bool:
    """Whether the cell only gives literal defaults, each name once."""
    seen: list[str] = []
    for chunk in parameters:
        for statement in chunk.statements:
            target: ast.expr | None = statement.target if isinstance(statement, ast.AnnAssign) else None
            if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                target = statement.targets[0]
            if not isinstance(target, ast.Name) or target.id not in known or not known[target.id].literal:
                return False
            seen.append(target.id)
    return len(seen) == len(set(seen))


def _default_texts(parameters: Sequence[Chunk], known: Mapping[str, Parameter]) -> dict[str, str]:
    """The code of each literal default, on one line."""
    texts = {name: repr(one.value) for name, one in known.items()}
    for chunk in parameters:
        for statement in chunk.statements:
            value = getattr(statement, "value", None)
            targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
            if value is None or value.lineno != value.end_lineno or not isinstance(targets[0], ast.Name):
                continue
            line = chunk.text.split("\n")[value.lineno - chunk.first].encode("utf-8")
            texts[targets[0].id] = line[value.col_offset : value.end_col_offset].decode("utf-8")
    return texts


def _binds_any(chunk: Chunk, names: set[str]) -> bool:
    return not names.isdisjoint(uses_of(chunk.statements).stores)


def _in_order(fixed: Sequence[Chunk], setup: Sequence[Chunk]) -> list[Chunk]:
    """The preamble's code in notebook order."""
    return sorted([*fixed, *setup], key=lambda chunk: (chunk.cell, chunk.first))


def _is_value(chunk: Chunk) -> bool:
    return not chunk.is_import and not chunk.is_definition


def _split(code: Sequence[Chunk]) -> tuple[list[Chunk], list[Chunk]]:
    """The imports that go to the very top, and the rest."""
    head: list[Chunk] = []
    body: list[Chunk] = []
    for chunk in code:
        before = "\n".join(one.text for one in body if one.statements)
        every = chunk.is_import and all(
            one.name != "*" for statement in chunk.statements for one in imports_in(statement)
        )
        if every and (not before.strip() or may_be_moved_up(chunk, before)):
            head.append(chunk)
        else:
            body.append(chunk)
    return head, body


def _used_imports(head: Sequence[Chunk], wanted: frozenset[str] | set[str]) -> list[Chunk]:
    kept = []
    for chunk in head:
        statements: list[ast.stmt] = []
        for statement in chunk.statements:
            assert isinstance(statement, (ast.Import, ast.ImportFrom))
            names = [
                alias
                for alias, one in zip(statement.names, imports_in(statement), strict=True)
                if one.binds in wanted or not _may_go(one)
            ]
            if isinstance(statement, ast.Import) and names:
                statements.append(ast.copy_location(ast.Import(names), statement))
            elif isinstance(statement, ast.ImportFrom) and names:
                statements.append(
                    ast.copy_location(ast.ImportFrom(statement.module, names, statement.level), statement)
                )
        if statements:
            kept.append(replace(chunk, statements=tuple(statements)))
    return kept


def _may_go(one: Import) -> bool:
    """Whether an import is for its name alone."""
    return is_known(one) and one.module != "__future__" and not one.name.startswith("enable_")


def _body_text(body: Sequence[Chunk], showing: Showing, wanted: frozenset[str] | set[str]) -> str:
    """The code, two blank lines around definitions, one between cells, comments where they were."""
    last = {chunk.cell: chunk for chunk in body if chunk.statements}
    parts: list[str] = []
    before: Chunk | None = None
    for chunk in body:
        text = (
            _marked_import(chunk, wanted)
            if chunk.is_import
            else showing.text(chunk, is_last=last[chunk.cell] is chunk)
            if chunk.statements
            else chunk.text
        )
        lines = text.strip("\n")
        if not lines.strip():
            continue
        if before is not None:
            apart = chunk.is_definition or before.is_definition
            parts.append("\n\n" if apart else "\n" if before.cell != chunk.cell or text.startswith("\n") else "")
        parts.append(lines + "\n")
        before = chunk
    return "".join(parts)


def _marked_import(chunk: Chunk, wanted: frozenset[str] | set[str]) -> str:
    """An import that stays among other code, marked for linters."""
    every = [one for statement in chunk.statements for one in imports_in(statement)]
    marks = ["E402", *(["F401"] if any(one.binds not in wanted for one in every) else [])]
    lines = chunk.text.split("\n")
    first = chunk.statements[0].lineno - chunk.first
    lines[first] = f"{lines[first].rstrip()}  # noqa: {', '.join(marks)}"
    return "\n".join(lines)
