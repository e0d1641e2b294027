"""Sweeps as text: a line for each point as it ends, and the table, best point and picture at the end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stagebook.run.sweep import PointRecord, Sweep, label, run_command, shown

_MOST_ROWS = 40


def point_line(record: PointRecord, total: int, *, swept: Sequence[str], metric: str | None) -> str:
    """How a point ended: `point 3 of 12 (depth 6, lr 0.1): done in 3.2 s, auc 0.913; 2 stages run, 4 reused`."""
    what = f"point {record.number} of {total} ({label(record.parameters, swept)}): {record.state}"
    if record.state != "done":
        return f"{what} in {record.duration:.1f} s ({record.reason})" if record.reason else what
    names = [metric] if metric else sorted(record.metrics)[:3]
    values = "".join(f", {name} {record.metrics[name]:.6g}" for name in names if name in record.metrics)
    return f"{what} in {record.duration:.1f} s{values}; {_stages(record.ran)} run, {record.reused} reused"


def _stages(number: int) -> str:
    return f"{number} stage{'' if number == 1 else 's'}"


def sweep_summary(sweep: Sweep, *, options: Sequence[str] = ()) -> str:
    """The table, best first, what failed, the best point with the command that runs it, and where to look."""
    lines = ["", *sweep_table(sweep), ""]
    failed = [point for point in sweep.points if point.state == "failed"]
    lines.append(_state(sweep, len(failed)))
    reasons = dict.fromkeys(point.reason for point in failed)
    for reason in reasons:
        numbers = [str(point.number) for point in failed if point.reason == reason]
        lines.append(
            f"  point {', '.join(numbers)}: {reason}"
            if len(numbers) == 1
            else f"  points {', '.join(numbers)}: {reason}"
        )
    best, objective = sweep.best, sweep.objective
    if best is not None and objective is not None:
        value = f"{best.metrics[objective.metric]:.6g}"
        lines.append(f"Best: {objective.metric} {value}, point {best.number}: {label(best.parameters, sweep.swept)}")
        lines.append(f"  {run_command(sweep, best, options=options)}")
    elif objective is None:
        lines += _how_to_name(sweep)
    lines.append(f"Table and picture: {_short(sweep.folder)}/sweep.csv, sweep.json, sweep.svg")
    return "\n".join(lines)


def _state(sweep: Sweep, failed: int) -> str:
    points = f"{len(sweep.points)} point{'' if len(sweep.points) == 1 else 's'}"
    if sweep.state == "done" and sweep.points and not any(point.ran for point in sweep.points):
        return f"All is up to date: {points} reused in {sweep.duration:.1f} s."
    state = f"{failed} of {points} failed" if failed else f"{points} done"
    if sweep.state == "interrupted":
        done = sum(point.state == "done" for point in sweep.points)
        state = f"interrupted with {done} of {sweep.planned} points done; the same command takes up the rest"
        return f"Sweep {sweep.id}: {state}."
    return f"Sweep {sweep.id}: {state} in {sweep.duration:.1f} s."


def _how_to_name(sweep: Sweep) -> list[str]:
    """How to ask for the best point where nobody has."""
    names = sweep.metrics
    if not names:
        return ["No stage names a metric: with `metrics=NAME` on a stage's line, points can be compared."]
    wanted = names[0] if len(names) == 1 else "METRIC"
    return [f"Name what counts to see the best point: --maximize {wanted} or --minimize {wanted}."]


def sweep_table(sweep: Sweep) -> list[str]:
    """A line a point, best first: number, what sets it apart, metrics, state, seconds, stages run, the run's folder."""
    metrics = sweep.metrics
    header = ["point", *sweep.swept, *metrics, "state", "time", "ran", "run"]
    shown_points = sweep.ranked[:_MOST_ROWS]
    rows = [_row(point, sweep.swept, metrics) for point in shown_points]
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]
    left = {len(header) - 1, len(header) - 4}
    lines = [
        "  ".join(
            text.ljust(width) if at in left else text.rjust(width)
            for at, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in [header, *rows]
    ]
    if len(sweep.points) > len(shown_points):
        lines.append(f"... and {len(sweep.points) - len(shown_points):,} more in sweep.csv")
    return [line.rstrip() for line in lines]


def _row(point: PointRecord, swept: Sequence[str], metrics: Sequence[str]) -> list[str]:
    values = [f"{point.metrics[name]:.6g}" if name in point.metrics else "" for name in metrics]
    took = f"{point.duration:.1f} s"
    where = str(_short(point.folder)) if point.folder else ""
    given = [shown(point.parameters[name]) for name in swept]
    return [str(point.number), *given, *values, point.state, took, str(point.ran), where]


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
