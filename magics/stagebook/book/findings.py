"""The stable codes of what `stagebook check` can say, and how each is made."""

from __future__ import annotations

from collections.abc import Iterable

from stagebook.model import Finding, Fix, Place, Severity

CODES: dict[str, tuple[Severity, str]] = {
    "SB101": ("error", "syntax error"),
    "SB102": ("error", "tag and magic, or two tags, contradict each other"),
    "SB103": ("error", "unknown option"),
    "SB104": ("error", "option with a value that it cannot have"),
    "SB105": ("error", "stage without cells"),
    "SB106": ("error", "stage name that cannot be one"),
    "SB107": ("error", "parameters cell after the first stage, or more than one"),
    "SB108": ("warning", "tag or option that has no effect here"),
    "SB201": ("error", "name read but never defined"),
    "SB202": ("error", "name defined only in an exploration cell"),
    "SB203": ("error", "name used before the stage that makes it"),
    "SB204": ("error", "stages depend on each other"),
    "SB205": ("error", "`needs` names no stage"),
    "SB206": ("error", "cells of two stages interleave so that no order of the stages is right"),
    "SB207": ("error", "setup cell uses what a stage makes, or makes again what a stage made"),
    "SB208": ("error", "name used after it was deleted"),
    "SB209": ("error", "`metrics` names something the stage does not make"),
    "SB210": ("error", "stage mapped with `foreach` that changes what its elements share"),
    "SB211": ("error", "`model` names something the stage does not make"),
    "SB212": ("error", "`gate` names a metric, or a champion, that there is not"),
    "SB213": ("error", "two stages register models of one name"),
    "SB214": ("error", "stage mapped with `foreach` over a secret parameter"),
    "SB215": ("error", "`features` names what is no stage that the model comes from"),
    "SB301": ("warning", "parameter that nobody reads"),
    "SB302": ("warning", "output that nobody reads and no option names"),
    "SB303": ("warning", "secret parameter whose default stands in the notebook"),
    "SB304": ("warning", "name that a test reads and that is not there for it"),
}


def finding(
    code: str,
    message: str,
    remedy: str,
    place: Place | None = None,
    *,
    stage: str | None = None,
    fixes: Iterable[Fix] = (),
) -> Finding:
    """A finding whose severity is that of its code."""
    return Finding(code, CODES[code][0], message, remedy, place, stage, tuple(fixes))
