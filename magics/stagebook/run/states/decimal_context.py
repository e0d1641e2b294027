"""Precision and rounding of `decimal`."""

from __future__ import annotations

import decimal
from typing import Any


class DecimalContext:
    """The context that arithmetic of decimals uses, without its flags: they record, and do not steer."""

    name = "setting:decimal"
    module = "decimal"

    def get(self) -> Any:
        """The context's settings."""
        context = decimal.getcontext()
        traps = sorted(signal.__name__ for signal, trapped in context.traps.items() if trapped)
        return (context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, traps)

    def put(self, value: Any) -> None:
        """Use a context of these settings."""
        precision, rounding, least, most, capitals, clamp, traps = value
        signals = [getattr(decimal, name) for name in traps]
        decimal.setcontext(decimal.Context(precision, rounding, least, most, capitals, clamp, [], signals))


state = DecimalContext()
