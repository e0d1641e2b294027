"""What differs between two pipelines: stages, setup, parameters and edges; comments and layout do not count."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from stagebook.book.cells import MAGIC
from stagebook.book.normal import cell_code
from stagebook.book.secrets import MASK, secret_names
from stagebook.model import Cell, Edge, Parameter, Pipeline, Stage, StageOptions

StageKind = Literal["added", "removed", "renamed", "changed"]


@dataclass(frozen=True, slots=True)
class ValueDifference:
    """Something with a name, before and now, as text; None where it is not there."""

    name: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class StageDifference:
    """A stage that is not as it was.

    Attributes:
        stage: its name now; its earlier name where it was removed.
        kind: what became of it. A renamed stage has the code that it had under the name `was`.
        was: its earlier name.
        lines: its changed lines as in a unified diff, without the head.
        options: its options that differ.
    """

    stage: str
    kind: StageKind
    was: str | None
    lines: tuple[str, ...]
    options: tuple[ValueDifference, ...]


@dataclass(frozen=True, slots=True)
class PipelineDifference:
    """What differs between two pipelines; edges are compared under the stages' names of now."""

    stages: tuple[StageDifference, ...]
    setup: tuple[str, ...]
    parameters: tuple[ValueDifference, ...]
    edges_added: tuple[Edge, ...]
    edges_removed: tuple[Edge, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not any(getattr(self, one.name) for one in fields(self))


def compare_pipelines(before: Pipeline, now: Pipeline) -> PipelineDifference:
    """What differs in `now`, seen from `before`."""
    names = renamed(before, now)
    old = {_translated(edge, names) for edge in before.edges}
    new = set(now.edges)
    return PipelineDifference(
        tuple(_stages(before, now, names)),
        _changed(_of_role(before, "setup"), _of_role(now, "setup")),
        tuple(_parameters(before, now)),
        tuple(sorted(new - old)),
        tuple(sorted(old - new)),
    )


def renamed(before: Pipeline, now: Pipeline) -> Mapping[str, str]:
    """Stages that are gone and whose code stands under a new name: earlier name -> name now."""
    old, new = ({stage.name: _code(stage.cells) for stage in one.stages} for one in (before, now))
    free = [name for name in new if name not in old]
    found = {}
    for name, code in old.items():
        same = next((other for other in free if new[other] == code), None)
        if name not in new and same is not None:
            found[name] = same
            free.remove(same)
    return found


def different(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[ValueDifference, ...]:
    """The names whose values differ, sorted."""
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return tuple(ValueDifference(name, before.get(name), now.get(name)) for name in names)


def _stages(before: Pipeline, now: Pipeline, names: Mapping[str, str]) -> Iterable[StageDifference]:
    """In the order in which they run now; those that are gone at the end."""
    old = {names.get(stage.name, stage.name): stage for stage in before.stages}
    for stage in now.stages:
        was = old.pop(stage.name, None)
        if was is None:
            yield StageDifference(stage.name, "added", None, _lines((), stage.cells), _options(None, stage))
            continue
        lines, options = _changed(was.cells, stage.cells), _options(was, stage)
        if was.name != stage.name:
            yield StageDifference(stage.name, "renamed", was.name, lines, options)
        elif lines or options:
            yield StageDifference(stage.name, "changed", was.name, lines, options)
    for stage in old.values():
        yield StageDifference(stage.name, "removed", stage.name, _lines(stage.cells, ()), ())


def _options(before: Stage | None, now: Stage) -> tuple[ValueDifference, ...]:
    old = before.options if before is not None else StageOptions()
    return different(_as_text(old), _as_text(now.options))


def _as_text(options: StageOptions) -> dict[str, str]:
    """The options that are not left to their defaults."""
    default = StageOptions()
    given = {one.name: getattr(options, one.name) for one in fields(options)}
    return {name: _plain(value) for name, value in given.items() if value != getattr(default, name)}


def _plain(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _changed(before: Sequence[Cell], now: Sequence[Cell]) -> tuple[str, ...]:
    """The changed lines; none where only comments and layout have changed."""
    return () if _code(before) == _code(now) else _lines(before, now)


def _lines(before: Sequence[Cell], now: Sequence[Cell]) -> tuple[str, ...]:
    return tuple(difflib.unified_diff(_text(before), _text(now), lineterm="", n=2))[2:]  # without the head


def _text(cells: Sequence[Cell]) -> list[str]:
    return [line for cell in cells for line in MAGIC.sub("", cell.source, count=1).strip().splitlines()]


def _code(cells: Sequence[Cell]) -> str:
    return "\n".join(cell_code(cell.source) for cell in cells)


def _of_role(pipeline: Pipeline, role: str) -> tuple[Cell, ...]:
    return tuple(cell for cell in pipeline.preamble if cell.role == role)


def _parameters(before: Pipeline, now: Pipeline) -> Iterable[ValueDifference]:
    """The defaults that differ; of secrets, that they do."""
    secret = secret_names([*before.parameters, *now.parameters])
    for one in different(_defaults(before), _defaults(now)):
        if one.name in secret:
            was, became = MASK if one.before else one.before, f"{MASK} (another)" if one.before else MASK
            yield replace(one, before=was, now=one.now and became)
        else:
            yield one


def _defaults(pipeline: Pipeline) -> dict[str, str]:
    return {one.name: repr(one.value) if one.literal else _written(pipeline, one) for one in pipeline.parameters}


def _written(pipeline: Pipeline, parameter: Parameter) -> str:
    """The default of a parameter that is no literal, as it stands."""
    cell = next(cell for cell in pipeline.cells if cell.number == parameter.place.cell)
    return cell.source.splitlines()[parameter.place.line - 1].partition("=")[2].strip()


def _translated(edge: Edge, names: Mapping[str, str]) -> Edge:
    return Edge(names.get(edge.source, edge.source), names.get(edge.target, edge.target), edge.names)
