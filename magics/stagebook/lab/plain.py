"""Values as JSON has them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """The value as JSON has it: null for a number that is not finite, Python's text for what JSON has no notion of."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return repr(value)


def numbers(metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """Metrics; null for what is no finite number."""
    return {
        name: value if isinstance(value, (int, float)) and math.isfinite(value) else None
        for name, value in metrics.items()
    }
