"""What a command ends with in a terminal: the command that comes next."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import click


def onward(what: str, verb: str, *words: str | Path) -> None:
    """Name the next command, to whoever reads along; files and pipes hold what was asked for alone.

    Args:
        what: what it does, in a few words.
        verb: of `stagebook`.
        words: the command's arguments.
    """
    if sys.stdout.isatty():
        command = shlex.join(["stagebook", verb, *map(str, words)])
        click.echo(f"\nNext: {click.style(command, bold=True)}   {what}")
