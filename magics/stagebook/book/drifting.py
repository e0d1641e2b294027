"""The option `drift=`: what it says, the names that it reads and binds, and the code that is run for it."""

from __future__ import annotations

import json
import keyword
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from stagebook.model import DriftOption, Names, Place, StageOptions, frozen_map

RULE = 1
"""Goes up when the same two tables may come to another result, so that results of before are not used again."""

MIME = "application/vnd.stagebook.drift+json"
"""What a comparison is in a cell's output, beside the card."""

_WRONG = 'takes two tables, as in `january:july`, and words after them: target=late, share=0.3, "as weather"'
_MODEL = "models:/"
_RUN = "stagebook.drift.watching"
"""The module whose `watch` compares the tables, in the stage's kernel."""


def drift_option(value: Any) -> DriftOption:
    """The option from its text.

    Raises:
        ValueError: it is none; the message goes on from `Option `drift` ...`.
    """
    words = value.split() if isinstance(value, str) else []
    if not words:
        raise ValueError(_WRONG)
    reference, colon, current = words[0].rpartition(":")
    if not colon or not reference or not current or reference == _MODEL.rstrip(":/"):
        raise ValueError(_WRONG)
    rest, name = words[1:], "drift"
    if len(rest) > 1 and rest[-2] == "as":
        rest, name = rest[:-2], rest[-1]
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"{_WRONG} ({name} is no name)")
    return DriftOption(reference, current, name, **dict(map(_word, rest)))


def _word(word: str) -> tuple[str, Any]:
    key, _, value = word.partition("=")
    if not value:
        raise ValueError(f"{_WRONG} ({word} is none of them)")
    if key in ("target", "prediction"):
        return key, value
    if key == "columns":
        return key, tuple(filter(None, value.split(",")))
    if key not in ("threshold", "share"):
        raise ValueError(f"{_WRONG} (there is no {key})")
    try:
        number = float(value)
    except ValueError:
        number = 0.0
    if not number > 0 or (key == "share" and number > 1):
        raise ValueError(f"{_WRONG} ({key} is a number above 0)")
    return key, number


def with_drift_metric(options: StageOptions) -> StageOptions:
    """The options, with what comparing tables gives among the metrics; what a model was trained on may change any time.

    Args:
        options: the stage's.
    """
    option = options.drift
    if option is None:
        return options
    metrics = options.metrics if option.name in options.metrics else (*options.metrics, option.name)
    return replace(options, metrics=metrics, cache=options.cache and not any(map(is_model, option.sides)))


def with_drift(names: Names, options: StageOptions, *, last: bool, place: Place) -> Names:
    """The names of a stage's cells, with those that are read and bound when they are done.

    Args:
        names: what the cells do by themselves.
        options: the stage's.
        last: whether these are the stage's last cells.
        place: of the last of them.
    """
    option = options.drift
    if option is None or not last:
        return names
    own = names.binds.keys() - names.maybe_binds
    read = dict.fromkeys(sorted(drift_names(options) - own), place)
    return replace(
        names,
        reads=frozen_map({**read, **names.reads}),
        maybe_reads=names.maybe_reads - read.keys(),
        binds=frozen_map({option.name: place, **names.binds}),
        maybe_binds=names.maybe_binds - {option.name},
    )


def drift_names(options: StageOptions) -> frozenset[str]:
    """The names that the option reads when the stage's cells are done."""
    return frozenset(side for side in options.drift.sides if side.isidentifier()) if options.drift else frozenset()


def is_model(side: str) -> bool:
    """Whether it names a model version, and by that the data that it was trained on."""
    return side.startswith(_MODEL)


def drift_code(option: DriftOption) -> str:
    """What a kernel runs when the stage's cells are done."""
    return f"__import__('importlib').import_module({_RUN!r}).watch({json.dumps(asdict(option))!r})"


def option_from(text: str) -> DriftOption:
    """The option, as `drift_code` writes it."""
    told: Mapping[str, Any] = json.loads(text)
    return DriftOption(**{**told, "columns": tuple(told["columns"])})
