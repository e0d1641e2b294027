"""What came of verifying a notebook, as a table for a terminal, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from stagebook.sections import aligned
from stagebook.text import counted

if TYPE_CHECKING:
    from stagebook.verify.api import Column, Verification
    from stagebook.verify.judging import Verdict


def verification_text(found: Verification, *, strict: bool = False) -> str:
    """Stages and targets, what differs below them, and the sum.

    Args:
        found: what came of it.
        strict: whether a target that refused, or is not installed, counts as a difference.
    """
    heads = ["stage", "plain run", *(one.target for one in found.columns)]
    rows = [heads, *([stage, state, *(_cell(one, stage) for one in found.columns)] for stage, state in _rows(found))]
    return "\n".join([*aligned(rows), "", *_remarks(found), *_sum(found, strict=strict)])


def _rows(found: Verification) -> Iterator[tuple[str, str]]:
    yield from found.stages.items()


def _cell(column: Column, stage: str) -> str:
    verdict = column.stages.get(stage)
    if column.became != "ran" or verdict is None:
        return column.became
    return f"same ({verdict.compared})" if verdict.word == "same" and verdict.compared > 1 else verdict.word


def _remarks(found: Verification) -> Iterator[str]:
    """A paragraph for each target of which there is more to say than that all is the same."""
    for column in found.columns:
        if column.why:
            yield f"{column.target}: {column.became}: {column.why}"
        for stage, verdict in column.stages.items():
            yield from (f"{column.target}: {line}" for line in _of_stage(stage, verdict))


def _of_stage(stage: str, verdict: Verdict) -> Iterator[str]:
    for one in verdict.differences:
        yield f"{stage}: different: {f'{one.name}: ' if one.name else ''}{one.told}"
    if verdict.varies:
        named = ", ".join(name or "what becomes of it" for name in verdict.varies)
        yield f"{stage}: differs from run to run, also of the plain one: {named}"
    for name, why in verdict.uncomparable.items():
        yield f"{stage}: not comparable: {name} ({why})"
    if verdict.by_name:
        yield f"{stage}: same but for code, of which names and arguments are compared: {', '.join(verdict.by_name)}"


def _sum(found: Verification, *, strict: bool) -> Iterator[str]:
    ran = [one for one in found.columns if one.became == "ran"]
    compared = sum(verdict.compared for one in ran for verdict in one.stages.values())
    yield f"{counted(compared, 'comparison')} with the plain run in {counted(len(ran), 'target')}."
    differ = [one.target for one in found.columns if one.differs]
    if differ:
        yield f"Different: {', '.join(differ)}."
    elif found.same(strict=strict):
        yield "Nothing differs."
    else:
        left = [f"{one.target} ({one.became})" for one in found.columns if one.became in ("refused", "not here")]
        yield f"Nothing differs where it ran. Not verified: {', '.join(left)}."


def verification_json(found: Verification, *, strict: bool = False) -> str:
    """All of it, for scripts."""
    plain = asdict(found) | {"notebook": str(found.notebook), "same": found.same(strict=strict)}
    return json.dumps(plain, indent=2)
