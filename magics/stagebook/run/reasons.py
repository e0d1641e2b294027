"""Why a stage runs, in a line for a person: which part of what its result depends on changed, and since which run."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from stagebook.book.cells import without_magic
from stagebook.book.hidden import FILE, called, is_hidden
from stagebook.book.normal import readable
from stagebook.book.slices import Statement, foundation, preamble_statements
from stagebook.book.syntax import parse
from stagebook.model import Pipeline, Stage
from stagebook.plan import Change

Source = Sequence[tuple[int, str]]
"""Code as (number of its cell, text) in order; the text as `readable` gives it."""

_ORDER = ("code", "setup", "option", "parameter", "input", "file", "environment", "module", "package", "python")
_WORDS = {"code": "its code", "setup": "the setup code it uses", "python": "Python"}
_DIGEST = re.compile(r"[0-9a-f]{32}")
_SHOWN = 3
_WIDTH = 50
_LONGEST = 240


def stage_sources(pipeline: Pipeline) -> dict[str, dict[str, list[tuple[int, str]]]]:
    """Per stage, what `stage_source` gives."""
    preamble = preamble_statements(pipeline)
    return {stage.name: stage_source(stage, preamble) for stage in pipeline.stages}


def stage_source(stage: Stage, preamble: Sequence[Statement]) -> dict[str, list[tuple[int, str]]]:
    """A stage's own code and the setup code that it uses, under `code` and `setup`."""
    cells = {id(statement.node): statement.cell for statement in preamble}
    setup = [(cells[id(node)], readable([node])) for node in foundation(stage, preamble).setup]
    code = [(cell.number, readable(parse(without_magic(cell.source)).body)) for cell in stage.cells]
    return {"code": code, "setup": setup}


def changes_since(
    last: Mapping[str, Any],
    parts: Mapping[str, str],
    sources: Mapping[str, Source],
    came: Callable[[str], str],
) -> tuple[Change, ...]:
    """What differs between a stage's last record and now, the most telling part first.

    Args:
        last: the record: `parts`, and, where it has them, `sources` and `run`.
        parts: all parts of the stage's fingerprint now.
        sources: its code and setup now.
        came: for the name of an input, where its new content comes from, in words.
    """
    before = last["parts"]
    differing = [part for part in parts.keys() | before.keys() if parts.get(part) != before.get(part)]
    if "code" in differing or "setup" in differing:  # what they import or read anew goes without saying
        differing = [part for part in differing if part in parts and part in before]
    changes = []
    for part in sorted(differing, key=_rank):
        was, now, detail = before.get(part), parts.get(part), ""
        if part in ("code", "setup"):
            old = last.get("sources", {}).get(part)
            if old is not None:
                was, now, detail = _text(old), _text(sources[part]), changed_lines(old, sources[part])
        elif part.startswith("input:"):
            detail = came(part.partition(":")[2])
        changes.append(Change(part, was, now, last.get("run") or None, detail))
    return tuple(changes)


def came_out(source: str | None, before: str | None, run: str | None, *, this: str) -> str:
    """Where an input's new content comes from.

    Args:
        source: the stage it comes from now; None where it comes from none.
        before: the stage it came from before, where that is known.
        run: the run in which `source` came out as it is now, where that is known.
        this: the run that is under way.
    """
    if source is None:
        return ""
    if before is not None and before != source:
        return f"it comes from `{source}`, no longer from `{before}`"
    if not run:
        return f"`{source}` came out different"
    return f"`{source}` came out different in {'this run' if run == this else f'run {run}'}"


def reason(changes: Iterable[Change], *, this: str = "") -> str:
    """The changes in one line; beyond three of them, how many more there are.

    Args:
        changes: what has changed.
        this: the run that is under way.
    """
    told: list[str] = []
    since = False
    for change in _modules_as_one(changes):
        last = f"run {change.run}" if change.run else "it ran in the notebook"
        when = " in this run" if this and change.run == this else f" since {last}"
        clause = _clause(change, since="" if since or change.run is None else when)
        since = since or when in clause
        told.append(clause)
    more = len(told) - _SHOWN
    return "; ".join([*told[:_SHOWN], *([f"and {more} more"] if more > 0 else [])])


