"""What a cell prints while it runs, as lines, now and then: so that one who waits can read along."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

PERIOD = 0.5
"""Seconds between two pieces of one cell's text."""
MOST = 4_000
"""Letters of a piece: the last ones that came."""
IN_ALL = 64_000
"""Letters of all pieces of a cell; after these, one waits for its outputs."""

_LEFT_OUT = "…\n"


class Heard:
    """Gathers what a cell prints, and tells whole lines of it; all in one event loop.

    A line ends with a line feed, or with a carriage return as progress bars have it. One that is not over is not told:
    a secret may stand across what the kernel sends at once, and masks are put where all of it can be seen.

    Args:
        tell: gets a piece of text.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._text = ""
        self._told = 0
        self._timer: asyncio.TimerHandle | None = None

    def __call__(self, text: str) -> None:
        """Take what the cell has printed next."""
        if self._told >= IN_ALL:
            return
        self._text += text
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD, self._due)

    def close(self) -> None:
        """The cell is done: its outputs tell the rest."""
        self._told = IN_ALL
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        self._timer = None
        end = max(self._text.rfind("\n"), self._text.rfind("\r")) + 1
        piece, self._text = self._text[:end], self._text[end:]
        if len(piece) > MOST:
            piece = _LEFT_OUT + piece[-MOST:]
        self._told += len(piece)
        if self._told >= IN_ALL:
            piece += _LEFT_OUT
        if piece:
            self._tell(piece)
