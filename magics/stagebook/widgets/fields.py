"""A field for each parameter, of the kind that fits its values; what it gives a run."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import ipywidgets  # noqa: TID253 - fields are made of its widgets; this is imported only where a form is wanted

from stagebook.book.bounds import Bounds
from stagebook.book.parameters import checked
from stagebook.errors import UsageError
from stagebook.model import Parameter

_FAR = 2**53
"""Beyond that, a browser does not count in ones."""

_MOST_STEPS = 1000
"""Steps up to which whole numbers have a slider."""

QUIET = "var(--jp-ui-font-color2, #596273)"
_ALARM = "var(--jp-error-color1, #c03434)"


def message(indent: str) -> Any:
    """A line for what is wrong; it is hidden until there is something."""
    layout = {"display": "none", "margin": f"0 0 0 calc({indent} + 8px)"}
    return ipywidgets.Label(layout=layout, style={"text_color": _ALARM})


def tell(line: Any, text: str) -> None:
    """Have the line say this; nothing hides it."""
    line.value = text
    line.layout.display = "" if text else "none"


class Field(ipywidgets.VBox):  # type: ignore[misc] # ipywidgets has no types
    """A parameter's field, beside it what the notebook says of it, below it what is wrong with what is in it.

    Args:
        parameter: as the notebook has it.
        bounds: what it may be, where that is known.
        notebook: the notebook's name, for messages.
        width: of the names of all fields.
    """

    def __init__(self, parameter: Parameter, bounds: Bounds | None, *, notebook: str, width: str) -> None:
        self.parameter = parameter
        self._bounds = bounds
        self._notebook = notebook
        self._secret = ""
        self._kind, self._entry = _entry(parameter, bounds)
        self._entry.description = parameter.name
        self._entry.style.description_width = width
        self._entry.layout.width = "460px"
        self._entry.tooltip = parameter.help or parameter.name
        self._none = _none_box(parameter) if self._kind != "text" else None
        self._wrong = message(width)
        about = ipywidgets.Label(_about(parameter, bounds), style={"text_color": QUIET}, layout={"margin": "2px 8px"})
        beside = [self._entry, *([self._none] if self._none is not None else []), about]
        row = ipywidgets.HBox(beside, layout={"flex_flow": "row wrap", "align_items": "center"})
        super().__init__([row, self._wrong])
        self._entry.observe(self._changed, "value")
        if self._none is not None:
            self._none.observe(self._changed, "value")

    @property
    def entry(self) -> Any:
        """The widget that somebody writes into."""
        return self._entry

    def given(self) -> str | None:
        """What the field says, as `-p NAME` takes it; None where that is the notebook's default, or secret.

        Raises:
            UsageError: that is no value for this parameter.
        """
        text = self._text()
        if text is None or self.parameter.secret:
            return None
        value = checked([self.parameter], {self.parameter.name: text}, notebook=self._notebook)[self.parameter.name]
        default = self.parameter.value
        if self.parameter.literal and type(value) is type(default) and value == default:
            return None
        wrong = self._bounds.wrong(value) if self._bounds is not None and value is not None else ""
        if wrong:
            raise UsageError(wrong)
        return text

    def secret(self) -> str | None:
        """A secret parameter's value: what was typed, or what the environment has; None for the notebook's default."""
        if not self.parameter.secret:
            return None
        return self._secret or os.environ.get(self.parameter.name.upper()) or None

    def check(self) -> bool:
        """Say below the field what is wrong with it; whether nothing is."""
        try:
            self.given()
        except UsageError as error:
            tell(self._wrong, str(error))
            return False
        tell(self._wrong, "")
        return True

    def _text(self) -> str | None:
        """The field's content as text; None where it is left to the notebook."""
        value = self._entry.value
        if self._none is not None and self._none.value:
            return "None"
        if self._kind == "text":
            return value or None
        if isinstance(value, float) and isinstance(self._entry, ipywidgets.FloatSlider):
            value = round(value, _digits(self._entry.step))
        if isinstance(value, str) and (self._kind == "as typed" or self.parameter.kind == "str"):
            return str(value)
        return repr(value)

    def _changed(self, change: Mapping[str, Any]) -> None:
        if self.parameter.secret and change["new"]:
            self._secret = str(change["new"])
            self._entry.value = ""  # it is kept here alone, and not with what the notebook saves of its widgets
            self._entry.placeholder = "given; type to replace it"
        if self._none is not None:
            self._entry.disabled = self._none.value
        self.check()


