"""Following what goes on in another process: events are folded as they come, and shown a few times a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from typing import Generic, TypeVar

from stagebook.run.background import Told

State = TypeVar("State")

_PAUSE = 0.2
"""Seconds between two showings."""


class Following(Generic[State]):
    """Takes events, and has what they add up to shown.

    Args:
        first: how it stands before the first event.
        fold: what becomes of that with an event.
        changed: shows it; called in the thread that events come in, or in one of its own.
        whole: events that are shown at once.

    Attributes:
        now: how it stands.
    """

    def __init__(
        self,
        first: State,
        *,
        fold: Callable[[State, Told], State],
        changed: Callable[[State], None],
        whole: Collection[str] = (),
    ) -> None:
        self.now = first
        self._fold = fold
        self._changed = changed
        self._whole = frozenset(whole)
        self._shown_at = 0.0
        self._later: threading.Timer | None = None
        self._lock = threading.RLock()
        self._is_open = True

    def __call__(self, event: Told) -> None:
        """Take an event in."""
        with self._lock:
            before, self.now = self.now, self._fold(self.now, event)
            if self.now == before:
                return
            left = _PAUSE - (time.monotonic() - self._shown_at)
            if event["event"] in self._whole or left <= 0:
                self._show()
            elif self._later is None:
                self._later = threading.Timer(left, self._show)
                self._later.daemon = True
                self._later.start()

    def close(self) -> State:
        """Show nothing any more; how it stood at the end."""
        with self._lock:
            self._is_open = False
            if self._later is not None:
                self._later.cancel()
            return self.now

    def _show(self) -> None:
        with self._lock:
            if self._later is not None:
                self._later.cancel()
                self._later = None
            self._shown_at = time.monotonic()
            if self._is_open:
                self._changed(self.now)
