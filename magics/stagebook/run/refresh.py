"""Running what tests stand on, before they run: stages that are stale, and such that did not keep what a test reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from filelock import FileLock

from stagebook.events import Event, StageFinished
from stagebook.model import Pipeline
from stagebook.plan import Selection
from stagebook.run.cell_tests import CellTest, sources_of
from stagebook.run.footing import Footing, footing_of, not_kept
from stagebook.run.job import StageResult
from stagebook.run.plan import Planner, notebook_key

Run = Callable[[Selection, Callable[[Event], None]], None]

_ROUNDS = 3
"""A stage that is run again for a value that it had not kept may come out different, so that others are stale."""


@dataclass(frozen=True, slots=True)
class Chosen(Selection):
    """These stages; the others' results are what they start from."""

    names: frozenset[str] = frozenset()

    def stages(self, pipeline: Pipeline) -> frozenset[str]:  # noqa: ARG002 - as of every selection
        """The names of the selected stages."""
        return self.names


@dataclass(slots=True)
class _Heard:
    """A listener that keeps what came of stages."""

    results: dict[str, StageResult] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        if not isinstance(event, StageFinished):
            return
        self.reasons.pop(event.stage, None)
        if event.state in ("done", "reused", "skipped"):
            self.results[event.stage] = event.result
        else:
            self.reasons[event.stage] = event.reason


def refreshed(tests: Iterable[CellTest], *, planner_of: Callable[[], Planner], run: Run) -> Footing:
    """What the tests stand on when all has been run that has to be.

    Of several processes that ask for the same, as those of pytest-xdist do, one runs it and the others find it there.

    Args:
        tests: the tests.
        planner_of: makes a planner, which knows what is stored by then.
        run: runs the notebook's selected stages, and tells a listener.
    """
    tests = list(tests)
    heard = _Heard()
    planner = planner_of()
    lock = planner.store.home / "active" / f"tests-{notebook_key(planner.pipeline.notebook)}.lock"
    lock.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(lock):
        for _ in range(_ROUNDS):
            footing = footing_of(planner_of(), heard.results, heard.reasons)
            stale, lacking = _to_run(tests, footing)
            pipeline = footing.planner.pipeline
            if stale:
                run(Chosen(names=stale.union(*map(pipeline.upstream, stale))), heard)
            elif lacking:
                run(Chosen(names=frozenset(lacking), force=True), heard)
            else:
                break
    return footing


def _to_run(tests: Iterable[CellTest], footing: Footing) -> tuple[frozenset[str], frozenset[str]]:
    """The stale stages that the tests need, and those that have not kept what a test reads."""
    stale: set[str] = set()
    lacking: set[str] = set()
    for test in tests:
        sources = sources_of(test, footing)
        missing = (footing.missing[name] for name in {test.stage, *sources.values()} & footing.missing.keys())
        stale |= {one.stage for one in missing if one.state == "stale"}
        known = {name: source for name, source in sources.items() if source in footing.results}
        lacking |= {source for name, source in known.items() if not_kept(name, footing.results[source])}
    return frozenset(stale), frozenset(lacking)
