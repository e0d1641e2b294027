"""Which warnings are shown."""

from __future__ import annotations

import warnings
from typing import Any


class WarningFilters:
    """The filters; libraries add to them on import, so that they count where the stage's own code sets some."""

    name = "setting:warnings"
    module = None

    def get(self) -> Any:
        """The filters, first to last."""
        return list(warnings.filters)

    def put(self, value: Any) -> None:
        """Set the filters."""
        with warnings.catch_warnings():
            warnings.resetwarnings()  # tells the registries that filters have changed
        warnings.filters[:] = value  # type: ignore[index]


state = WarningFilters()
