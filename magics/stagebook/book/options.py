"""Stage options: from `%%stage NAME key=value ...` or the cell's `stagebook` metadata to `StageOptions`."""

from __future__ import annotations

import keyword
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from stagebook.book.drifting import drift_option
from stagebook.book.findings import finding
from stagebook.book.gates import GateError, checked_gate
from stagebook.book.syntax import syntax_tree
from stagebook.errors import did_you_mean
from stagebook.model import Finding, Foreach, ModelOption, Place, StageOptions

_FOREACH = re.compile(r"(?:(?P<item>[^\W\d]\w*)\s+in\s+)?(?P<source>[^\W\d]\w*)")

_MODEL = re.compile(
    r"(?P<value>[^\W\d]\w*)(?:\.(?P<method>[^\W\d]\w*))?(?:\s+as\s+(?P<name>[^/:\s](?:[^/:]*[^/:\s])?))?"
)
"""What a model is registered as may hold neither `/` nor `:`, as MLflow has it."""

_AMOUNT = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kMGT]i?B)?")
_UNITS = {"": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    "kiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}


def _names(value: Any) -> tuple[str, ...]:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
        raise ValueError("takes names, separated by commas")
    return tuple(word.strip() for word in words if word.strip())


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("takes a number of seconds") from None
    if isinstance(value, bool) or not 0 < seconds < float("inf"):
        raise ValueError("takes a number of seconds above 0")
    return seconds


def _count(value: Any) -> int:
    if isinstance(value, bool) or not str(value).isdecimal():
        raise ValueError("takes a whole number from 0")
    return int(value)


def _switch(value: Any) -> bool:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError("takes true or false")


def _expression(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("takes a Python expression, as text")
    try:
        syntax_tree(value.strip(), mode="eval")
    except (SyntaxError, ValueError):
        raise ValueError("takes a Python expression") from None
    return value.strip()


def _mapping(value: Any) -> Foreach:
    match = _FOREACH.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or any(keyword.iskeyword(word) for word in match.groups() if word):
        raise ValueError("takes the name of a list, or `ITEM in LIST`")
    return Foreach(match["item"] or match["source"], match["source"])


def _model(value: Any) -> ModelOption:
    match = _MODEL.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or any(keyword.iskeyword(match[part] or "") for part in ("value", "method")):
        raise ValueError("takes the name of a value, as in `model`, `model.predict_proba`, `model as NAME`")
    return ModelOption(match["value"], match["method"] or "predict", match["name"])


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip().isidentifier() or keyword.iskeyword(value.strip()):
        raise ValueError("takes a name")
    return value.strip()


def _gate(value: Any) -> str:
    wrong = "takes a condition on metrics, as in `auc >= 0.8 and auc >= champion.auc`"
    if not isinstance(value, str):
        raise ValueError(wrong)
    try:
        return checked_gate(value)
    except GateError as error:
        raise ValueError(f"{wrong} ({error})") from None


def _resources(value: Any) -> tuple[tuple[str, float], ...]:
    wrong = "takes amounts, as in `cores:2,memory:4GB`"
    if isinstance(value, str):
        value = {name: amount for name, _, amount in (part.partition(":") for part in value.split(","))}
    if not isinstance(value, Mapping):
        raise ValueError(wrong)
    found = {}
    for name, amount in value.items():
        match = _AMOUNT.fullmatch(str(amount).strip())
        if match is None or not str(name).strip().isidentifier() or bool(match["unit"]) != (name.strip() == "memory"):
            raise ValueError(wrong)
        found[name.strip()] = float(match["number"]) * _UNITS[match["unit"] or ""]
    if not all(found.values()):
        raise ValueError(wrong)
    return tuple(sorted(found.items()))


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "needs": _names,
    "metrics": _names,
    "timeout": _seconds,
    "retries": _count,
    "cache": _switch,
    "reads": _names,
    "writes": _names,
    "when": _expression,
    "foreach": _mapping,
    "resources": _resources,
    "model": _model,
    "gate": _gate,
    "features": _names,
    "rows": _name,
    "drift": drift_option,
}
OPTIONS = tuple(_READERS)
"""The names of all options."""


def magic_options(line: str, place: Place) -> tuple[str | None, dict[str, Any], list[Finding]]:
    """Stage name and raw options of a `%%stage` line, given without its `%%stage`."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        remedy = "Close the quotes on the `%%stage` line."
        return None, {}, [finding("SB104", f"`%%stage {line}` cannot be read: {error}.", remedy, place)]
    if not words or "=" in words[0]:
        remedy = "Write `%%stage NAME`, then options as key=value."
        return None, {}, [finding("SB106", "`%%stage` names no stage.", remedy, place)]
    options: dict[str, Any] = {}
    findings = []
    for word in words[1:]:
        key, equals, value = word.partition("=")
        if equals and options.setdefault(key, value) != value:
            message = f"Option `{key}` stands twice on the `%%stage` line."
            findings.append(finding("SB102", message, "Keep one of them.", place))
        elif not equals:
            remedy = f"Write it as `{word}=VALUE`, or with quotes where a value holds spaces."
            findings.append(finding("SB103", f"`{word}` on the `%%stage` line is no option.", remedy, place))
    return words[0], options, findings


def checked_options(raw: Mapping[str, Any], place: Place, *, stage: str | None) -> tuple[dict[str, Any], list[Finding]]:
    """The options that are known and well formed, as `StageOptions` holds them, and a finding for each other."""
    good: dict[str, Any] = {}
    findings = []
    for key, value in raw.items():
        reader = _READERS.get(key)
        if reader is None:
            message = f"There is no option `{key}`."
            findings.append(finding("SB103", message, did_you_mean(key, _READERS).strip(), place, stage=stage))
            continue
        try:
            good[key] = reader(value)
        except ValueError as error:
            message = f"Option `{key}` {error}; it has {value!r}."
            findings.append(finding("SB104", message, "Correct the value.", place, stage=stage))
    return good, findings


def merged_options(parts: list[tuple[Place, dict[str, Any]]], *, stage: str) -> tuple[StageOptions, list[Finding]]:
    """The options of a stage whose cells each may name some; two cells that disagree are a finding."""
    merged: dict[str, Any] = {}
    findings = []
    for place, options in parts:
        for key, value in options.items():
            if merged.setdefault(key, value) != value:
                message = f"Stage `{stage}` has two values for option `{key}`: {merged[key]!r} and {value!r}."
                findings.append(finding("SB102", message, "Keep one of them.", place, stage=stage))
    return StageOptions(**merged), findings