def _entry(parameter: Parameter, bounds: Bounds | None) -> tuple[str, Any]:
    """The widget, and how its value is read: as a `value`, `as typed`, or as `text` that may be left empty."""
    if parameter.secret:
        known = os.environ.get(parameter.name.upper())
        told = f"from the environment variable {parameter.name.upper()}" if known else "as in the notebook"
        return "text", ipywidgets.Password(placeholder=told, continuous_update=False)
    if not parameter.literal or parameter.value is None:
        told = "None" if parameter.literal else "as in the notebook"
        return "text", ipywidgets.Text(placeholder=told, continuous_update=False)
    if bounds is not None and bounds.choices:
        options = [(str(choice), choice) for choice in bounds.choices]
        return "value", ipywidgets.Dropdown(options=options, value=parameter.value)
    make = _MAKERS.get(parameter.kind or "")
    if make is not None:
        return "value", make(parameter.value, bounds or Bounds())
    return "as typed", ipywidgets.Text(value=repr(parameter.value), continuous_update=False)


def _flag(value: bool, _: Bounds) -> Any:  # noqa: FBT001 - a parameter's value
    return ipywidgets.Checkbox(value=value, indent=True)


def _whole(value: int, bounds: Bounds) -> Any:
    low = -_FAR if bounds.low is None else math.floor(bounds.low) + 1 if bounds.low_open else math.ceil(bounds.low)
    high = _FAR if bounds.high is None else math.ceil(bounds.high) - 1 if bounds.high_open else math.floor(bounds.high)
    if high - low <= _MOST_STEPS:
        return ipywidgets.IntSlider(value=value, min=low, max=high, continuous_update=False)
    return ipywidgets.BoundedIntText(value=value, min=low, max=high)


def _number(value: float, bounds: Bounds) -> Any:
    value = float(value)
    if bounds.low is not None and bounds.high is not None and bounds.low < bounds.high:
        step = _step(value, float(bounds.low), float(bounds.high))
        return ipywidgets.FloatSlider(
            value=value,
            min=bounds.low,
            max=bounds.high,
            step=step,
            readout_format=f".{_digits(step)}f",
            continuous_update=False,
        )
    if bounds.low is None and bounds.high is None:
        return ipywidgets.FloatText(value=value)
    low = -math.inf if bounds.low is None else bounds.low
    high = math.inf if bounds.high is None else bounds.high
    return ipywidgets.BoundedFloatText(value=value, min=max(low, -1e300), max=min(high, 1e300))


def _step(value: float, low: float, high: float) -> float:
    """A power of ten that makes some hundred steps, small enough for the value and the ends to lie on one."""
    ends = (Decimal(repr(number)).normalize().as_tuple().exponent for number in (value, low, high))
    places = max(-int(end) for end in ends)
    return float(10.0 ** min(math.floor(math.log10(high - low)) - 2, -places))


def _digits(step: float) -> int:
    return max(0, -round(math.log10(step)))


def _line(value: str, _: Bounds) -> Any:
    return ipywidgets.Text(value=value, continuous_update=False)


_MAKERS: Mapping[str, Callable[[Any, Bounds], Any]] = {"bool": _flag, "int": _whole, "float": _number, "str": _line}


def _none_box(parameter: Parameter) -> Any:
    """A box for None; not for text, of which `-p` could not tell it apart from the word."""
    if not parameter.optional or parameter.kind in ("str", None):
        return None
    return ipywidgets.Checkbox(description="None", indent=False, layout={"width": "70px"})


def _about(parameter: Parameter, bounds: Bounds | None) -> str:
    """What stands beside the field: the comment, and the bounds where they stand elsewhere."""
    if parameter.help or bounds is None or bounds.choices:
        return parameter.help
    return str(bounds)
