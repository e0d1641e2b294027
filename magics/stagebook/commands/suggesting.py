"""`suggest`: which cells could be which stages, and the tags that say so."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stagebook.commands.onward import onward
from stagebook.commands.options import examples, notebook_argument
from stagebook.errors import UsageError

if TYPE_CHECKING:
    from stagebook.book.suggested import Suggestion

_SPAN = re.compile(r"\s*(?P<first>\d+)\s*(?:-\s*(?P<last>\d+)\s*)?")


@click.command(
    short_help="Say which cells could be which stages.",
    epilog=examples(
        "stagebook suggest flights.ipynb",
        "stagebook suggest flights.ipynb --write                 tag the cells so",
        "stagebook suggest flights.ipynb --write --cells 3,4-7   tag some of them",
        "stagebook suggest flights.ipynb --format diff           the tags alone",
        status="Exit status: 0 shown or written, 2 the notebook could not be read or written.",
    ),
)
@notebook_argument
@click.option("--write", is_flag=True, help="Add the tags to the notebook's file; nothing else in it changes.")
@click.option("--cells", metavar="N,N-N", help="Take the suggestion for these cells only, counted as messages do.")
@click.option("--format", "form", type=click.Choice(["text", "json", "diff"]), default="text", show_default=True)
def suggest(notebook: Path, *, write: bool, cells: str | None, form: str) -> None:
    """Say which cells of a notebook could be setup, parameters and stages, and why; tag them with --write.

    Cells that have a role keep it. The notebook is not run: what its code makes and reads, its headings, and the
    durations in its metadata decide.
    """
    from stagebook.book.notebook import document_of, text_of
    from stagebook.book.suggest import examined
    from stagebook.book.suggest import suggest as suggested
    from stagebook.book.tagging import new_metrics, new_tags, tagged_text
    from stagebook.suggesttext import suggestion_json, suggestion_text, tags_text

    text = text_of(notebook)
    document = document_of(text, notebook)
    found = suggested(document, notebook)
    only = _numbers(cells, found, notebook) if cells is not None else None
    tags = new_tags(found, only=only)
    if only is not None:
        pipeline, remaining = examined(document, notebook, found, only=only)
        found = replace(found, pipeline=pipeline, remaining=remaining)
    if form == "json":
        import json

        click.echo(json.dumps(suggestion_json(found, only=only), indent=2))
    elif form == "diff" or write:
        click.echo(tags_text(document, found, tags, notebook.name))
    else:
        click.echo(suggestion_text(found, notebook.name, only=only))
        click.echo(_how_to_accept(notebook, cells) if tags else "", nl=bool(tags))
    if write and tags:
        from stagebook.run.files import rewrite
        from stagebook.text import counted

        rewrite(notebook, tagged_text(text, tags, notebook, metrics=new_metrics(found, only=only)), known=text)
        click.echo(f"{notebook.name}: {counted(len(tags), 'tag')} written.", err=form != "text")
        onward("its stages, and what flows between them", "show", notebook)


def _numbers(cells: str, found: Suggestion, notebook: Path) -> frozenset[int]:
    """The cells that `3,4-7` names.

    Raises:
        UsageError: it is no list of cells, names one that there is not, or none that would be given a tag.
    """
    last = len(found.cells)
    numbers: set[int] = set()
    for part in cells.split(","):
        span = _SPAN.fullmatch(part)
        if span is None:
            raise UsageError(f"--cells takes numbers of cells, as in 3,4-7; `{part.strip()}` is none.")
        first, end = int(span["first"]), int(span["last"] or span["first"])
        if not 1 <= first <= end <= last:
            raise UsageError(f"{notebook.name} has code cells 1 to {last}; --cells names {part.strip()}.")
        numbers.update(range(first, end + 1))
    if not any(cell.number in numbers for cell in found.new):
        raise UsageError(f"{notebook.name}: no tag is suggested for --cells {cells}. Leave --cells out to see all.")
    return frozenset(numbers)


def _how_to_accept(notebook: Path, cells: str | None) -> str:
    asked = click.get_current_context().command_path
    in_notebook = asked.startswith("%")  # which need not be named there
    command = f"{asked} --write" if in_notebook else f"stagebook suggest {shlex.quote(str(notebook))} --write"
    if cells is not None:
        return f"\nTo accept:       {command} --cells {cells}"
    return f"\nTo accept all:   {command}\nTo accept some:  {command} --cells 3,4-7"
