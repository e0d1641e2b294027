"""Options of pandas."""

from __future__ import annotations

import sys
from typing import Any


class PandasOptions:
    """What `pd.set_option` sets."""

    name = "setting:pandas"
    module = "pandas"

    def get(self) -> Any:
        """Every option's value, by its full name."""
        return dict(_flat("", sys.modules["pandas"].options.d))

    def put(self, value: Any) -> None:
        """Set those that differ."""
        pandas = sys.modules["pandas"]
        now = self.get()
        for name, option in value.items():
            if name in now and now[name] != option:
                pandas.set_option(name, option)


def _flat(path: str, options: dict[str, Any]) -> Any:
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _flat(f"{path}{name}.", value)
        else:
            yield f"{path}{name}", value


state = PandasOptions()
