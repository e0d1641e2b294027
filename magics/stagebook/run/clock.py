"""Where the time goes: phases of a stage, measured where they happen."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class Clock:
    """Phases, one after the other, each with its begin (POSIX seconds) and its length (seconds)."""

    def __init__(self) -> None:
        self.phases: list[tuple[Any, float, float]] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Whatever is done under this counts for the phase `name`."""
        began, clock = time.time(), time.perf_counter()
        try:
            yield
        finally:
            self.phases.append((name, began, time.perf_counter() - clock))

    def extend(self, phases: Iterable[Iterable[Any]]) -> None:
        """Add phases that were measured elsewhere, as in a kernel."""
        self.phases += [(name, began, seconds) for name, began, seconds in phases]

    def take(self) -> list[tuple[Any, float, float]]:
        """The phases so far, which are then forgotten."""
        taken, self.phases = self.phases, []
        return taken
