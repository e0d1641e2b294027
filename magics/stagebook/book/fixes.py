"""Edits that mend what a finding tells of: only where they are sure to. They are data, for whoever shows findings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from stagebook.book.syntax import nodes_of
from stagebook.model import CellEdit, Finding, Fix, Role

Claim = tuple[Role, str | None]
"""What a tag, or a magic, makes of a cell: its role, and its stage."""

_DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def tagged_as(cell: int, tag: str) -> Fix:
    """Giving a cell a tag."""
    what, _, stage = tag.partition(":")
    title = f"Add cell {cell} to `{stage}`" if stage else f"Tag cell {cell} `{what}`"
    return Fix(title, (CellEdit(cell, add=(tag,)),))


def replaced_tag(cell: int, tag: str, meant: str) -> Fix:
    """Giving a cell the tag that was meant."""
    return Fix(f"Change the tag to `{meant}`", (CellEdit(cell, remove=(tag,), add=(meant,)),))


def renamed_stage(cell: int, name: str, tags: Iterable[str]) -> list[Fix]:
    """Giving a stage a name that can be one, in its tags; none where nothing of it is left."""
    close = re.sub(r"[^\w-]+", "-", name).strip("-").lstrip("0123456789-")
    edits = tuple(CellEdit(cell, remove=(tag,), add=(f"{tag.partition(':')[0]}:{close}",)) for tag in tags)
    return [Fix(f"Rename it to `{close}`", edits)] if close and edits else []


def keeping_one(cell: int, claims: Mapping[Claim, str], by_tag: Mapping[str, Claim]) -> list[Fix]:
    """Taking off the tags that contradict one of a cell's claims, for each that tags alone can decide for.

    Args:
        cell: its number.
        claims: what is claimed, each with who says so.
        by_tag: what each tag claims; where none claims it, the magic does.
    """
    magic = claims.keys() - set(by_tag.values())
    fixes = []
    for claim, said in claims.items():
        others = tuple(tag for tag, told in by_tag.items() if told != claim)
        if magic <= {claim}:
            fixes.append(Fix(f"Keep {said}", (CellEdit(cell, remove=others),)))
    return fixes


def renamed_name(cell: int, source: str, tree: ast.Module, name: str, meant: str) -> list[Fix]:
    """Writing `meant` wherever a cell reads `name`; none where the text does not stand where the tree has it."""
    lines = source.split("\n")
    found = [node for node in nodes_of(tree) if isinstance(node, ast.Name) and node.id == name]
    for node in sorted(found, key=lambda node: (node.lineno, node.col_offset), reverse=True):
        if node.lineno > len(lines):
            return []
        line, old = lines[node.lineno - 1].encode(), name.encode()
        if line[node.col_offset : node.col_offset + len(old)] != old:
            return []
        line = line[: node.col_offset] + meant.encode() + line[node.col_offset + len(old) :]
        lines[node.lineno - 1] = line.decode()
    return [Fix(f"Change `{name}` to `{meant}`", (CellEdit(cell, source="\n".join(lines)),))] if found else []


def is_setup_like(tree: ast.Module) -> bool:
    """Whether a cell only imports, defines functions and classes, and sets constants."""
    return bool(tree.body) and all(
        isinstance(node, _DEFINITIONS) or (isinstance(node, ast.Assign) and _is_constant(node.value))
        for node in tree.body
    )


def _is_constant(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return not isinstance(node, (ast.List, ast.Dict, ast.Set))  # a stage may change these, in its own copy


def in_all_cells(findings: Sequence[Finding]) -> list[Finding]:
    """The findings, where a stage that is to be renamed is renamed in all of its cells at once."""
    edits: dict[str, tuple[CellEdit, ...]] = {}
    for found in findings:
        for fix in found.fixes if found.code == "SB106" else ():
            edits[fix.title] = edits.get(fix.title, ()) + fix.edits
    return [
        replace(found, fixes=tuple(replace(fix, edits=edits[fix.title]) for fix in found.fixes))
        if found.code == "SB106"
        else found
        for found in findings
    ]
