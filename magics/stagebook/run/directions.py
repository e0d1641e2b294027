"""What is better of a metric, where somebody has said so: the objectives of the sweeps that runs belong to."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from stagebook.run.beside import Direction


def directions_of(runs: Collection[str], home: Path) -> dict[str, Direction]:
    """By metric, what is better: as all sweeps say that one of these runs is a point of.

    Args:
        runs: ids.
        home: the folder in which runs and sweeps are recorded.
    """
    found: dict[str, set[Direction]] = {}
    for path in (home / "sweeps").glob("*/sweep.json"):
        with suppress(OSError, ValueError, KeyError, TypeError):  # it is being removed, or is no sweep's
            sweep = json.loads(path.read_text(encoding="utf-8"))
            objective = sweep["objective"]
            if objective and any(point["run"] in runs for point in sweep["points"]):
                found.setdefault(objective["metric"], set()).add(objective["direction"])
    return {metric: next(iter(said)) for metric, said in found.items() if len(said) == 1}