def _modules_as_one(changes: Iterable[Change]) -> list[Change]:
    """The changes, those of one module's files as one."""
    found: dict[str, Change] = {}
    for change in changes:
        kind, _, name = change.part.partition(":")
        part = f"module:{re.split('[/.]', name)[0]}" if kind == "module" else change.part
        if kind == "module":
            files = [*found[part].detail.split(", "), name] if part in found else [name]
            change = Change(part, "", "", change.run, ", ".join(files))
        found[part] = change
    return list(found.values())


def one_line(text: str) -> str:
    """What an exception says, which may be pages, in a line of bounded length."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def changed_lines(before: Source, now: Source) -> str:
    """The first changed line with its cell, and how many more lines came and went."""
    old, new = _lines(before), _lines(now)
    steps = difflib.SequenceMatcher(None, [text for _, text in old], [text for _, text in new], autojunk=False)
    changed = [step for step in steps.get_opcodes() if step[0] != "equal"]
    if not changed:
        return "its lines are the same, in other cells"
    _, start, end, first, last = changed[0]
    gone, came = end > start, last > first
    cell = new[first][0] if came else old[start][0]
    if gone and came:
        shown = "{} -> {}".format(*_pair(old[start][1], new[first][1]))
    else:
        shown = f"`{_short(new[first][1])}` is new" if came else f"`{_short(old[start][1])}` is gone"
    added = sum(step[4] - step[3] for step in changed) - came
    removed = sum(step[2] - step[1] for step in changed) - gone
    counts = [f"{sign}{count}" for sign, count in (("+", added), ("-", removed)) if count]
    rest = f", {' '.join(counts)} line{'' if added + removed == 1 else 's'}" if counts else ""
    return f"cell {cell}: {shown}{rest}"


def _clause(change: Change, *, since: str) -> str:
    kind, _, name = change.part.partition(":")
    what = _what(kind, name)
    before, now = change.before, change.now
    if before is None or now is None:
        return f"{what} is {'new' if before is None else 'gone'}{since}"
    if kind == "input" and change.detail:
        return f"{what} changed: {change.detail}"
    if change.detail:
        return f"{what} changed{since} ({change.detail})"
    if kind in ("code", "setup", "file", "input") or _DIGEST.fullmatch(before) or _DIGEST.fullmatch(now):
        return f"{what} changed{since}"
    return "{} changed{}: {} -> {}".format(what, since, *_pair(before, now, quote=""))


def _what(kind: str, name: str) -> str:
    """The part as a person would call it."""
    if kind == "file" or (kind == "input" and is_hidden(name)):
        return called(name if kind == "input" else f"{FILE}{name}")
    if kind == "environment":
        return f"environment variable `{name}`"
    return f"{kind} `{name}`" if name else _WORDS.get(kind, f"`{kind}`")


def _rank(part: str) -> tuple[int, str]:
    kind = part.partition(":")[0]
    return (_ORDER.index(kind) if kind in _ORDER else len(_ORDER), part)


def _text(source: Source) -> str:
    return "\n".join(text for _, text in source)


def _lines(source: Source) -> list[tuple[int, str]]:
    return [(cell, line) for cell, text in source for line in text.splitlines()]


def _pair(before: str, now: str, *, quote: str = "`") -> tuple[str, str]:
    """Both, shortened so that where they differ is seen."""
    before, now = before.strip(), now.strip()
    differing = (at for at, (one, other) in enumerate(zip(before, now, strict=False)) if one != other)
    common = next(differing, min(len(before), len(now)))
    skipped = common - 20 if max(len(before), len(now)) > _WIDTH and common > 30 else 0
    return tuple(f"{quote}{'…' if skipped else ''}{_short(text[skipped:])}{quote}" for text in (before, now))  # type: ignore[return-value] # two in, two out


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"
