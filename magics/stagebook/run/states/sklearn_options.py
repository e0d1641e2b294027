"""scikit-learn's configuration."""

from __future__ import annotations

import sys
from typing import Any


class SklearnOptions:
    """What `sklearn.set_config` sets."""

    name = "setting:sklearn"
    module = "sklearn"

    def get(self) -> Any:
        """Every setting."""
        return sys.modules["sklearn"].get_config()

    def put(self, value: Any) -> None:
        """Set all."""
        sys.modules["sklearn"].set_config(**value)


state = SklearnOptions()
