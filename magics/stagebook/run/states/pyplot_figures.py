"""Figures that pyplot holds open, for later cells to draw on; inline backends close them at the end of each cell."""

from __future__ import annotations

import sys
from typing import Any


class PyplotFigures:
    """The open figures: they stay in the process."""

    name = "process:pyplot"
    module = "matplotlib.pyplot"

    def get(self) -> Any:
        """The numbers of the open figures, and of the current one."""
        pyplot = sys.modules["matplotlib.pyplot"]
        numbers = pyplot.get_fignums()
        return (numbers, pyplot.gcf().number if numbers else None)

    def put(self, value: Any) -> None:
        """They are where they are."""


state = PyplotFigures()
