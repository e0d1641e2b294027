"""A table of 1 GB that one step makes and the next one uses."""

from __future__ import annotations

from benchmarks.workloads.model import Step, Workload

SETUP = """\
import json

import numpy as np
import pandas as pd
"""

MAKE = """\
numbers = np.random.default_rng(3).integers(0, 1_000_000, size=(10_400_000, 12))
table = pd.DataFrame(numbers, columns=[f"x{number}" for number in range(12)])
"""

USE = """\
total = int(table.to_numpy().sum())
print("RESULT " + json.dumps({"total": total, "rows": len(table), "edition": 1}))
"""


def gigabyte() -> Workload:
    """Hand-off and little else."""
    return Workload(
        name="gigabyte",
        title="1 GB handed from one stage to the next",
        setup=SETUP,
        steps=(Step("make", (MAKE,)), Step("use", (USE,))),
        metrics=("total",),
    )
