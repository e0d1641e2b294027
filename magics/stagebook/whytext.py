"""Why a stage would run, as text for a person: the reason, the changed lines, and the stages that it waits for."""

from __future__ import annotations

from collections.abc import Iterable

from stagebook.run.explaining import Explanation
from stagebook.text import moment, seconds

_MOST = 40
"""Changed lines that are shown of one part."""
_TITLES = {"code": "its code", "setup": "the setup code it uses"}


def why_text(found: Explanation) -> str:
    """The reason in a line, when the stage last ran, what has changed line by line, and why others run before it."""
    stage = found.stage
    lines = [
        f"{stage.stage} is {'up to date' if stage.state == 'fresh' else stage.state}: {stage.reason}",
        *_last(found),
    ]
    lines += _changed(found)
    for one in found.before:
        lines += ["", f"Before it, {one.stage.stage} runs: {one.stage.reason}", *_changed(one)]
    return "\n".join(lines)


def _last(found: Explanation) -> Iterable[str]:
    stage = found.stage
    if stage.started:
        run = f" in run {stage.run}" if stage.run else ""
        took = f" and took {seconds(stage.duration)}" if stage.duration is not None else ""
        yield f"It last ran {moment(stage.started)}{run}{took}."


def _changed(found: Explanation) -> Iterable[str]:
    for part, lines in found.lines.items():
        more = len(lines) - _MOST
        yield f"  {_TITLES.get(part, part)}:"
        yield from (f"    {line}" for line in lines[:_MOST])
        if more > 0:
            yield f"    ... and {more} more lines"
