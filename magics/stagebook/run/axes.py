"""Reading what `-p NAME VALUES` means to a sweep: `4,6,8`, `0.05:0.2:0.05`, `0.001:0.1:log`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from stagebook.book.parameters import checked
from stagebook.errors import UsageError
from stagebook.model import Parameter
from stagebook.run.sweep import MOST, Axis, Range

_NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER}):({_NUMBER})(?::({_NUMBER}))?(:log)?")
_OPENING, _CLOSING = "([{", ")]}"


def read_axes(
    parameters: Sequence[Parameter], given: Iterable[tuple[str, str]], *, notebook: str, search: bool
) -> tuple[Axis | Range, ...]:
    """The parameters of a sweep, each with its values, or, for a search, with the range to choose from.

    Args:
        parameters: those of the notebook.
        given: name and text, as on the command line.
        notebook: its name, for messages.
        search: whether something is to choose from ranges.

    Raises:
        UsageError: a name that is no parameter, or is given twice; values that are none, or none of its kind.
    """
    axes: dict[str, Axis | Range] = {}
    kinds = {parameter.name: parameter.kind for parameter in parameters}
    for name, text in given:
        if name in axes:
            raise UsageError(f"Parameter `{name}` is given twice. Name all its values at once: -p {name} 1,2.")
        checked(parameters, {name: None} if name not in kinds else {}, notebook=notebook)
        reading = _Reading(name, kinds[name], parameters, notebook)
        axes[name] = reading.range(text) if search and reading.is_range(text) else reading.values(text)
    return tuple(axes.values())


class _Reading:
    """Reads the text given for one parameter."""

    def __init__(self, name: str, kind: str | None, parameters: Sequence[Parameter], notebook: str) -> None:
        self.name = name
        self.kind = kind
        self._parameters = parameters
        self._notebook = notebook

    def is_range(self, text: str) -> bool:
        """Whether the text is a range of numbers; where text is wanted, nothing is."""
        return self.kind in ("int", "float", None) and _RANGE.fullmatch(text.strip()) is not None

    def values(self, text: str) -> Axis:
        """Values separated by commas, and ranges with their steps, each value once."""
        found: list[Any] = []
        for item in _items(text, brackets=self.kind != "str"):
            if not item:
                raise self._wrong(f"there is a value missing in `{text}`")
            found += self._steps(item) if self.is_range(item) else [self._value(item)]
            if len(found) > MOST:
                raise self._wrong(f"`{text}` makes more than {MOST:,} values")
        return Axis(self.name, tuple(value for at, value in enumerate(found) if not _among(value, found[:at])))

    def range(self, text: str) -> Range:
        """A range for a search to choose from."""
        start, stop, step, log = _parts(text)
        low, high = self._value(start), self._value(stop)
        whole = isinstance(low, int) and isinstance(high, int)
        if not low < high:
            raise self._wrong(f"the range `{text}` must go up")
        if log and step is not None:
            raise self._wrong(f"the range `{text}` cannot have both a step and `:log`")
        if log and low <= 0:
            raise self._wrong(f"the range `{text}` must begin above 0, since it is `:log`")
        width = None if step is None else self._value(step)
        if width is not None and width <= 0:
            raise self._wrong(f"the range `{text}` needs a step above 0")
        return Range(self.name, low, high, width, log, whole)

    def _steps(self, text: str) -> list[Any]:
        start, stop, step, log = _parts(text)
        if log:
            raise self._wrong(f"`{text}` is for --search optuna; a grid needs the values, such as 0.001,0.01,0.1")
        if step is None and not all(part.lstrip("+-").isdigit() for part in (start, stop)):
            raise self._wrong(f"the range `{text}` needs a step, as in {text}:0.1")
        first, last, width = Decimal(start), Decimal(stop), Decimal(step or 1)
        if not width:
            raise self._wrong(f"the range `{text}` has a step of 0")
        count = int((last - first) / width + Decimal("1e-9")) + 1
        if (last - first) / width < 0:
            raise self._wrong(f"the range `{text}` never gets from {start} to {stop}: its step leads the other way")
        if count > MOST:
            raise self._wrong(f"`{text}` makes {count:,} values, and {MOST:,} points are the most")
        whole = all(part.lstrip("+-").isdigit() for part in (start, step or "1"))
        numbers = (first + at * width for at in range(count))
        return [self._value(str(int(one)) if whole else str(one)) for one in numbers]

    def _value(self, text: str) -> Any:
        quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
        plain = text[1:-1] if quoted and self.kind == "str" else text
        return checked(self._parameters, {self.name: plain}, notebook=self._notebook)[self.name]

    def _wrong(self, what: str) -> UsageError:
        return UsageError(f"Parameter `{self.name}`: {what}.")


def _parts(text: str) -> tuple[str, str, str | None, bool]:
    match = _RANGE.fullmatch(text.strip())
    assert match is not None, "only ranges are asked for their parts"
    return match[1], match[2], match[3], match[4] is not None


def _items(text: str, *, brackets: bool) -> list[str]:
    """The text between commas that stand in no quotes and, if `brackets` count, in no brackets."""
    items, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"" and not items[-1].strip():
            quote = character
        elif brackets and character in _OPENING + _CLOSING:
            depth += 1 if character in _OPENING else -1
        if character == "," and not quote and depth <= 0:
            items.append("")
        else:
            items[-1] += character
    return [item.strip() for item in items]


def _among(value: Any, values: Sequence[Any]) -> bool:
    """Whether the value is there already, of the same type: 1 and True are two."""
    return any(type(one) is type(value) and one == value for one in values)
