"""Drift of a million rows by fifty columns, beside plain Evidently on the same data and by the same tests.

    python -m benchmarks.drift [ROWS]

Each side reads two Parquet files and compares them in a process of its own: wall time, CPU time, memory at its peak,
imports included. Verdicts of both are held against each other, column by column.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROWS = 1_000_000
SEED = 7


def write(folder: Path, rows: int) -> None:
    """Thirty columns of numbers and twenty of categories, twice; about every third has drifted, by any amount."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(SEED)
    for side, moved in (("before", 0.0), ("now", 1.0)):
        columns: dict[str, Any] = {}
        for number in range(30):
            shift = moved * (number % 3 == 0) * 0.02 * number
            columns[f"number{number}"] = rng.normal(shift, 1 + number / 10, rows)
        for number in range(20):
            values = np.array([f"value {one}" for one in range(3 + number)])
            weights = np.ones(len(values))
            weights[0] += moved * (number % 3 == 0) * 0.2 * number
            columns[f"word{number}"] = values[rng.choice(len(values), rows, p=weights / weights.sum())]
        pd.DataFrame(columns).to_parquet(folder / f"{side}.parquet")


def ours(folder: Path) -> dict[str, bool]:
    """Verdicts by column, by `drift()`."""
    from stagebook.drift.api import drift

    return {column.name: column.drifted for column in drift(folder / "before.parquet", folder / "now.parquet").columns}


def evidentlys(folder: Path) -> dict[str, bool]:
    """Verdicts by column, by Evidently's preset."""
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    sides = [pd.read_parquet(folder / f"{side}.parquet") for side in ("now", "before")]
    numbers = [name for name in sides[0].columns if name.startswith("number")]
    words = [name for name in sides[0].columns if name not in numbers]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=words)
    data = [Dataset.from_pandas(side, data_definition=definition) for side in sides]
    told = json.loads(Report([DataDriftPreset()], include_tests=True).run(*data).json())
    params = [(test["metric_config"]["params"], test["status"] == "FAIL") for test in told["tests"]]
    return {one["column"]: failed for one, failed in params if "column" in one}


def measured(which: str, folder: Path) -> dict[str, Any]:
    """One of them, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.drift", which, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _peak() -> float:
    """Megabytes of memory at the peak of this process; `getrusage` would count its parent's, too."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) / 1024


def main() -> None:
    """Measure both and print a table; or, asked for one of them, be that process."""
    if sys.argv[1:] and sys.argv[1] in ("ours", "evidentlys"):
        began = time.perf_counter()
        verdicts = globals()[sys.argv[1]](Path(sys.argv[2]))
        used = resource.getrusage(resource.RUSAGE_SELF)
        told = {"wall": time.perf_counter() - began, "cpu": used.ru_utime + used.ru_stime, "mb": _peak()}
        print(json.dumps({**told, "verdicts": verdicts}))
        return
    rows = int(sys.argv[1]) if sys.argv[1:] else ROWS
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), rows)
        ourselves, plain = (measured(which, Path(folder)) for which in ("ours", "evidentlys"))
    for name, one in (("stagebook", ourselves), ("evidently", plain)):
        print(f"{name:10} {one['wall']:7.1f} s wall {one['cpu']:7.1f} s CPU {one['mb']:7.0f} MB")
    ratios = [f"{key} {ourselves[key] / plain[key]:.2f}" for key in ("wall", "cpu", "mb")]
    differing = [name for name, verdict in plain["verdicts"].items() if ourselves["verdicts"][name] is not verdict]
    drifted = sum(plain["verdicts"].values())
    print(f"ratios: {', '.join(ratios)}; {rows:,} rows, {len(plain['verdicts'])} columns, of which {drifted} drifted")
    print(f"verdicts that differ: {', '.join(differing) or 'none'}")


if __name__ == "__main__":
    main()
