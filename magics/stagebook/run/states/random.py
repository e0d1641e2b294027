"""The global generator of `random`."""

from __future__ import annotations

import random
from typing import Any


class PythonRandom:
    """The state of the generator that all functions of the module share."""

    name = "state:random"
    module = "random"

    def get(self) -> Any:
        """The generator's state."""
        return random.getstate()

    def put(self, value: Any) -> None:
        """Go on from this state."""
        random.setstate(value)


state = PythonRandom()
