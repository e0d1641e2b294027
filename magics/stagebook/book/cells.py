"""Which cell is what: roles and stage names from cell tags, from `%%stage` lines, and from Kale's tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stagebook.book import kale
from stagebook.book.findings import finding
from stagebook.book.notebook import Document, source_of
from stagebook.book.options import checked_options, magic_options
from stagebook.model import Cell, Finding, Place, Role

MAGIC = re.compile(r"\A(?P<blank>\s*)%%stage(?![\w])[ \t]*(?P<line>[^\n]*)")
INJECTED = "injected-parameters"
_NAME = re.compile(r"[^\W\d][\w-]*\Z")


@dataclass(frozen=True, slots=True)
class ReadCell:
    """A code cell and the options that it names for its stage."""

    cell: Cell
    options: Mapping[str, Any]


def read_cells(document: Document) -> tuple[list[ReadCell], list[Finding]]:
    """The code cells of a notebook with their roles, and what is wrong with their tags, magics and options.

    A cell that Papermill injected is left out: its values reach the pipeline as parameters.
    """
    read: list[ReadCell] = []
    findings: list[Finding] = []
    codes = [
        (index, cell)
        for index, cell in enumerate(document["cells"])
        if cell["cell_type"] == "code" and INJECTED not in tags_of(cell)
    ]
    translate = kale.translator() if kale.is_dialect(tags_of(cell) for _, cell in codes) else None
    for number, (index, raw) in enumerate(codes, start=1):
        source = source_of(raw)
        tags = tags_of(raw)
        place = Place(number, 1)
        options = dict(raw.get("metadata", {}).get("stagebook") or {})
        if translate is not None:
            tags, kale_options, unsupported = translate(tags)
            options |= kale_options
            findings += [
                finding("SB108", f"Kale's tag `{tag}` has no effect here.", "Remove it.", place) for tag in unsupported
            ]
        role, stage, found = _role(tags, source, place)
        findings += found
        magic = MAGIC.match(source)
        if magic:
            _, on_line, found = magic_options(magic["line"], place)
            findings += found
            findings += [
                finding("SB102", f"Option `{key}` stands on the magic and in the metadata.", "Keep one.", place)
                for key in sorted(on_line.keys() & options.keys())
                if on_line[key] != options[key]
            ]
            options |= on_line
        good, found = checked_options(options, place, stage=stage)
        findings += found
        cell = Cell(str(raw.get("id") or f"cell-{index}"), index, number, role, stage, source)
        read.append(ReadCell(cell, good))
    return read, findings


def tags_of(cell: Document) -> tuple[str, ...]:
    """The cell's tags; none where the metadata holds something else."""
    tags = cell.get("metadata", {}).get("tags", ())
    return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, (list, tuple)) else ()


def without_magic(source: str) -> str:
    """The cell's code with its `%%stage` line emptied, so that line numbers stay."""
    return MAGIC.sub(lambda match: match["blank"], source, count=1)


def _role(tags: tuple[str, ...], source: str, place: Place) -> tuple[Role, str | None, list[Finding]]:
    claims: dict[tuple[Role, str | None], str] = {}
    findings = []
    for tag in tags:
        kind, colon, name = tag.partition(":")
        if tag == "parameters":
            claims["parameters", None] = "tag `parameters`"
        elif tag == "setup":
            claims["setup", None] = "tag `setup`"
        elif colon and kind in ("stage", "test"):
            claims[("stage" if kind == "stage" else "test"), name.strip()] = f"tag `{tag}`"
    if magic := MAGIC.match(source):
        name, _, _ = magic_options(magic["line"], place)
        if name is not None:
            claims.setdefault(("stage", name), f"`%%stage {name}`")
    for _, name in claims:
        if name is not None and not _NAME.match(name):
            message = f"`{name}` cannot be the name of a stage."
            remedy = "Start with a letter; go on with letters, digits, `_` or `-`."
            findings.append(finding("SB106", message, remedy, place))
    if len(claims) > 1:
        said = " and ".join(claims.values())
        findings.append(finding("SB102", f"The cell has {said}.", "Keep one of them.", place))
    if not claims:
        return "exploration", None, findings
    role, stage = next(iter(claims))
    return role, stage, findings
