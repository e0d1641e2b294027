"""The stages at work: which, in whose kernels, how often each was started, and whether there is room for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from stagebook.events import Event, Notice
from stagebook.model import Pipeline, Stage
from stagebook.run.plan import Verdict
from stagebook.run.schedule import Schedule
from stagebook.run.settled import Settled


class AtWork:
    """Stages that were started and whose results have not come.

    Args:
        schedule: knows what the machine has for them.
        tell: is told of stages that wait for memory.
    """

    def __init__(self, schedule: Schedule, tell: Callable[[Event], None]) -> None:
        self.starts: Counter[str] = Counter()
        self._schedule = schedule
        self._tell = tell
        self._verdicts: dict[str, Verdict] = {}
        self._sessions: dict[str, str] = {}
        self._told: set[str] = set()
        self._waiting: dict[str, tuple[Pipeline, tuple[tuple[str, Settled], ...]]] = {}

    def __contains__(self, stage: str) -> bool:
        return stage in self._verdicts

    def __iter__(self) -> Iterator[str]:
        return iter(self._verdicts)

    def __len__(self) -> int:
        return len(self._verdicts)

    def begin(self, stage: str, verdict: Verdict, *, session: str | None) -> None:
        """A stage has been started, in the kernel of `session` if it has none of its own."""
        self._verdicts[stage] = verdict
        self._sessions[stage] = session or stage
        self.starts[stage] += 1
        self._waiting.pop(stage, None)

    def end(self, stage: str) -> tuple[Verdict, str]:
        """A stage's result has come: what it was started from, and the session it ran in."""
        return self._verdicts.pop(stage), self._sessions.pop(stage)

    def is_in_use(self, session: str) -> bool:
        """Whether a stage runs in the session's kernel."""
        return session in self._sessions.values()

    def has_room(self, stage: Stage, pipeline: Pipeline, settled: Mapping[str, Settled]) -> bool:
        """Whether another stage may be started; what it waits for is told, once, if a larger machine would have it."""
        lacking = self._lacks(stage, pipeline)
        if lacking:
            sources = tuple((source, settled[source]) for source in pipeline.sources(stage.name))
            self._waiting[stage.name] = (pipeline, sources)
        if lacking.startswith("memory") and stage.name not in self._told:
            self._told.add(stage.name)
            self._tell(Notice(f"`{stage.name}` waits for {lacking}.", stage.name))
        return not lacking

    def holds(self, stage: Stage, pipeline: Pipeline, settled: Mapping[str, Settled]) -> bool:
        """Whether there is nothing to do for a stage: it is at work, or there is still no room for it.

        One that waits is judged again when there is room, or something else has come to start it from: not each of
        many whenever one is done.
        """
        if stage.name in self:
            return True
        waiting = self._waiting.get(stage.name)
        if waiting is None or waiting[0] is not pipeline:
            return False
        is_as_it_was = all(settled.get(source) is before for source, before in waiting[1])
        return is_as_it_was and bool(self._lacks(stage, pipeline))

    def _lacks(self, stage: Stage, pipeline: Pipeline) -> str:
        return self._schedule.lacks(stage, [pipeline.stage(name) for name in self])
