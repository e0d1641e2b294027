"""What pages of the site are made of the code: each finding with an example, each magic with its help.

A page asks for it with a comment, `<!-- generated: findings -->`; on GitHub that comment is what is not there.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from stagebook.book.findings import CODES
from stagebook.book.pipeline import examine
from stagebook.model import Finding

_ASKED = re.compile(r"<!-- generated: (\w+) -->")
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_AREAS = {"1": "Tags, options and syntax", "2": "Names and stages", "3": "Without effect, or unwise"}
"""What findings are about, by the first digit of their codes."""


def fill(app: Any, docname: str, source: list[str]) -> None:  # noqa: ARG001 - Sphinx's signature
    """Put in place of each comment what it asks for; a name that there is not is an error."""
    source[0] = _ASKED.sub(lambda asked: PARTS[asked[1]](), source[0])


def plain_docstring(app: Any, what: str, name: str, it: Any, options: Any, lines: list[str]) -> None:  # noqa: ARG001
    """Make of Markdown's backticks what Sphinx takes for code; a module goes without its docstring."""
    lines[:] = [] if what == "module" else [_CODE.sub(r"``\1``", line) for line in lines]


def findings_text() -> str:
    """A section for each code: what it is, cells that have it, and what `check` says of these."""
    from tests.cases.findings import ONE_FINDING

    examples: dict[str, Any] = {}
    for cells, (code, *_) in ONE_FINDING.values():
        examples.setdefault(code, cells)
    lines = []
    area = ""
    for code, (severity, title) in CODES.items():
        if code[2] != area:
            area = code[2]
            lines += [f"## {_AREAS[area]}", ""]
        lines += [f"### {code}", "", f"*{severity}*: {title}.", "", *_example(examples[code], code), ""]
    return "\n".join(lines)


def _example(cells: list[tuple[str, str]], code: str) -> list[str]:
    from tests.notebooks_factory import notebook

    found = [one for one in examine(notebook(cells), Path("notebook.ipynb"))[1] if one.code == code]
    blocks = [(f"# cell tag: {tags}\n" if tags else "") + source.strip() for tags, source in cells]
    return ["```text", "\n\n".join(blocks), "```", "", *(_said(one) for one in found)]


def _said(one: Finding) -> str:
    return f"> {one.place}: {one.message}\n>\n> {one.remedy}\n"


def magics_text() -> str:
    """Each magic with the help that `?` shows."""
    from stagebook import magics

    parts = []
    for name, magic in {"%%stage": magics.stage, "%pipeline": magics.pipeline, "%drift": magics.drift}.items():
        parts += [f"## `{name}`", "", "```text", inspect.getdoc(magic) or "", "```", ""]
    return "\n".join(parts)


def commands_text() -> str:
    """Each command with its help, commands of a group below it."""
    from stagebook.cli import main

    context = main.make_context("stagebook", [], resilient_parsing=True, terminal_width=100)
    return "\n".join(_command(main, context, 2))


def _command(command: click.Command, context: click.Context, depth: int) -> Iterator[str]:
    yield f"{'#' * depth} `{context.command_path}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from _command(
                    below, click.Context(below, info_name=name, parent=context, terminal_width=100), depth + 1
                )


def exporters_text() -> str:
    """A row for each exporter that comes along, with what it can be told."""
    from stagebook.export.exporter import exporters

    lines = ["| exporter | makes | options |", "| --- | --- | --- |"]
    for name, exporter in exporters().items():
        options = ", ".join(f"`--{option.name.replace('_', '-')}`" for option in exporter.options)
        lines.append(f"| `{name}` | {exporter.says} | {options} |")
    return "\n".join(lines)


PARTS: Mapping[str, Callable[[], str]] = {
    "findings": findings_text,
    "magics": magics_text,
    "commands": commands_text,
    "exporters": exporters_text,
}
