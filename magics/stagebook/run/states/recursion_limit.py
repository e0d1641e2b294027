"""How deep calls may go."""

from __future__ import annotations

import sys
from typing import Any


class RecursionLimit:
    """What `sys.setrecursionlimit` sets."""

    name = "setting:recursion"
    module = None

    def get(self) -> Any:
        """The limit."""
        return sys.getrecursionlimit()

    def put(self, value: Any) -> None:
        """Set the limit."""
        sys.setrecursionlimit(value)


state = RecursionLimit()
