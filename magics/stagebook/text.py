"""Findings, plans and runs as text for a terminal or a cell; what the command line and the magics print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from stagebook.model import Finding, Plan

_ACTIONS = {"run": "run", "reuse": "reuse", "skip": "skip"}


def findings_text(findings: Sequence[Finding], notebook: Path) -> str:
    """The findings, one paragraph each, and how many there are."""
    if not findings:
        return f"{notebook.name}: no findings."
    errors = sum(found.severity == "error" for found in findings)
    total = f"{notebook.name}: {counted(errors, 'error')}, {counted(len(findings) - errors, 'warning')}."
    return f"{findings_list(findings)}\n{total}"


def findings_list(findings: Iterable[Finding]) -> str:
    """The findings, one paragraph each: place, code and cause, below them the remedy."""
    lines = []
    for found in findings:
        where = str(found.place) if found.place is not None and found.place.cell else "notebook"
        lines.append(f"{where}: {found.severity} {found.code}: {found.message}")
        if found.remedy:
            lines.append(f"    {found.remedy}")
    return "\n".join(lines)


def findings_github(findings: Iterable[Finding], notebook: Path) -> str:
    """The findings as GitHub workflow commands: they show up on the pull request."""
    lines = []
    for found in findings:
        message = f"{found.place or 'notebook'}: {found.message} {found.remedy}".rstrip()
        file = _escaped(str(notebook)).replace(":", "%3A").replace(",", "%2C")
        lines.append(f"::{found.severity} file={file},title={found.code}::{_escaped(message)}")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def plan_text(plan: Plan) -> str:
    """A line a stage, what would happen and why, then remarks and the sum."""
    width = max((len(decision.stage) for decision in plan.decisions), default=0)
    lines = [f"{_ACTIONS[one.action]:5}  {one.stage:{width}}  {one.reason}" for one in plan.decisions]
    lines += list(plan.notes)
    run = sum(decision.action == "run" for decision in plan.decisions)
    reuse = sum(decision.action == "reuse" for decision in plan.decisions)
    if reuse == len(plan.decisions):
        return "\n".join([*lines, "All is up to date."])
    return "\n".join([*lines, f"{counted(run, 'stage')} to run, {reuse} to reuse."])


def metrics_text(metrics: Mapping[str, float]) -> str:
    """The metrics in two columns, sorted by name."""
    width = max((len(name) for name in metrics), default=0)
    return "\n".join(f"  {name:{width}}  {value:.6g}" for name, value in sorted(metrics.items()))


def counted(number: int, noun: str) -> str:
    """`1 stage`, `2 stages`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
