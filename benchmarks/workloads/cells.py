"""Notebooks of one stage whose cells, or whose output, are many: what is measured is the running of cells."""

from __future__ import annotations

from benchmarks.workloads.model import Step, Workload

TELL = 'print("RESULT " + json.dumps({"total": total, "edition": 1}))'


def many_cells(count: int) -> Workload:
    """One stage of so many trivial cells."""
    cells = ("total = 0", *["total += 1"] * (count - 2), TELL)
    return Workload("cells", f"{count} trivial cells in one stage", "import json", (Step("count", cells),))


def big_output() -> Workload:
    """One stage whose first cell puts out 20 MB, before 30 trivial ones."""
    cells = ('total = 0\nprint("\\n".join(["x" * 99] * 200_000))', *["total += 1"] * 29, TELL)
    return Workload("output", "a cell that puts out 20 MB, then 30 cells", "import json", (Step("print", cells),))
