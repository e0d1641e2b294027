"""A workload: the steps of one computation, from which each peer's own form is written."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

FIRST_EDITION = '"edition": 1'
"""What the last step of each workload holds, in what it prints: the place at which it is edited."""


@dataclass(frozen=True)
class Step:
    """A piece of work: what is a stage in a notebook, a task, node or step elsewhere.

    Attributes:
        name: its name, fit for a function.
        cells: its code, as the cells of a notebook hold it.
    """

    name: str
    cells: tuple[str, ...]

    @property
    def code(self) -> str:
        """The cells' code, one after the other."""
        return "\n".join(self.cells)

    @cached_property
    def reads(self) -> frozenset[str]:
        """Names that its code mentions."""
        return frozenset(node.id for node in _names(self.code) if isinstance(node.ctx, ast.Load))

    @cached_property
    def binds(self) -> frozenset[str]:
        """Names that its code binds, or gives new items."""
        assigned = frozenset(node.id for node in _names(self.code) if isinstance(node.ctx, ast.Store))
        return assigned | {
            node.value.id
            for node in ast.walk(ast.parse(self.code))
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
        }


@dataclass(frozen=True)
class Workload:
    """One computation. Its last step prints `RESULT {...}`, by which contenders are compared.

    Attributes:
        name: its short name.
        title: what it is, for the report.
        setup: imports and functions, for each process that runs a step.
        steps: the steps, in notebook order.
        parameters: names and values that steps read.
        sweep: a parameter that the last two steps depend on, and eight values for it.
        metrics: names bound by the last step that are numbers worth recording.
        files: files that it reads, by the path under which it does.
        options: what Stagebook is told of steps beyond their code, by step.
    """

    name: str
    title: str
    setup: str
    steps: tuple[Step, ...]
    parameters: Mapping[str, object] = field(default_factory=dict)
    sweep: tuple[str, tuple[object, ...]] | None = None
    metrics: tuple[str, ...] = ()
    files: Mapping[str, Path] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def takes(self, step: Step) -> tuple[str, ...]:
        """Names that the step has from earlier ones."""
        made = {name for earlier in self._before(step) for name in earlier.binds}
        return tuple(sorted(made & step.reads))

    def makes(self, step: Step) -> tuple[str, ...]:
        """Names that later steps have from this one; the last step gives what is to be recorded."""
        later = self.steps[self.steps.index(step) + 1 :]
        wanted = {name for one in later for name in one.reads} if later else set(self.metrics)
        return tuple(sorted(step.binds & wanted))

    def asks(self, step: Step) -> tuple[str, ...]:
        """Parameters that the step reads."""
        return tuple(name for name in self.parameters if name in step.reads)

    def source(self, name: str, step: Step) -> Step:
        """The step that `step` has this name from."""
        return next(earlier for earlier in reversed(self._before(step)) if name in earlier.binds)

    def sources(self, step: Step) -> tuple[Step, ...]:
        """The steps that it has names from, in order."""
        return self._ordered(self.source(name, step) for name in self.takes(step))

    def edited(self) -> Workload:
        """The same with another last step, whose result tells that it is another."""
        *before, last = self.steps
        if last.code.count(FIRST_EDITION) != 1:
            raise ValueError(f"The last step of the workload {self.name} must hold {FIRST_EDITION} once.")
        cells = tuple(cell.replace(FIRST_EDITION, '"edition": 2') for cell in last.cells)
        return replace(self, steps=(*before, Step(last.name, cells)))

    def _before(self, step: Step) -> tuple[Step, ...]:
        return self.steps[: self.steps.index(step)]

    def _ordered(self, steps: Iterable[Step]) -> tuple[Step, ...]:
        chosen = {step.name for step in steps}
        return tuple(step for step in self.steps if step.name in chosen)


def _names(code: str) -> Iterator[ast.Name]:
    return (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name) and not hasattr(builtins, node.id))
