"""What the values that a stage names as its metrics are as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Series = dict[str, list[float]]


def numbers_of(values: Mapping[str, Any]) -> tuple[dict[str, float], Series]:
    """The numbers that values are, and the series of numbers.

    A dict's entries are called `name.key`. A list, an array or a column of numbers is a series, a step for each; as a
    number it is its last one. What is neither is left out: `no_numbers_of` names it.

    Args:
        values: by name.
    """
    numbers: dict[str, float] = {}
    series: Series = {}
    for name, value in _flat(values):
        found = _numbers(value)
        if found:
            numbers[name] = found[-1]
        if found and _is_many(value):
            series[name] = found
    return numbers, series


def no_numbers_of(values: Mapping[str, Any]) -> dict[str, str]:
    """What is left out of these values, by name, each with what it is: `a text`, `None`."""
    return {name: _kind(value) for name, value in _flat(values) if not _numbers(value)}


def _flat(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values, those of dicts under names of their own."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat({f"{name}.{key}": entry for key, entry in value.items()})
        else:
            yield name, value


def _numbers(value: Any) -> list[float]:
    try:
        return [float(one) for one in _elements(value)]
    except (TypeError, ValueError):
        return []


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, str):
        return "a text"
    name = type(value).__qualname__
    return f"an empty {name}" if _is_many(value) and not any(True for _ in value) else f"of type {name}"


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
