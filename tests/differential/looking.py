"""What the last cell of a sample uses to tell of variables: digests of what they mean, the same in every process."""

from __future__ import annotations

import sys
from typing import Any

from stagebook.verify.looking import CannotStoreError, drawn, figure_of, meaning_of


def told(value: Any) -> str:
    """The value's type and digest; the type alone where it has none."""
    figure = figure_of(value)
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    try:
        digest = meaning_of(value) if figure is None else drawn(figure)
        flags = getattr(value, "flags", None) if kind == "numpy.ndarray" else None
        return f"{kind} {digest[:16]}{'' if flags is None or flags.writeable else ' read-only'}"
    except CannotStoreError as error:
        return f"{kind} without a digest: {type(error).__name__}"


def are_there(names: list[str]) -> list[str]:
    """Those of the names that are bound after all."""
    return [name for name in names if name in vars(sys.modules["__main__"])]
