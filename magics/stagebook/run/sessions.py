"""Stages that share a kernel, because a value that passes between them cannot be stored."""

from __future__ import annotations

from collections.abc import Iterable


class Sessions:
    """Which stage's kernel holds which names, and which stages have run in it.

    A session is named by the stage that started its kernel.

    Attributes:
        joined: stages that must run in a session though they take nothing from it, since one stage takes values that
            cannot be stored from both: stage -> session.
    """

    def __init__(self) -> None:
        self.joined: dict[str, str] = {}
        self._session: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}

    def of(self, stage: str, sources: Iterable[str]) -> str:
        """The session that `stage` belongs to, given the stages it takes unstorable values from."""
        for source in sources:
            return self._session.get(source, source)
        owner = self.joined.get(stage, stage)
        return self._session.get(owner, owner)

    def share(self, stage: str, source: str) -> bool:
        """Whether both have run in one kernel."""
        home = self._session.get(stage)
        return home is not None and self._session.get(source, source) == home

    def members(self, session: str) -> set[str]:
        """The stages that have run in the session's kernel."""
        return {stage for stage, home in self._session.items() if home == session}

    def names(self, session: str) -> set[str]:
        """The names that live in the session's kernel only."""
        return self._names.get(session, set())

    def note(self, stage: str, unstorable: set[str], *, ran_in: str) -> None:
        """`stage` has run in this session and left these names there; its own it has begun anew."""
        if ran_in == stage:
            self._dissolve([stage])
        if unstorable or ran_in != stage:
            self._session[stage] = ran_in
            self._names.setdefault(ran_in, set()).update(unstorable)

    def to_run_again(self, stage: str, sources: set[str]) -> set[str]:
        """Stages that must run (again) before `stage` can: their kernel is not there, used up, or not one kernel."""
        owner = self.joined.get(stage)
        missing = {source for source in [*sources, *([owner] if owner else [])] if source not in self._session}
        if missing:
            return missing
        homes = sorted({self._session[source] for source in sources})
        if len(homes) > 1:
            self.joined |= dict.fromkeys(homes[1:], homes[0])
            return self._dissolve(homes[1:])
        if sources and self._session.get(stage) in homes:
            return self._dissolve(homes)  # it has run there before: what it took may be used up
        return set()

    def _dissolve(self, sessions: list[str]) -> set[str]:
        members = {stage for stage, session in self._session.items() if session in sessions}
        for stage in members:
            del self._session[stage]
        for session in sessions:
            self._names.pop(session, None)
        return members
