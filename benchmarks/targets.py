"""What is aimed at: ratios to the better of the peers named, measured in the same session."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from benchmarks.peers import ALL as PEERS
from benchmarks.plan import CACHING, EVERYONE
from benchmarks.rows import Cell, Table

ISOLATING = tuple(name for name in EVERYONE if PEERS[name].isolates and name != "stagebook")
Outcome = Literal["met", "missed", "not measured"]


@dataclass(frozen=True)
class Target:
    """A ratio that is to be at most the limit.

    Attributes:
        title: what is compared with what.
        ours: what is above the line.
        peers: what is below it; the smallest median counts.
        limit: the most that the ratio may be.
    """

    title: str
    ours: Cell
    peers: tuple[Cell, ...]
    limit: float


@dataclass(frozen=True)
class Verdict:
    """How a target stands.

    Attributes:
        target: the target.
        ratio: of the medians; None if something was not measured.
        peer: the better peer's name.
        lowest: the lowest ratio of a single round.
        highest: the highest one.
        rounds: how many rounds have both.
    """

    target: Target
    ratio: float | None = None
    peer: str = ""
    lowest: float | None = None
    highest: float | None = None
    rounds: int = 0

    @property
    def outcome(self) -> Outcome:
        """Whether the target is met."""
        if self.ratio is None:
            return "not measured"
        return "met" if self.ratio <= self.target.limit else "missed"


def judge(target: Target, table: Table) -> Verdict:
    """Compare medians; peers that were not measured are left out."""
    ours = table.median(target.ours)
    medians = {peer: table.median(peer) for peer in target.peers}
    measured = {peer: value for peer, value in medians.items() if value}
    if ours is None or not measured:
        return Verdict(target)
    best = min(measured, key=lambda peer: measured[peer])
    above, below = table.values(target.ours), table.values(best)
    single = [above[number] / below[number] for number in sorted(above.keys() & below.keys())]
    ratio = ours / measured[best]
    return Verdict(target, ratio, best.contender, min(single, default=ratio), max(single, default=ratio), len(single))


def _against(session: str, situation: str, *peers: str, cold: bool = False) -> tuple[Cell, tuple[Cell, ...]]:
    """Stagebook's cell and the peers', whose cold runs count if they keep nothing."""
    there = "cold" if cold else situation
    return Cell(session, situation, "stagebook"), tuple(Cell(session, there, peer) for peer in peers)


def _targets() -> Iterable[Target]:
    kept = [peer for peer in CACHING if peer != "stagebook"]
    start = (Cell("starts", "start", "stagebook"), (Cell("starts", "start", "ordinary kernel"),))
    share = (Cell("share", "cold", "verification and fingerprints"), (Cell("share", "cold", "whole run"),))
    yield Target("two-branch notebook, cold, against Papermill", *_against("branches", "cold", "papermill"), 0.60)
    yield Target("linear notebook, cold, against Papermill", *_against("linear", "cold", "papermill"), 1.00)
    yield Target(
        "ten trivial isolated stages against Papermill on the same cells in one kernel",
        *_against("trivial", "cold", "papermill"),
        1.00,
    )
    yield Target(
        "ten trivial isolated stages against the fastest peer that isolates stages",
        *_against("trivial", "cold", *ISOLATING),
        0.15,
    )
    yield Target("200 cells against bare nbclient", *_against("cells", "cold", "nbclient"), 1.00)
    yield Target(
        "a 20 MB output followed by 30 cells against bare nbclient", *_against("output", "cold", "nbclient"), 1.00
    )
    same = "nothing changed"
    yield Target(f"{same}, against Papermill", *_against("branches", same, "papermill", cold=True), 0.05)
    yield Target(f"{same}, against the fastest caching peer", *_against("branches", same, *kept), 0.25)
    edited = "last stage edited"
    yield Target(f"{edited}, against Papermill", *_against("branches", edited, "papermill", cold=True), 0.25)
    yield Target("sweep of eight against eight Papermill runs", *_against("branches", "sweep", "papermill"), 0.20)
    yield Target("stage start against an ordinary kernel with the same imports", *start, 0.05)
    yield Target("peak memory of the two-branch run against Papermill", *_against("memory", "cold", "papermill"), 1.6)
    yield Target("the demo recorded in MLflow, against `--no-track`", *_against("record", "cold", "untracked"), 1.05)
    yield Target("verification and fingerprints, share of a run's time", *share, 0.05)


TARGETS = tuple(_targets())
