"""How numbers and dates are written, as `locale.setlocale` sets it."""

from __future__ import annotations

import locale
from typing import Any


class LocaleSettings:
    """The locale of all categories."""

    name = "setting:locale"
    module = "locale"

    def get(self) -> Any:
        """What `locale.setlocale` takes."""
        return locale.setlocale(locale.LC_ALL)

    def put(self, value: Any) -> None:
        """Use this locale."""
        locale.setlocale(locale.LC_ALL, value)


state = LocaleSettings()
