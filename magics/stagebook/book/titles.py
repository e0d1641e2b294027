"""Names for stages: from headings, from what the code does, from what it makes."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from stagebook.book.headings import Heading
from stagebook.book.hidden import is_hidden
from stagebook.book.sketch import Sketch
from stagebook.book.verbs import Verb

_NUMBER = re.compile(
    r"(?:(?:step|part|section|chapter|stage|phase|task|q|question|exercise)\s*)?(?:\d+(?:\.\d+)*|[ivx]+(?=[.):])|[a-z](?=[.)]))"
    r"\s*(?:[.):\-\u2013\u2014|]+\s*|\s+|\Z)",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"(?:first|next|then|now|finally)\b,?\s*|let'?s\s+|let us\s+|we\s+(?:will\s+|now\s+|can\s+)*", re.IGNORECASE
)
_ASIDE = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_BREAK = re.compile(r"\s*[:;|?!]\s*|\s+[-\u2013\u2014]+\s+")
_SMALL = frozenset(
    {
        *("a", "an", "the", "of", "to", "for", "and", "or", "with", "in", "on", "at", "by", "from"),
        *("our", "your", "its", "this", "that", "these", "using", "via", "some"),
    }
)
_SAYING_NOTHING = frozenset(
    {
        *("introduction", "setup", "imports", "overview", "conclusion", "conclusions", "notes"),
        *("content", "contents", "table_of_contents", "outline"),
    }
)
_MOST_WORDS, _MOST_LETTERS = 4, 32
_COMMENT_WORDS = 6
_CODE = re.compile(r"[=(){}\[\]@%$\\]|\w\.\w|https?:")
_STRONG: tuple[Verb, ...] = ("train", "load", "split", "evaluate", "predict", "save")
_SAYS: dict[Verb, str] = {
    "train": "trains",
    "load": "loads",
    "split": "splits",
    "evaluate": "scores",
    "predict": "predicts",
    "save": "writes",
    "build": "builds a model",
    "clean": "cleans",
    "prepare": "prepares",
    "plot": "plots",
}


def short_name(text: str) -> str:
    """A stage name of the words of a heading: `2. Train the model` is `train_the_model`; "" where it has no words."""
    text = _ASIDE.sub(" ", text).strip()
    text = _NUMBER.sub("", text, count=1) if _NUMBER.match(text) else text
    text = _LEAD.sub("", text, count=1) if _LEAD.match(text) else text
    first = next((part for part in _BREAK.split(text) if re.search(r"[^\W\d_]", part)), "")
    words = re.findall(r"\w+", re.sub(r"['\u2019]", "", first.lower()))
    if len(words) > _MOST_WORDS or len("_".join(words)) > _MOST_LETTERS:
        words = [word for word in words if word not in _SMALL] or words
    words = words[:_MOST_WORDS]
    while len(words) > 1 and (len("_".join(words)) > _MOST_LETTERS or words[-1] in _SMALL):
        words.pop()
    while words and not re.match(r"[^\W\d]", words[0]):
        words.pop(0)
    return "_".join(words)[:_MOST_LETTERS].strip("_")


def stage_names(
    stages: Sequence[Sequence[Sketch]], pinned: Sequence[str | None], needed: Sequence[Collection[str]]
) -> list[str]:
    """A name for each stage, none given twice.

    Args:
        stages: the cells of each, in notebook order.
        pinned: the names that stages have already.
        needed: for each stage, the names that those below it read.
    """
    under = Counter(heading for cells in stages for heading in {h for cell in cells for h in cell.path})
    taken = {name for name in pinned if name is not None}
    several = sum(foremost(cells) == "train" for cells in stages) > 1
    names: list[str] = []
    above: Sketch | None = None
    for cells, given, below in zip(stages, pinned, needed, strict=True):
        name = given or _unique(_candidates(cells, above, under, below, several=several), taken)
        taken.add(name)
        names.append(name)
        above = cells[-1]
    return names


def _common(cells: Sequence[Sketch]) -> tuple[Heading, ...]:
    """The headings that all of these stand under."""
    common = cells[0].path
    for cell in cells:
        length = 0
        for ours, theirs in zip(common, cell.path, strict=False):
            if ours != theirs:
                break
            length += 1
        common = common[:length]
    return common


def _candidates(
    cells: Sequence[Sketch],
    above: Sketch | None,
    under: Mapping[Heading, int],
    needed: Collection[str],
    *,
    several: bool,
) -> list[str]:
    """Names that would fit, the best first.

    Best is the lowest heading that all the cells stand under, if no other stage's cells do; then the highest of those
    that begin with them. A section that another stage has begun comes after what the code does, and what it does it to.
    Where `several` stages train, each is called after what it trains.
    """
    common = _common(cells)
    own = [heading for heading in reversed(common) if under[heading] == 1]
    new = [heading for heading in cells[0].path if above is None or heading.index > above.cell.index]
    verb = foremost(cells)
    made = _fitted(cells) if verb == "train" else ""
    made = made or _main_name(cells, needed)
    done = [verb, f"{verb}_{made}" if made else ""] if verb in _STRONG else []
    names = [
        *(short_name(heading.text) for heading in [*own, *new]),
        *(done[::-1] if several and verb == "train" and not new else done),
        *(short_name(heading.text) for heading in reversed(common)),
        _said_by_comment(cells),
        verb or "",
        f"make_{made}" if made else "",
    ]
    return sorted(filter(None, names), key=lambda name: name in _SAYING_NOTHING)


def foremost(cells: Sequence[Sketch]) -> Verb | None:
    """What these cells do above all."""
    found = {cell.doings.verbs[0] for cell in cells if cell.doings.verbs}
    return next((verb for verb in _SAYS if verb in found), None)


def said(verb: Verb) -> str:
    """What a cell does, as a person would say it."""
    return _SAYS[verb]


def _said_by_comment(cells: Sequence[Sketch]) -> str:
    """The comment that the first of the cells begins with, if it is a few words and no code."""
    comment = cells[0].comment
    few = len(comment.split()) <= _COMMENT_WORDS
    return short_name(comment) if few and not _CODE.search(comment) else ""


def _fitted(cells: Sequence[Sketch]) -> str:
    """The name of what the first cell that fits something fits; where a function does it, of what the cells make."""
    for cell in cells:
        for node in cell.tree.body if cell.tree is not None else ():
            call = getattr(node, "value", None)
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "fit"):
                continue
            owner = call.func.value
            if isinstance(owner, ast.Name):
                return owner.id.strip("_")
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                return node.targets[0].id.strip("_")
    made = [name for name in cells[0].names.binds if name in cells[0].makes - cells[0].means and not is_hidden(name)]
    return made[0].strip("_") if made else ""


def _main_name(cells: Sequence[Sketch], needed: Collection[str]) -> str:
    """What of all that they make counts most: what others need, and of that what is made last."""
    made = [name for cell in cells for name in sorted(cell.makes - cell.means) if not is_hidden(name)]
    made += [name for name in (made or sorted({n for cell in cells for n in cell.makes})) if name in needed]
    return next((name.strip("_") for name in reversed(made) if re.match(r"[^\W\d]", name.strip("_"))), "")


def _unique(candidates: Sequence[str], taken: Collection[str]) -> str:
    """The first that is free; where none is, the first with a number."""
    for name in candidates:
        if name not in taken:
            return name
    base = candidates[0] if candidates else "work"
    number = 2 if candidates else 1
    while f"{base}_{number}" in taken:
        number += 1
    return f"{base}_{number}"
