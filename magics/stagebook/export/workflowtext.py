"""Workflows of GitHub Actions as values, and as the YAML that one would write by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stagebook.export.actions import pinned

_PLAIN = re.compile(r"[A-Za-z_./$~][^\n\t]*")
_OTHERWISE = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|~|.*(: | #|:$| $).*")
"""Texts that YAML reads as something else where they are not quoted."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a job: lines for bash, or an action with its inputs.

    Attributes:
        name: what it is called.
        run: the lines.
        uses: the action, as `ACTIONS` names it.
        id: what later steps call it.
        when: the condition under which it is done.
        given: the action's inputs.
        env: its environment variables.
        may_fail: whether the job goes on where it fails.
    """

    name: str
    run: str = ""
    uses: str = ""
    id: str = ""
    when: str = ""
    given: Mapping[str, str | int | bool] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    may_fail: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a workflow: steps on one runner.

    Attributes:
        name: what it is called.
        steps: what it does.
        needs: the jobs that must be done first.
        when: the condition under which it is done.
        says: a comment above the condition.
        permissions: what its token may do; nothing else.
        environment: the environment whose rules it waits for.
        outputs: what later jobs learn of it.
        matrix: the Pythons it is done with, where there are several.
        env: environment variables of all its steps.
    """

    name: str
    steps: Sequence[Step] = ()
    needs: str = ""
    when: str = ""
    says: str = ""
    permissions: Mapping[str, str] = field(default_factory=dict)
    environment: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    matrix: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A workflow.

    Attributes:
        says: comments at its head.
        name: what it is called.
        on: the lines below `on:`.
        group: of those with this name one is under way at a time.
        cancels: whether a new one ends the one that is under way.
        jobs: by id.
        runs_on: the label of the runners.
        timeout: minutes that a job may take.
    """

    says: Sequence[str]
    name: str
    on: Sequence[str]
    group: str
    cancels: bool
    jobs: Mapping[str, Job]
    runs_on: str
    timeout: int

    def text(self) -> str:
        """The file."""
        lines = [*(f"# {line}" for line in self.says), f"name: {scalar(self.name)}", ""]
        lines += ["on:", *(f"  {line}" for line in self.on), ""]
        lines += ["permissions: {}", "", "concurrency:", f"  group: {scalar(self.group)}"]
        lines += [f"  cancel-in-progress: {str(self.cancels).lower()}", ""]
        lines += ["env:", '  PIP_DISABLE_PIP_VERSION_CHECK: "1"', ""]
        lines += ["defaults:", "  run:", "    shell: bash", "", "jobs:"]
        for position, (name, job) in enumerate(self.jobs.items()):
            lines += [*([""] if position else []), f"  {name}:", *(f"    {line}" for line in self._job(job))]
        return "\n".join(line.rstrip() for line in lines) + "\n"

    def _job(self, job: Job) -> Iterator[str]:
        yield f"name: {scalar(job.name)}"
        if job.needs:
            yield f"needs: {job.needs}"
        if job.says:
            yield f"# {job.says}"
        if job.when:
            yield f"if: ${{{{ {job.when} }}}}"
        yield f"runs-on: {scalar(self.runs_on)}"
        yield f"timeout-minutes: {self.timeout}"
        yield from mapping("permissions", job.permissions) or ["permissions: {}"]
        if job.environment:
            yield f"environment: {scalar(job.environment)}"
        yield from mapping("outputs", job.outputs)
        if job.matrix:
            versions = ", ".join(f'"{one}"' for one in job.matrix)
            yield from ["strategy:", "  fail-fast: false", "  matrix:", f"    python: [{versions}]"]
        yield from mapping("env", job.env)
        yield "steps:"
        for step in job.steps:
            first, *rest = _step(step)
            yield from [f"  - {first}", *(f"    {line}" for line in rest)]


def _step(step: Step) -> Iterator[str]:
    yield f"name: {scalar(step.name)}"
    if step.id:
        yield f"id: {step.id}"
    if step.when:
        yield f"if: ${{{{ {step.when} }}}}"
    if step.may_fail:
        yield "continue-on-error: true"
    if step.uses:
        yield f"uses: {pinned(step.uses)}"
    yield from mapping("with", step.given)
    yield from mapping("env", step.env)
    if step.run:
        yield from block("run", step.run)


def mapping(name: str, items: Mapping[str, str] | Mapping[str, str | int | bool]) -> list[str]:
    """The lines of a mapping; none where it is empty."""
    lines = [line for key, value in items.items() for line in block(key, value)]
    return [f"{name}:", *(f"  {line}" for line in lines)] if lines else []


def block(key: str, value: Any) -> list[str]:
    """The lines of a key and its value: a text, a number, or whether something is so."""
    if not isinstance(value, str):
        return [f"{key}: {str(value).lower()}"]
    lines = value.rstrip("\n").split("\n")
    return [f"{key}: {scalar(value)}"] if len(lines) == 1 else [f"{key}: |", *(f"  {line}" for line in lines)]


def scalar(text: str) -> str:
    """A text on one line, between quotes where it would be read as something else."""
    is_plain = _PLAIN.fullmatch(text) and not _OTHERWISE.fullmatch(text)
    return text if is_plain else json.dumps(text, ensure_ascii=False)
