"""Which cell is what: roles and stage names from cell tags, from `%%stage` lines, and from Kale's tags."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stagebook.book import kale
from stagebook.book.findings import finding
from stagebook.book.fixes import in_all_cells, keeping_one, renamed_stage, replaced_tag
from stagebook.book.notebook import Document, source_of
from stagebook.book.options import checked_options, magic_options
from stagebook.model import Cell, Finding, Fix, Place, Role

MAGIC = re.compile(r"\A(?P<blank>\s*)%%stage(?![\w?])[ \t]*(?P<line>[^\n]*)")
_LATE_MAGIC = re.compile(r"\A(?:[ \t]*(?:#|%%(?!stage\b))[^\n]*\n|\s*\n)+(?=[ \t]*%%stage(?![\w?]))")
INJECTED = "injected-parameters"
_NAME = re.compile(r"[^\W\d][\w-]*\Z")


@dataclass(frozen=True, slots=True)
class ReadCell:
    """A code cell and the options that it names for its stage.

    Attributes:
        cell: the cell with its role.
        options: well-formed options, as `StageOptions` holds them.
        shows_metrics: whether the names that it prints are its stage's metrics, as in Kale.
    """

    cell: Cell
    options: Mapping[str, Any]
    shows_metrics: bool = False


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
        source, tags, place = source_of(raw), tags_of(raw), Place(number, 1)
        said, found = _in_metadata(raw, place)
        findings += found
        if translate is not None:
            tags, kale_options, unsupported = translate(tags)
            said |= kale_options
            findings += [_no_effect(f"Kale's tag `{tag}`", "Remove it.", place) for tag in unsupported]
        role, stage, found = _role(tags, source, place)
        findings += found
        options, found = _options(said, source, place, stage=stage)
        findings += found
        if options and role != "stage":
            named = ", ".join(f"`{key}`" for key in sorted(options))
            findings.append(_no_effect(f"Option {named}", "Tag the cell `stage:NAME`, or remove it.", place))
        cell = Cell(str(raw.get("id") or f"cell-{index}"), index, number, role, stage, source)
        read.append(ReadCell(cell, options, translate is not None and stage == kale.METRICS_STAGE))
    return read, in_all_cells(findings)


def _in_metadata(raw: Document, place: Place) -> tuple[dict[str, Any], list[Finding]]:
    said = raw.get("metadata", {}).get("stagebook")
    if said is None or isinstance(said, dict):
        return dict(said or {}), []
    remedy = 'Write it as {"needs": ["NAME"]}, or take it out.'
    return {}, [finding("SB104", f"The metadata `stagebook` holds no options: {said!r}.", remedy, place)]


def _options(
    said: Mapping[str, Any], source: str, place: Place, *, stage: str | None
) -> tuple[dict[str, Any], list[Finding]]:
    """The options of the cell's metadata and of its magic, together."""
    options, findings = checked_options(said, place, stage=stage)
    magic = MAGIC.match(source)
    if magic:
        line = _line_of(magic, place)
        _, on_line, found = magic_options(magic["line"], line)
        more, wrong = checked_options(on_line, line, stage=stage)
        findings += [*found, *wrong]
        for key in sorted(more.keys() & options.keys()):
            if more[key] != options[key]:
                message = f"Option `{key}` stands on the magic and, with another value, in the metadata."
                findings.append(finding("SB102", message, "Keep one of them.", line, stage=stage))
        options |= more
    return options, findings


def _line_of(magic: re.Match[str], place: Place) -> Place:
    return Place(place.cell, magic["blank"].count("\n") + 1)


def _no_effect(what: str, remedy: str, place: Place, fixes: Iterable[Fix] = ()) -> Finding:
    return finding("SB108", f"{what} has no effect here.", remedy, place, fixes=fixes)


def tags_of(cell: Document) -> tuple[str, ...]:
    """The cell's tags; none where the metadata holds something else."""
    tags = cell.get("metadata", {}).get("tags", ())
    return tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, (list, tuple)) else ()


def without_magic(source: str) -> str:
    """The cell's code with its `%%stage` line made a comment, so that line numbers stay.

    Above another cell magic the line is left empty: IPython passes over empty lines before a cell magic, and it would
    drop one before plain code, and count its lines from there.
    """
    match = MAGIC.match(source)
    if match is None:
        return source
    rest = source[match.end() :]
    return f"{match['blank']}{'' if rest.lstrip().startswith('%%') else '# ' + match[0].lstrip()}{rest}"


def _role(tags: tuple[str, ...], source: str, place: Place) -> tuple[Role, str | None, list[Finding]]:
    """What the cell's tags and its magic make of it; where they contradict each other, what the first says."""
    claims: dict[tuple[Role, str | None], str] = {}
    by_tag: dict[str, tuple[Role, str | None]] = {}
    findings = []
    for tag in tags:
        claim = _claim(tag)
        if claim is not None:
            claims[claim] = f"tag `{tag}`"
            by_tag[tag] = claim
        elif meant := _meant(tag):
            fix = replaced_tag(place.cell, tag, meant)
            findings.append(_no_effect(f"Tag `{tag}`", f"Did you mean `{meant}`?", place, [fix]))
    if magic := MAGIC.match(source):
        place = _line_of(magic, place)
        named, _, _ = magic_options(magic["line"], place)
        if named is not None:
            claims.setdefault(("stage", named), f"`%%stage {named}`")
    elif late := _LATE_MAGIC.match(source):
        line = Place(place.cell, late[0].count("\n") + 1)
        message = "`%%stage` is not on the cell's first line: IPython would not run it."
        findings.append(finding("SB101", message, "Move it above the other lines.", line))
    for (_, name), said in claims.items():
        if name is not None and not _NAME.match(name):
            message = f"`{name}` cannot be the name of a stage." if name else f"The {said} names no stage."
            remedy = "Start with a letter; go on with letters, digits, `_` or `-`."
            fixes = renamed_stage(place.cell, name, [tag for tag, (_, named) in by_tag.items() if named == name])
            findings.append(finding("SB106", message, remedy, place, fixes=fixes))
    if len(claims) > 1:
        said = " and ".join(claims.values())
        fixes = keeping_one(place.cell, claims, by_tag)
        findings.append(finding("SB102", f"The cell has {said}.", "Keep one of them.", place, fixes=fixes))
    role, stage = next(iter(claims), ("exploration", None))
    return role, stage, findings


def _claim(tag: str) -> tuple[Role, str | None] | None:
    kind, _, name = tag.partition(":")
    alone: dict[str, Role] = {"parameters": "parameters", "setup": "setup"}
    named: dict[str, Role] = {"stage": "stage", "test": "test"}
    if tag in alone:
        return alone[tag], None
    return (named[kind], name.strip()) if ":" in tag and kind in named else None


def _meant(tag: str) -> str | None:
    """The tag of ours that this one, which is none, comes close to."""
    if tag.lower().startswith("stage "):
        return f"stage:{'_'.join(tag.split()[1:])}"
    kind, colon, name = tag.partition(":")
    ours = ("stage", "test") if colon else ("parameters", "setup")
    close = difflib.get_close_matches(kind.strip().lower(), ours, n=1, cutoff=0.85)
    return f"{close[0]}{colon}{name.strip()}" if close else None
