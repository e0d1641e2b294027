"""What differs between the plain run and another one of the same stages. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from stagebook.verify.results import StageTold, Told, ValueTold

Word = Literal["same", "different", "varies", "not comparable", "ran", "not compared"]
"""`varies`: it differs between two plain runs, too. `ran`: there was nothing to compare but that it ran."""

_RAISED = re.compile(r"(?:cell \d+(?:, line \d+)?: )?(\w+)(?::|$)")


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as in the plain run: the value's or metric's name, empty for the stage; what differs."""

    name: str
    told: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What there is to say of a stage.

    Attributes:
        word: in a word.
        compared: how many values and metrics are the same.
        differences: what differs.
        varies: names that differ between two plain runs, too.
        uncomparable: names of values without a digest, with why.
        by_name: functions and classes of which only names and arguments were compared.
    """

    word: Word
    compared: int = 0
    differences: tuple[Difference, ...] = ()
    varies: tuple[str, ...] = ()
    uncomparable: Mapping[str, str] = field(default_factory=dict)
    by_name: tuple[str, ...] = ()


Unsteady = frozenset[tuple[str, str]]
"""Stages and names that differ between two plain runs; an empty name is what became of the stage."""


def judged(plain: Told, other: Told, *, by_name: bool, unsteady: Unsteady = frozenset()) -> dict[str, Verdict]:
    """The verdict on each stage.

    Args:
        plain: what the plain run tells.
        other: what the other one tells.
        by_name: whether the notebook's own functions and classes have another form there.
        unsteady: what differs between two plain runs.
    """
    ended = any(one.state == "failed" for one in other.values())
    return {
        stage: _judged(
            one, other.get(stage), by_name=by_name, ended=ended, unsteady={name for of, name in unsteady if of == stage}
        )
        for stage, one in plain.items()
    }


def unsteady_in(plain: Told, again: Told) -> Unsteady:
    """What differs between two plain runs."""
    return frozenset(
        (stage, one.name)
        for stage, verdict in judged(plain, again, by_name=False).items()
        for one in verdict.differences
    )


def _judged(plain: StageTold, other: StageTold | None, *, by_name: bool, ended: bool, unsteady: set[str]) -> Verdict:
    if plain.state == "not run":
        return Verdict("not compared")
    if other is None or other.state == "not run":
        if plain.state == "failed" or ended:
            return Verdict("not compared")
        other = StageTold("not run")
    found = list(_of_state(plain, other))
    if found or plain.state != "done":
        return _verdict("same" if not found else "different", 1, found, unsteady)
    uncomparable: dict[str, str] = {}
    names: set[str] = set()
    same = 0
    for name, value in sorted(other.values.items()):
        before = plain.values.get(name)
        if before is None:
            uncomparable[name] = "the plain run has no such value when the stage is done"
        elif why := before.why or value.why:
            uncomparable[name] = why
        elif before.exact == value.exact or (by_name and before.digest == value.digest):
            same += 1
            names |= set() if before.exact == value.exact else set(before.definitions)
        else:
            found.append(Difference(name, difference(before, value)))
    metrics = list(_of_metrics(plain.metrics, other.metrics, ended=ended))
    same += len(plain.metrics.keys() & other.metrics.keys()) - len(metrics)
    word: Word = "same" if same else "not comparable" if uncomparable else "ran"
    return _verdict(word, same, [*found, *metrics], unsteady, uncomparable, names)


def _verdict(
    word: Word,
    same: int,
    found: list[Difference],
    unsteady: set[str],
    uncomparable: Mapping[str, str] | None = None,
    names: set[str] | None = None,
) -> Verdict:
    left = tuple(one for one in found if one.name not in unsteady)
    varies = tuple(one.name for one in found if one.name in unsteady)
    said: Word = "different" if left else "varies" if varies else word
    return Verdict(said, same, left, varies, uncomparable or {}, tuple(sorted(names or ())))


def _of_state(plain: StageTold, other: StageTold) -> Iterator[Difference]:
    if plain.state != other.state:
        yield Difference("", f"{_ended(other)}; in the plain run {_ended(plain)}")
    elif plain.state == "failed":
        raised = [_RAISED.match(one.error) for one in (plain, other)]
        names = {one[1] for one in raised if one is not None}
        if len(names) > 1:
            yield Difference("", f"{_ended(other)}; in the plain run {_ended(plain)}")


def _ended(told: StageTold) -> str:
    return f"{told.state} ({told.error})" if told.error else told.state


def _of_metrics(plain: Mapping[str, float], other: Mapping[str, float], *, ended: bool) -> Iterator[Difference]:
    for name in sorted(plain.keys() | other.keys()):
        if name not in other:
            if not ended:
                yield Difference(f"metric {name}", f"is not there; in the plain run {plain[name]!r}")
        elif name not in plain:
            yield Difference(f"metric {name}", f"{other[name]!r}; in the plain run it is not there")
        elif not _equal(plain[name], other[name]):
            yield Difference(f"metric {name}", _numbers_differ(plain[name], other[name]))


def _equal(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _numbers_differ(plain: float, other: float) -> str:
    told = f"{other!r}; in the plain run {plain!r}"
    close = math.isfinite(plain) and math.isfinite(other) and math.isclose(plain, other, rel_tol=1e-9)
    return f"{told} (in the last digits: as if numbers were added in another order)" if close else told


def difference(plain: ValueTold, other: ValueTold) -> str:
    """How a value differs, in a line: by its type, by the first part that differs, or by what it is."""
    if plain.kind != other.kind:
        return f"{other.kind} {other.shown}; in the plain run {plain.kind} {plain.shown}"
    if plain.shown != other.shown:
        return f"{other.shown}; in the plain run {plain.shown}"
    for name in {**plain.parts, **other.parts}:
        one, two = plain.parts.get(name), other.parts.get(name)
        if one is None or two is None:
            return (
                f"{name} is {'not ' if two is None else ''}there; in the plain run it is {'not' if one is None else ''}"
            )
        if one.digest != two.digest:
            place = f"{name}: " if name else ""
            numbers = zip(one.numbers, two.numbers, strict=False)
            at = next((index for index, pair in enumerate(numbers) if not _equal(*pair)), None)
            if at is not None:
                return f"{place}at {at}, {_numbers_differ(one.numbers[at], two.numbers[at])}"
            if one.shown != two.shown:
                return f"{place}{two.shown}; in the plain run {one.shown}"
            return f"{place}{two.shown}, of another content than in the plain run"
    functions = f" (functions {', '.join(plain.definitions)})" if plain.definitions else ""
    return f"{other.shown}, of another content than in the plain run{functions}"
