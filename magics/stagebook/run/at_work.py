"""The stages at work: which, in whose kernels, how often each was started, and whether there is room for another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from stagebook.events import Event, Notice
from stagebook.model import Pipeline, Stage
from stagebook.run.plan import Verdict
from stagebook.run.schedule import Schedule


class AtWork:
    """Stages that were started and whose results have not come.

    Args:
        schedule: knows what the machine has for them.
    """

    def __init__(self, schedule: Schedule) -> None:
        self.starts: Counter[str] = Counter()
        self._schedule = schedule
        self._verdicts: dict[str, Verdict] = {}
        self._sessions: dict[str, str] = {}
        self._told: set[str] = set()

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

    def end(self, stage: str) -> tuple[Verdict, str]:
        """A stage's result has come: what it was started from, and the session it ran in."""
        return self._verdicts.pop(stage), self._sessions.pop(stage)

    def is_in_use(self, session: str) -> bool:
        """Whether a stage runs in the session's kernel."""
        return session in self._sessions.values()

    def has_room(self, stage: Stage, pipeline: Pipeline, tell: Callable[[Event], None]) -> bool:
        """Whether another stage may be started; what it waits for is told, once, if a larger machine would have it."""
        lacking = self._schedule.lacks(stage, [pipeline.stage(name) for name in self])
        if lacking.startswith("memory") and stage.name not in self._told:
            self._told.add(stage.name)
            tell(Notice(f"`{stage.name}` waits for {lacking}.", stage.name))
        return not lacking
