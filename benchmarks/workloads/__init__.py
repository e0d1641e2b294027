"""What is computed: one file a workload, or a kin of them; `ALL` lists them by name."""

from __future__ import annotations

from benchmarks.workloads.branches import branches
from benchmarks.workloads.cells import big_output, many_cells
from benchmarks.workloads.flights import flights
from benchmarks.workloads.gigabyte import gigabyte
from benchmarks.workloads.linear import linear
from benchmarks.workloads.model import Step, Workload
from benchmarks.workloads.trivial import trivial

__all__ = ["ALL", "Step", "Workload"]

ALL = {
    workload.name: workload
    for workload in (trivial(10), branches(), linear(), flights(), gigabyte(), many_cells(200), big_output())
}
