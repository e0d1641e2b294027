"""Which of the stages that may start is started: the critical path first, as far as the machine has room."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from stagebook.model import Pipeline, Stage

CORES, MEMORY = "cores", "memory"
_RESERVE = 0.05
"""The part of the machine's memory that is left alone."""
_MARGIN = 1.2
"""How much more memory a stage may need than it did last time."""


def critical_first(pipeline: Pipeline, durations: Mapping[str, float]) -> tuple[Stage, ...]:
    """The stages, each after those it depends on; of those that may come next, the one farthest from the end.

    Args:
        pipeline: the pipeline.
        durations: how long stages took, in seconds, as far as that is known. Others count as the mean of these.
    """
    usual = sum(durations.values()) / len(durations) if durations else 1.0
    after: dict[str, set[str]] = {stage.name: set() for stage in pipeline.stages}
    waits = dict.fromkeys(after, 0)
    for source, target in {(edge.source, edge.target) for edge in pipeline.edges}:
        after[source].add(target)
        waits[target] += 1
    length: dict[str, float] = {}
    for stage in reversed(pipeline.stages):
        rest = max((length[target] for target in after[stage.name]), default=0.0)
        length[stage.name] = durations.get(stage.name, usual) + rest
    place = {stage.name: position for position, stage in enumerate(pipeline.stages)}
    ready = [(-length[name], place[name]) for name, count in waits.items() if not count]
    heapq.heapify(ready)
    found = []
    while ready:
        stage = pipeline.stages[heapq.heappop(ready)[1]]
        found.append(stage)
        for target in after[stage.name]:
            waits[target] -= 1
            if not waits[target]:
                heapq.heappush(ready, (-length[target], place[target]))
    return tuple(found)


class Schedule:
    """The order in which stages are started, and what the machine has for those at work at the same time.

    Args:
        runner: whose `slots` say how many, each on one core where it does not ask for more.
        durations: how long stages took last time, in seconds, as far as that is known.
        memory: by stage, the bytes it needed last time.
        available: tells how much memory there is for kernels, in bytes.
        limited: whether what stages ask for counts here; else the runner sees to it where it places them.
    """

    def __init__(
        self,
        runner: Any,
        *,
        durations: Mapping[str, float],
        memory: Mapping[str, float],
        available: Callable[[], float],
        limited: bool = True,
    ) -> None:
        self._runner = runner
        self._durations = durations
        self._memory = memory
        self._available = available
        self._limited = limited
        self._at_first: float | None = None
        self._order: tuple[Pipeline | None, tuple[Stage, ...]] = (None, ())

    def order(self, pipeline: Pipeline) -> tuple[Stage, ...]:
        """The stages, each after those it depends on, the critical path first."""
        if self._order[0] is not pipeline:
            self._order = (pipeline, critical_first(pipeline, self._durations))
        return self._order[1]

    def lacks(self, stage: Stage, running: Collection[Stage]) -> str:
        """What a stage has to wait for, nothing if it can start; alone, any stage can.

        Of what is no core and no memory there is as much as the stage that asks for most of it may have.
        """
        slots = self._runner.slots
        if not running:
            return ""
        if len(running) >= slots:
            return "a free slot"
        if not self._limited:
            return ""
        for name, amount in {CORES: 1.0, **dict(stage.options.resources)}.items():
            used = [dict(other.options.resources).get(name, float(name == CORES)) for other in running]
            limit = slots if name == CORES else max(amount, *used)
            if name != MEMORY and sum(used) + amount > limit:
                return f"`{name}`"
        return self._lacking_memory(stage, running)

    def _lacking_memory(self, stage: Stage, running: Collection[Stage]) -> str:
        needed = self._needed(stage)
        if not needed:
            return ""
        now = self._available()
        self._at_first = now if self._at_first is None else self._at_first
        free = min(now, self._at_first - sum(map(self._needed, running)))
        return "" if needed <= free else f"memory: it needs about {_size(needed)}, {_size(max(free, 0))} are free"

    def _needed(self, stage: Stage) -> float:
        asked = dict(stage.options.resources).get(MEMORY)
        return asked if asked is not None else self._memory.get(stage.name, 0.0) * _MARGIN


def available_memory() -> float:
    """Bytes that this machine, or the container, has for more processes; some are left alone."""
    import psutil

    found = psutil.virtual_memory()
    free, total = float(found.available), float(found.total)
    limit, used = _control_group()
    if limit is not None and limit < total:
        free, total = min(free, limit - used), limit
    return free - _RESERVE * total


def _control_group() -> tuple[float | None, float]:
    """The memory that this process's control group (version 2) may use, None for no limit, and what it uses."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        cached = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
        used = float((folder / "memory.current").read_text()) - float(cached.get("inactive_file", 0))
    except (OSError, ValueError):
        return None, 0.0
    return (None if limit == "max" else float(limit)), used


def _size(amount: float) -> str:
    return f"{amount / 2**30:.1f} GiB"
