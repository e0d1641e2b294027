"""What runs in one process share, so that none runs a stage that another is running: it waits, and reuses the result.

A claim is held by the run whose kernel works on the stage, and by nobody else: whoever holds one waits for no other, so
that runs cannot wait for each other in a circle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from stagebook.run.job import StageResult
from stagebook.run.unrecorded import Within


class Claims:
    """Which stages are being run, by fingerprint, and what came of them since this was made. Used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, set[Claimant]] = {}
        self._ran: set[str] = set()
        self._failed: dict[str, StageResult] = {}
        self._claimants: set[Claimant] = set()
        self._interrupted = False

    def interrupt(self) -> None:
        """Interrupt every run that takes part, and those that will."""
        with self._lock:
            self._interrupted = True
            claimants = set(self._claimants)
        for claimant in claimants:
            claimant.interrupt()

    def join(self, claimant: Claimant) -> None:
        """Let a run take part."""
        with self._lock:
            self._claimants.add(claimant)
            interrupted = self._interrupted
        if interrupted:
            claimant.interrupt()

    def leave(self, claimant: Claimant) -> None:
        """Forget a run that is over."""
        with self._lock:
            self._claimants.discard(claimant)

    def take(self, key: str, claimant: Claimant) -> bool:
        """Whether the claim is the caller's now; if not, the caller is woken when it is free."""
        with self._lock:
            if key not in self._waiting:
                self._waiting[key] = set()
                return True
            self._waiting[key].add(claimant)
            return False

    def give_back(self, key: str, result: StageResult | None) -> None:
        """Free the claim and wake those who wait for it.

        A failure in the stage's code is kept: the same code would fail on the same inputs again.
        """
        with self._lock:
            if result is not None and result.state in ("done", "skipped"):
                self._ran.add(key)
            elif result is not None and result.state == "failed" and result.failure and result.failure.cell:
                self._failed[key] = result
            claimants = self._waiting.pop(key)
        for claimant in claimants:
            claimant.freed(key)

    def failure(self, key: str) -> StageResult | None:
        """How the stage of this fingerprint failed, if it did."""
        return self._failed.get(key)

    def ran(self, key: str) -> bool:
        """Whether one of the runs has run the stage of this fingerprint to its end."""
        return key in self._ran


@dataclass(eq=False)
class Claimant:
    """One run among those that share claims; a context manager, which gives back at its end what is still held.

    Attributes:
        claims: what it shares.
        wake: called, in any thread, when a stage that the run waits for may be there.
        interrupt: called, in any thread, when all runs are to end.
    """

    claims: Claims
    wake: Callable[[], None]
    interrupt: Callable[[], None]
    _held: dict[str, str] = field(default_factory=dict)
    _awaited: set[str] = field(default_factory=set)

    @property
    def waiting(self) -> bool:
        """Whether another run works on a stage that this one needs."""
        return bool(self._awaited)

    def take(self, stage: str, key: str) -> bool:
        """Claim the stage; False where another run has it: then `wake` is called when that is over."""
        self._awaited.add(key)  # before asking: it may be freed before the answer is here
        if self.claims.take(key, self):
            self._awaited.discard(key)
            self._held[stage] = key
            return True
        return False

    def freed(self, key: str) -> None:
        """What it waits for is over."""
        self._awaited.discard(key)
        self.wake()

    def give_back(self, stage: str, result: StageResult | None = None) -> None:
        """Give back the claim to a stage, if there is one, with what came of it."""
        key = self._held.pop(stage, None)
        if key is not None:
            self.claims.give_back(key, result)

    def stop_waiting(self) -> None:
        """Need nothing more of what other runs do."""
        self._awaited.clear()

    def __enter__(self) -> Claimant:
        self.claims.join(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.claims.leave(self)
        for stage in list(self._held):
            self.give_back(stage)


@dataclass(frozen=True, slots=True)
class Shared:
    """What the runs of a sweep have in common.

    Attributes:
        claims: which stages they are running.
        runner: whose slots they share.
        within: the sweep that the run is a point of, where that is recorded.
    """

    claims: Claims
    runner: Any
    within: Within | None = None
