"""Generated Python laid out as ruff would: one line where it fits, else one part a line."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

WIDTH = 88


def call(function: str, arguments: Sequence[str], *, start: str = "", indent: int = 4) -> list[str]:
    """The lines of `start` and a call."""
    margin = " " * indent
    line = f"{margin}{start}{function}({', '.join(arguments)})"
    if len(line) <= WIDTH or not arguments:
        return [line]
    return [f"{margin}{start}{function}(", *(f"{margin}    {one}," for one in arguments), f"{margin})"]


def targets(names: Sequence[str], *, indent: int = 4) -> tuple[list[str], str]:
    """What stands left of a call's `=`: lines of its own, and the start of the call's line."""
    if not names:
        return [], ""
    line = f"{', '.join(names)} = "
    if indent + len(line) <= WIDTH - 20:
        return [], line
    margin = " " * indent
    return [f"{margin}(", *(f"{margin}    {name}," for name in names)], ") = "


def returned(names: Sequence[str], *, indent: int = 4) -> list[str]:
    """The lines of a `return`."""
    margin = " " * indent
    line = f"{margin}return {', '.join(names)}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{margin}return (", *(f"{margin}    {name}," for name in names), f"{margin})"]


def signature(name: str, parameters: Sequence[str], *, result: str = "", is_async: bool = False) -> list[str]:
    """The lines of a function's head."""
    start = f"{'async ' if is_async else ''}def {name}("
    end = f"){f' -> {result}' if result else ''}:"
    line = f"{start}{', '.join(parameters)}{end}"
    if len(line) <= WIDTH or not parameters:
        return [line]
    return [start, *(f"    {one}," for one in parameters), end]


def docstring(paragraphs: Sequence[str], *, indent: int = 4) -> list[str]:
    """The lines of a docstring; a paragraph that starts with a space, or holds lines, stays as it is."""
    margin = " " * indent
    texts = [one.replace("\\", "\\\\").replace('"""', "'''") for one in paragraphs if one]
    lines: list[str] = []
    for position, text in enumerate(texts):
        made = text.split("\n") if "\n" in text else wrapped(text, indent=indent)
        lines += [*([""] if position else []), *(f"{margin}{line}".rstrip() for line in made)]
    head = f'{margin}"""{lines[0].strip()}'
    if len(lines) == 1 and len(head) + 3 <= WIDTH + 32:
        return [f'{head}"""']
    return [head, *lines[1:], f'{margin}"""']


def wrapped(text: str, *, indent: int = 4, hanging: str = "") -> list[str]:
    """A paragraph's lines."""
    return textwrap.wrap(
        text, WIDTH - indent, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False
    )


def sentence(text: str) -> str:
    """With a full stop, unless it ends in a mark already."""
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def quoted(text: str) -> str:
    """A text as ruff quotes it."""
    escaped = text.replace("\\", "\\\\")
    return f"'{escaped}'" if '"' in text and "'" not in text else '"' + escaped.replace('"', '\\"') + '"'
