"""Findings, plans and runs as text for a terminal or a cell; what the command line and the magics print."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.sections import Section, Shown, aligned, html_section

if TYPE_CHECKING:
    from rich.console import RenderableType

    from stagebook.model import Finding
    from stagebook.plan import Plan
    from stagebook.run.profile import Profile
    from stagebook.run.status import Status

_STANDINGS = {
    "fresh": "green",
    "stale": "yellow",
    "never run": "dim",
    "failed": "bold red",
    "interrupted": "yellow",
    "skipped": "dim",
}
_FEW = 2
_MOST_METRICS = 6
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


def status_text(status: Status) -> str:
    """The last run and its parameters, a line a stage, remarks, and what to do next."""
    rows = [
        (stage.state, stage.stage, moment(stage.started), seconds(stage.duration), _numbers(stage.metrics))
        for stage in status.stages
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = last_run_lines(status)
    for row, stage in zip(rows, status.stages, strict=True):
        cells = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=True) if width]
        lines.append("  ".join([*cells, stage.reason]))
    return "\n".join([*lines, *status.notes, _next_line(status)])


def status_table(status: Status) -> RenderableType:
    """The same for a terminal."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("state", "stage", "last ran", "took", "metrics"):
        table.add_column(name, no_wrap=name != "metrics")
    table.add_column("why", overflow="fold")
    for stage in status.stages:
        colour = _STANDINGS.get(stage.state, "")
        when, took = moment(stage.started), seconds(stage.duration)
        words = [Text(word) for word in (stage.stage, when, took, _numbers(stage.metrics))]
        table.add_row(Text(stage.state, colour), *words, Text(stage.reason, "dim"))
    below = [Text(note, "yellow") for note in status.notes]
    return Group(Text("\n".join(last_run_lines(status))), table, *below, Text(_next_line(status), "bold"))


def _next_line(status: Status) -> str:
    """What to do next; where there is nothing to do, why."""
    return status.next if status.next.endswith(".") else f"Next: {status.next}"


def profile_table(profile: Profile) -> RenderableType:
    """Where the time went, a row for each stage that ran, seconds in each phase."""
    from rich.table import Table

    from stagebook.run.profile import PHASES

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("seconds in")
    for name in (*PHASES, "all"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_row("(before the run)", *[""] * len(PHASES), f"{profile.started - profile.began:.2f}", style="dim")
    for one in profile.attempts:
        table.add_row(one.stage, *(f"{one.seconds(name):.2f}" for name in PHASES), f"{one.total:.2f}")
    totals = profile.totals()
    sums = [f"{totals.get(name, 0.0):.2f}" for name in PHASES]
    table.add_row("(all)", *sums, f"{profile.ended - profile.began:.2f}", style="bold")
    return table


def last_run_lines(status: Status) -> list[str]:
    """The last run in a line, its parameters in another."""
    name, last = status.notebook.name, status.last
    if last is None:
        return [f"{name}: no run yet"]
    ended = {"running": "is running", "killed": "was killed"}.get(last.state, last.state)
    took = f" in {seconds(last.duration)}" if last.duration is not None else ""
    lines = [f"{name}: run {last.id} {ended}{took}, started {moment(last.started)}"]
    if last.parameters:
        lines.append("with " + ", ".join(f"{one} = {value!r}" for one, value in last.parameters.items()))
    return lines


def moment(iso: str) -> str:
    """A time (ISO 8601) as the clock on the wall shows it; nothing for none."""
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M:%S}" if iso else ""


def seconds(duration: float | None) -> str:
    """A duration with its unit; nothing for none."""
    return "" if duration is None else f"{duration:.1f} s"


def _numbers(metrics: Mapping[str, float]) -> str:
    """The first of the metrics, in a line, and how many more there are."""
    shown = [f"{name} = {value:.6g}" for name, value in sorted(metrics.items())]
    return ", ".join([*shown[:_FEW], *([f"and {len(shown) - _FEW} more"] if len(shown) > _FEW else [])])


def runs_text(runs: Sequence[Mapping[str, Any]], notebook: str, *, limit: int, metric: str | None = None) -> str:
    """A line a run: id, start, state, duration, stages run of all, parameters that differ from run to run, metrics.

    Args:
        runs: as `run.json` has them.
        notebook: its name.
        limit: how many are shown.
        metric: what they are sorted by.
    """
    section = _runs_section(runs, notebook, limit=limit, metric=metric)
    return "\n".join([*(aligned([section.heads, *section.rows]) if section.rows else []), *section.below])


def runs_shown(runs: Sequence[Mapping[str, Any]], notebook: str, *, limit: int, metric: str | None = None) -> Shown:
    """The same for a notebook."""
    section = _runs_section(runs, notebook, limit=limit, metric=metric)
    return Shown(runs_text(runs, notebook, limit=limit, metric=metric), html_section(section))


def _runs_section(runs: Sequence[Mapping[str, Any]], notebook: str, *, limit: int, metric: str | None) -> Section:
    from stagebook.run.history import metrics_of

    if not runs:
        return Section("", (), (), below=(f"{notebook}: no run yet",))
    shown = runs[:limit]
    given = [name for name in shown[0]["parameters"] if len({repr(run["parameters"].get(name)) for run in shown}) > 1]
    known = dict.fromkeys(name for run in shown for name in metrics_of(run))
    metrics = sorted(known, key=lambda name: name != metric)[:_MOST_METRICS]
    rows = []
    for run in shown:
        ran = sum(stage["state"] not in ("reused", "not run") for stage in run["stages"])
        numbers = metrics_of(run)
        rows.append(
            (
                run["id"],
                moment(run["started"]),
                run["state"],
                seconds(run["duration"]),
                f"{ran} of {len(run['stages'])}",
                *(str(run["parameters"].get(name, "")) for name in given),
                *(f"{numbers[name]:.6g}" if name in numbers else "" for name in metrics),
            )
        )
    below = []
    if len(known) > len(metrics):
        below.append(f"({counted(len(known) - len(metrics), 'more metric')}: --format json has them all)")
    if len(runs) > limit:
        below.append(f"... and {counted(len(runs) - limit, 'more run')}: --limit shows them")
    heads = ("run", "started", "state", "took", "ran", *given, *metrics)
    return Section("", heads, tuple(rows), below=tuple(below))


def metrics_text(metrics: Mapping[str, float]) -> str:
    """The metrics in two columns, sorted by name."""
    width = max((len(name) for name in metrics), default=0)
    return "\n".join(f"  {name:{width}}  {value:.6g}" for name, value in sorted(metrics.items()))


def counted(number: int, noun: str) -> str:
    """`1 stage`, `2 stages`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def size_text(size: float) -> str:
    """Bytes for people: `0 B`, `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
