"""What is known of a contender: how it is installed, writes a workload down, and runs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.workloads.model import Workload

Situation = Literal["cold", "nothing changed", "last stage edited", "sweep"]
SITUATIONS: tuple[Situation, ...] = ("cold", "nothing changed", "last stage edited", "sweep")

Commands = Sequence[Sequence[str]]
"""What is run, one after the other, for one measurement. The first word is looked for in the environment."""


@dataclass(frozen=True)
class Peer:
    """A contender.

    Attributes:
        name: its short name, also that of its environment.
        title: its name in the report, with the way in which it is used.
        package: the distribution whose version the report names.
        requirements: what is installed into its environment, beside what the workloads import.
        files: a workload in its own form, as text by path.
        commands: how it is run, in each situation.
        told: where what the steps have printed is found afterwards, given the folder and what the command put out.
        variables: environment variables that it needs, given the folder it runs in.
        isolates: whether each stage starts in a process of its own.
        caches: whether it leaves out work that it has done before.
        environment: the name of another contender whose environment it runs in; empty for one of its own.
        kernel: whether it can take the packages that run notebooks at the versions in `constraints.txt`.
    """

    name: str
    title: str
    package: str
    requirements: tuple[str, ...]
    files: Callable[[Workload], Mapping[str, str]]
    commands: Callable[[Workload, Situation], Commands]
    told: Callable[[Path, str], str]
    variables: Callable[[Path], Mapping[str, str]] = field(default=lambda _: {})
    isolates: bool = False
    caches: bool = False
    environment: str = ""
    kernel: bool = True


def output(_: Path, put_out: str) -> str:
    """`told` of those whose steps print to the terminal."""
    return put_out


def points(workload: Workload) -> list[tuple[str, object]]:
    """The parameter that is swept, once with each value."""
    if workload.sweep is None:
        raise ValueError(f"The workload {workload.name} has nothing to sweep.")
    name, values = workload.sweep
    return [(name, value) for value in values]
