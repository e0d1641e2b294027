"""What cells have put out, as text; the line at which one failed, as IPython's traceback tells it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

Output = Mapping[str, Any]
"""An output as nbformat has it, or as the kernel sends it."""

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PLACE = re.compile(r"Cell In\s?\[\d*\], line (\d+)")


def without_colours(text: str) -> str:
    """The text as it is in a plain file."""
    return _COLOURS.sub("", text)


def printed(outputs: Iterable[Output]) -> str:
    """What a terminal would show of it, without what was raised."""
    parts = []
    for output in outputs:
        if output["output_type"] == "stream":
            parts.append("".join(output["text"]))
        elif "text/plain" in output.get("data", {}):
            parts.append(f"{''.join(output['data']['text/plain'])}\n")
    return without_colours("".join(parts)).rstrip("\n")


def raised(outputs: Iterable[Output]) -> Output | None:
    """What was raised, if anything was."""
    return next((output for output in outputs if output["output_type"] == "error"), None)


def traceback_of(output: Output) -> str:
    """The traceback of what was raised."""
    return without_colours("\n".join(output.get("traceback", ())))


def failing_line(outputs: Iterable[Output], source: str) -> int:
    """The line at which the cell failed that put this out and has this source; 0 where that is not told."""
    error = raised(outputs)
    place = _PLACE.search(traceback_of(error)) if error is not None else None
    return int(place[1]) + dropped_lines(source) if place else 0


def dropped_lines(source: str) -> int:
    """How many empty lines begin the cell: IPython drops them, and counts from there."""
    return source[: len(source) - len(source.lstrip())].count("\n")
