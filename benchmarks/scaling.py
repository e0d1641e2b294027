"""How run time grows with the number of stages, and with the number of cells; the plot of it."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.environments import Environment
from benchmarks.measure import measured
from benchmarks.peers.stagebook import PEER
from benchmarks.rounds import Tell, write
from benchmarks.rows import Round, Row
from benchmarks.workloads.cells import many_cells
from benchmarks.workloads.model import Workload
from benchmarks.workloads.trivial import trivial

COUNTS = (10, 30, 100, 300, 1000)
LIMIT = 600.0
"""Seconds that one point may take, to judge by the one before; larger ones are left out, which the report says."""

SESSIONS: dict[str, Callable[[int], Workload]] = {"stages": trivial, "cells": many_cells}


def measure_scaling(environment: Environment, *, quick: bool, tell: Tell) -> Round:
    """Cold runs of so many trivial stages, and of one stage of so many cells; each count once."""
    rows: list[Row] = []
    for what, workload in SESSIONS.items():
        last = 0.0
        for before, count in zip((COUNTS[0], *COUNTS), COUNTS[:2] if quick else COUNTS, strict=False):
            if last * count / before > LIMIT:
                tell(f"  scaling: {count} {what} would take more than {LIMIT:.0f} s and are left out")
                break
            last = _cold(workload(count), environment)
            rows.append(Row(f"scaling {what}", str(count), "stagebook", 1, last))
            tell(f"  scaling: {count} {what}: {last:.1f} s")
    return Round(tuple(rows))


def _cold(workload: Workload, environment: Environment) -> float:
    folder = Path(tempfile.mkdtemp(prefix="bench-scaling-"))
    try:
        write(PEER.files(workload), workload, folder)
        return measured(PEER.commands(workload, "cold"), folder=folder, variables=environment.variables()).seconds
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def series(rounds: Iterable[Round]) -> dict[str, dict[int, float]]:
    """What was measured, by what was counted, by count."""
    found: dict[str, dict[int, float]] = {}
    for row in (row for one in rounds for row in one.rows):
        name, _, what = row.session.partition(" ")
        if name == "scaling":
            found.setdefault(what, {})[int(row.situation)] = row.value
    return found


def exponent(points: dict[int, float]) -> float | None:
    """How the time that is added grows: 1 is linear, 2 is quadratic.

    What each run takes anyway is taken off first: it is what the smallest count took.
    """
    counts = sorted(points)
    if len(counts) < 3:
        return None
    first, middle, last = counts[0], counts[len(counts) // 2], counts[-1]
    added = (points[middle] - points[first], points[last] - points[first])
    if min(added) <= 0:
        return None
    return math.log(added[1] / added[0]) / math.log((last - first) / (middle - first))


def plot(rounds: Iterable[Round], path: Path) -> None:
    """Draw the series; nothing if there are none."""
    found = series(rounds)
    if not found:
        return
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "stagebook"
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, len(found), figsize=(4.2 * len(found), 3.2), layout="constrained", squeeze=False)
    for axes, (what, points) in zip(panels[0], found.items(), strict=True):
        counts = sorted(points)
        axes.plot(counts, [points[count] for count in counts], marker="o")
        axes.set(xlabel=f"trivial {what}", ylabel="seconds", xlim=(0, None), ylim=(0, None))
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
