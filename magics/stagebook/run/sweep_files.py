"""What a sweep leaves behind: `sweep.json`, `sweep.csv` and the picture `sweep.svg`."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from typing import Any

from stagebook.errors import StoreError
from stagebook.run.files import write_text
from stagebook.run.sweep import Sweep, given_text, is_swept


def save(sweep: Sweep) -> None:
    """Write the sweep's files into its folder.

    Raises:
        StoreError: they cannot be written.
    """
    write_text(sweep.folder / "sweep.json", json.dumps(sweep_json(sweep), indent=2, default=repr) + "\n")
    write_text(sweep.folder / "sweep.csv", sweep_csv(sweep))
    if sweep.points:
        from stagebook.run.sweep_plot import draw_sweep

        try:
            draw_sweep(sweep, sweep.folder / "sweep.svg")
        except OSError as error:
            raise StoreError(f"{sweep.folder}/sweep.svg cannot be written: {error.strerror or error}.") from error


def sweep_json(sweep: Sweep) -> dict[str, Any]:
    """All that is known of a sweep, as JSON can hold it."""
    best = sweep.best
    return {
        "id": sweep.id,
        "state": sweep.state,
        "notebook": str(sweep.notebook),
        "swept": {axis.name: _axis_json(axis) for axis in sweep.axes if is_swept(axis)},
        "objective": asdict(sweep.objective) if sweep.objective else None,
        "best": best.number if best else None,
        "planned": sweep.planned,
        "points": [asdict(point) | {"folder": str(point.folder or "")} for point in sweep.points],
        "started": sweep.started,
        "duration": sweep.duration,
    }


def _axis_json(axis: Any) -> dict[str, Any]:
    return {name: value for name, value in asdict(axis).items() if name != "name"}


def sweep_csv(sweep: Sweep) -> str:
    """A line a point, best first: number, parameters, metrics, state, seconds, stages run and reused, folder."""
    given = [axis.name for axis in sweep.axes]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["point", *given, *sweep.metrics, "state", "seconds", "ran", "reused", "folder", "reason"])
    for point in sweep.ranked:
        parameters = [given_text(point.parameters[name]) for name in given]
        metrics = [point.metrics.get(name, "") for name in sweep.metrics]
        rows.writerow(
            [
                point.number,
                *parameters,
                *metrics,
                point.state,
                point.duration,
                point.ran,
                point.reused,
                point.folder or "",
                point.reason,
            ]
        )
    return text.getvalue()
