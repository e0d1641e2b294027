"""The differential test's report: a table for people, JSON for programs, and whether the target is met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tests.differential.comparing import Verdict

LEAST_IDENTICAL = 0.97


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample and what came of it: cells, verdict, and the seconds that the plain run and Stagebook's took."""

    name: str
    cells: int
    verdict: Verdict
    plain_seconds: float
    staged_seconds: float


def target_is_met(judged: Sequence[Judged]) -> bool:
    """No sample differs, and at least 97 in a hundred are identical."""
    counts = Counter(one.verdict.verdict for one in judged)
    return not counts["different"] and counts["identical"] >= LEAST_IDENTICAL * len(judged)


def as_table(judged: Sequence[Judged]) -> str:
    """A line a sample, what differs or is refused below it, and the counts."""
    width = max((len(one.name) for one in judged), default=0)
    lines = [line for one in judged for line in _lines(one, width)]
    counts = Counter(one.verdict.verdict for one in judged)
    told = ", ".join(f"{counts[word]} {word}" for word in ("identical", "refused", "different"))
    share = 100 * counts["identical"] / len(judged) if judged else 100.0
    return "\n".join([*lines, f"{len(judged)} notebooks: {told} ({share:.1f} % identical)"])


def as_json(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """All that was found, as plain values."""
    return [asdict(one) for one in judged]


def _lines(one: Judged, width: int) -> list[str]:
    verdict = one.verdict
    seconds = f"{one.plain_seconds:6.1f} s plain {one.staged_seconds:6.1f} s staged"
    excluded = f"  {len(verdict.excluded)} places left out" if verdict.excluded else ""
    lines = [f"{one.name:{width}}  {one.cells:2} cells  {seconds}  {verdict.verdict}{excluded}"]
    if verdict.reason:
        lines.append(f"    {_short(verdict.reason)}")
    for found in verdict.differences if verdict.verdict == "different" else ():
        lines.append(f"    {found.place}: plain {_short(found.plain)!r}, staged {_short(found.staged)!r}")
    return lines


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 200 else f"{text[:120]} ... {text[-75:]}"
