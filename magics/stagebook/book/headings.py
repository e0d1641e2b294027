"""The headings of a notebook, and those that each cell stands under."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stagebook.book.notebook import Document, source_of

_FENCE = re.compile(r"\s{0,3}(```|~~~)")
_MARKED = re.compile(r"\s{0,3}(?P<marks>#{1,6})(?!#)\s*(?P<text>.*?\w.*?)\s*#*\s*\Z")
_TAG = re.compile(r"<h(?P<level>[1-6])\b[^>]*>(?P<text>.*?)</h(?P=level)>", re.IGNORECASE)
_IN_BOLD = re.compile(r"\s{0,3}(\*\*|__)(?P<text>(?:[^*_\s]+ *){1,10})\1\s*:?\s*\Z")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-{3,})\s*\Z")
BOLD = 7
"""The level of a line in bold that stands alone."""
_MOST_WORDS = 20
_CONTENTS = 3
"""So many headings of one level in one cell, with no code between them, are a table of contents."""
_MARKUP = (
    (re.compile(r"<[^>]*>"), ""),
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),
    (re.compile(r"\[([^\]]*)\]\([^)]*\)"), r"\1"),
    (re.compile(r"[`*~]|(?<!\w)_+|_+(?!\w)"), ""),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading in a text cell.

    Attributes:
        level: 1 for the highest, 6 for the lowest, then `BOLD`.
        text: its words, without markup.
        index: of its cell, among all cells of the notebook.
        line: of that cell, from 0.
    """

    level: int
    text: str
    index: int
    line: int = 0


def outline(document: Document) -> list[tuple[Heading, ...]]:
    """For each cell of the notebook, the headings that it stands under, the outermost first; its title is none."""
    open_ones: list[Heading] = []
    paths: list[tuple[Heading, ...]] = []
    for index, cell in enumerate(document["cells"]):
        if cell["cell_type"] == "markdown":
            for heading in _sections(list(headings_in(source_of(cell), index))):
                while open_ones and open_ones[-1].level >= heading.level:
                    open_ones.pop()
                open_ones.append(heading)
        paths.append(tuple(open_ones))
    code = [path for path, cell in zip(paths, document["cells"], strict=True) if cell["cell_type"] == "code"]
    title = _title(code)
    return [tuple(heading for heading in path if heading != title) for path in paths]


def _sections(headings: list[Heading]) -> list[Heading]:
    """The headings of one text cell that open a section: none where they are a table of contents."""
    levels = Counter(heading.level for heading in headings)
    return [] if max(levels.values(), default=0) >= _CONTENTS else headings


def _title(paths: Sequence[tuple[Heading, ...]]) -> Heading | None:
    """The notebook's title, by the paths of its code cells: what is above the first section, or above all cells."""
    if not paths or not paths[0]:
        return None
    first = paths[0][0]
    return first if len(paths[0]) > 1 or all(path[:1] == (first,) for path in paths) else None


def headings_in(text: str, index: int = 0) -> Iterable[Heading]:
    """The headings in a text cell: `## Title`, underlined, `<h2>`, and lines in bold that stand alone."""
    lines = text.splitlines()
    fence = ""
    for number, line in enumerate(lines):
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1] == fence:
            fence = ""
        if mark or fence:
            continue
        found = _heading(line, lines[number + 1] if number + 1 < len(lines) else "")
        if found is not None and (words := plain(found[1])) and len(words.split()) <= _MOST_WORDS:
            yield Heading(found[0], words, index, number)


def _heading(line: str, below: str) -> tuple[int, str] | None:
    """The level and the text of the heading that a line is, if it is one."""
    if marked := _MARKED.match(line):
        return len(marked["marks"]), marked["text"]
    if tag := _TAG.search(line):
        return int(tag["level"]), tag["text"]
    if bold := _IN_BOLD.match(line):
        return BOLD, bold["text"]
    if _UNDERLINE.match(below) and re.match(r"\s{0,3}\w", line) and "|" not in line:
        return (1 if "=" in below else 2), line
    return None


def plain(text: str) -> str:
    """The words of a line of Markdown."""
    for markup, instead in _MARKUP:
        text = markup.sub(instead, text)
    return html.unescape(text).strip()
