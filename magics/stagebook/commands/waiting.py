"""A sign of life while a command waits for what says nothing itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def waiting(what: str) -> Iterator[None]:
    """Show that something goes on, to whoever reads along in a terminal; when it is over, nothing is left of it.

    Args:
        what: it is, in a few words.
    """
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(f"{what} ..."):
        yield
