"""What the values that a stage names as its metrics are as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Series = dict[str, list[float]]


def numbers_of(values: Mapping[str, Any]) -> tuple[dict[str, float], Series]:
    """The numbers that values are, and the series of numbers.

    A dict's entries are called `name.key`. A list, an array or a column of numbers is a series, a step for each; as a
    number it is its last one. What is neither is left out.

    Args:
        values: by name.
    """
    numbers: dict[str, float] = {}
    series: Series = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            inner, longer = numbers_of({f"{name}.{key}": entry for key, entry in value.items()})
            numbers, series = {**numbers, **inner}, {**series, **longer}
            continue
        try:
            found = [float(one) for one in _elements(value)]
        except (TypeError, ValueError):
            continue
        if found:
            numbers[name] = found[-1]
        if found and _is_many(value):
            series[name] = found
    return numbers, series


def _elements(value: Any) -> Iterable[Any]:
    return value if _is_many(value) else (value,)


def _is_many(value: Any) -> bool:
    if isinstance(value, (str, bytes)):
        return False
    try:
        iter(value)
    except TypeError:  # also an array without a dimension
        return False
    return True
