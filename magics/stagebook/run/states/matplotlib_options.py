"""Matplotlib's defaults: `plt.rcParams`, style sheets, seaborn's themes."""

from __future__ import annotations

import sys
from typing import Any

_OF_THE_PROCESS = frozenset({"backend", "backend_fallback", "webagg.port", "toolbar"})


class MatplotlibOptions:
    """`rcParams`, without what belongs to where figures are shown."""

    name = "setting:matplotlib"
    module = "matplotlib"

    def get(self) -> Any:
        """Every parameter's value."""
        parameters = sys.modules["matplotlib"].rcParams
        return {name: dict.__getitem__(parameters, name) for name in sorted(parameters) if name not in _OF_THE_PROCESS}

    def put(self, value: Any) -> None:
        """Set those that differ."""
        matplotlib = sys.modules["matplotlib"]
        now = self.get()
        matplotlib.rcParams.update({name: one for name, one in value.items() if name in now and now[name] != one})


state = MatplotlibOptions()
