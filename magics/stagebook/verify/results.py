"""What came of a notebook's stages in one way of running it, as plain data that travels between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["done", "skipped", "failed", "not run"]


@dataclass(frozen=True, slots=True)
class Part:
    """A column, an entry or an element of a value: its digest, what it is, its numbers where they are few."""

    digest: str
    shown: str
    numbers: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueTold:
    """A value.

    Attributes:
        kind: the name of its type.
        digest: of its content, in which the notebook's own functions and classes are told by their names alone; empty
            where it has none.
        exact: of its content with the code of these.
        definitions: their names.
        why: what in it has no digest.
        shown: what it is, in a few words.
        parts: its columns, entries or elements.
    """

    kind: str
    digest: str = ""
    exact: str = ""
    definitions: tuple[str, ...] = ()
    why: str = ""
    shown: str = ""
    parts: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageTold:
    """What came of a stage.

    Attributes:
        state: what became of it.
        error: why it failed, in a line.
        values: what it has made, by name.
        metrics: its numbers.
    """

    state: State
    error: str = ""
    values: Mapping[str, ValueTold] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


Told = Mapping[str, StageTold]
"""By stage."""


def stage_to_json(told: StageTold) -> dict[str, Any]:
    """The stage as plain data."""
    return asdict(told)


def stage_from_json(facts: Mapping[str, Any]) -> StageTold:
    """The stage, from what `stage_to_json` gave."""
    values = {name: value_from_json(one) for name, one in facts["values"].items()}
    return StageTold(facts["state"], facts["error"], values, dict(facts["metrics"]))


def value_from_json(facts: Mapping[str, Any]) -> ValueTold:
    """The value, from plain data."""
    parts = {name: Part(one["digest"], one["shown"], tuple(one["numbers"])) for name, one in facts["parts"].items()}
    return ValueTold(**{**facts, "definitions": tuple(facts["definitions"]), "parts": parts})
