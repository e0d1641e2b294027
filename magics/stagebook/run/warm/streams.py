"""Stand-ins for standard streams while modules are imported early, so that those which keep one keep the right one."""

from __future__ import annotations

import sys
from typing import Any


class Stream:
    """Writes to what `sys.stdout` or `sys.stderr` is at that time.

    In an ordinary kernel, a module that keeps `sys.stderr` when it is imported (for a log, as a default argument)
    keeps the stream that shows in the notebook. That one is made when the kernel starts, after the import.

    Args:
        name: `stdout` or `stderr`.
        own: the process's own stream, used as long as there is no other.
    """

    def __init__(self, name: str, own: Any) -> None:
        self._name = name
        self._own = own
        self._spoken = False

    def has_spoken(self) -> bool:
        """Whether something was written since this was asked before."""
        spoken, self._spoken = self._spoken, False
        return spoken

    def write(self, text: str) -> int:
        """Write text."""
        self._spoken = True
        written: int = self._now().write(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._now(), name)

    def _now(self) -> Any:
        stream = getattr(sys, self._name)
        return self._own if stream is self else stream
