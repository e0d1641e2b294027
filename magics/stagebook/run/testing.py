"""Running test cells: each in a kernel of its own, on the results of its stage that a run would reuse now.

Nothing that a test does is kept. What it changes in place is a copy of its own: values come from the store.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from stagebook.book.notebook import read_document
from stagebook.book.parameters import checked
from stagebook.book.pipeline import recalled_pipeline
from stagebook.book.secrets import secret_names, secret_texts
from stagebook.events import CellTested, Event
from stagebook.model import frozen_map
from stagebook.plan import Selection
from stagebook.registry import plugin
from stagebook.run.api import run_notebook
from stagebook.run.asserting import EARLY
from stagebook.run.cell_tests import CellTest, cell_tests, hidden_sources, sources_of
from stagebook.run.contents import stored_inputs
from stagebook.run.footing import Footing, Missing, footing_of, not_kept
from stagebook.run.interrupts import interrupts
from stagebook.run.job import Failure, StageJob, StageResult
from stagebook.run.job_cells import job_cells, preamble_with
from stagebook.run.kernelspecs import check_kernel
from stagebook.run.plan import Planner
from stagebook.run.presence import Presence
from stagebook.run.put_out import printed
from stagebook.run.record import new_run_id
from stagebook.run.refresh import refreshed
from stagebook.run.request import store_for
from stagebook.run.status import given_words
from stagebook.run.telling import Telling

Outcome = Literal["passed", "failed", "error", "skipped"]

_SKIPPING = frozenset({"Skipped", "SkipTest"})
"""What `pytest.skip` and `unittest` raise."""


@dataclass(frozen=True, slots=True)
class Tested:
    """What came of a test cell.

    Attributes:
        stage: the stage that it tests.
        cell: its number.
        title: the comment that it begins with, else `cell 7`.
        source: its text in the notebook.
        outcome: `failed` where the cell raised, `error` where it could not be run.
        duration: seconds that the cell took.
        failure: what was raised, or went wrong.
        output: what the cell put out, as text.
        reason: why it was skipped.
        stale: whether it was skipped since a stage has no current result.
    """

    __test__ = False  # for pytest, which would take it for a test by its name

    stage: str
    cell: int
    title: str
    source: str
    outcome: Outcome
    duration: float = 0.0
    failure: Failure | None = None
    output: str = ""
    reason: str = ""
    stale: bool = False


@dataclass(frozen=True, slots=True)
class TestReport:
    """What came of a notebook's test cells, in its order."""

    __test__ = False

    notebook: Path
    tested: tuple[Tested, ...]
    duration: float

    def count(self, outcome: Outcome) -> int:
        """How many came out like this."""
        return sum(one.outcome == outcome for one in self.tested)

    @property
    def passed(self) -> bool:
        """Whether all that was asked for holds: none failed, and none was skipped since its stage is stale."""
        return not any(one.outcome in ("failed", "error") or one.stale for one in self.tested)


def run_tests(
    notebook: Path,
    *,
    stages: Collection[str] = (),
    parameters: Mapping[str, Any] | None = None,
    store: str | Path | None = None,
    jobs: int | None = None,
    run: bool = False,
    listeners: tuple[Callable[[Event], None], ...] = (),
) -> TestReport:
    """Run a notebook's test cells on the results of its stages.

    Args:
        notebook: the source notebook.
        stages: whose tests; of all stages where none is named.
        parameters: values for names of its parameters cell: they say which results are meant.
        store: where results are kept; `.stagebook` beside the notebook by default.
        jobs: kernels at work at once; by default one a core.
        run: whether to run stale stages first. Such a run is not recorded in MLflow.
        listeners: told of each test that is over, in the notebook's order, and of what happens in such a run.

    Raises:
        StagebookError: nothing was tested: the notebook, a parameter, a stage's name or the kernel is wrong.
        KeyboardInterrupt: somebody pressed Ctrl-C; the kernels have ended.
    """
    began = time.perf_counter()
    tell = Telling(listeners)
    with Testing(
        notebook, stages=stages, parameters=parameters, store=store, jobs=jobs, run=run, listeners=(tell,)
    ) as testing:
        tested = []
        for one in testing.outcomes():
            tell(CellTested(one))
            tested.append(one)
    return TestReport(notebook, tuple(tested), round(time.perf_counter() - began, 4))


class Testing:
    """Runs test cells of one notebook, each as often as it is asked to; a context manager, which ends its kernels.

    Args:
        notebook: as for `run_tests`.
        stages: as above.
        cells: numbers of the test cells that may be asked for; all of these stages by default.
        parameters: as above.
        store: as above.
        jobs: as above.
        run: as above.
        listeners: told of what happens in a run that is done first.

    Attributes:
        tests: the test cells, in notebook order.
    """

    __test__ = False

    def __init__(
        self,
        notebook: Path,
        *,
        stages: Collection[str] = (),
        cells: Collection[int] | None = None,
        parameters: Mapping[str, Any] | None = None,
        store: str | Path | None = None,
        jobs: int | None = None,
        run: bool = False,
        listeners: tuple[Callable[[Event], None], ...] = (),
    ) -> None:
        document = read_document(notebook)
        self._pipeline = pipeline = recalled_pipeline(document, notebook)
        self._values = checked(pipeline.parameters, parameters or {}, notebook=notebook.name)
        check_kernel(pipeline.kernel)
        found = cell_tests(pipeline, stages)
        self.tests = tuple(test for test in found if cells is None or test.cell in cells)
        self._notebook, self._store, self._jobs = notebook, store, jobs
        self._given = parameters or {}
        self._listeners = listeners
        self._run = run
        sources = job_cells(document, pipeline)
        self._cells = {cell.number: cell for cell in sources.values()}
        self._preamble = preamble_with(self._values, document, pipeline, sources)
        self._ready: dict[int, StageJob | Tested] = {}
        self._stack = ExitStack()
        self._runner: Any = None

    def __enter__(self) -> Testing:
        with self._stack:
            footing = self._footing()
            self._ready = {test.cell: self._prepared(test, footing) for test in self.tests}
            jobs = [one for one in self._ready.values() if isinstance(one, StageJob)]
            if jobs:
                planner = footing.planner
                self._stack.enter_context(Presence(planner.store.home, new_run_id(), keys=planner.keys))
                self._runner = self._stack.enter_context(plugin("runner", "local")(self._jobs))
                sources = [EARLY, *(cell.source for cell in self._preamble)]
                self._runner.prepare(jobs[0].kernel, jobs[0].folder, sources, jobs[0].store, kernels=len(jobs))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def outcomes(self, cells: Collection[int] | None = None) -> Iterator[Tested]:
        """Run the tests, side by side, and give what came of each, in notebook order.

        Args:
            cells: numbers of the test cells; all by default.
        """
        tests = [test for test in self.tests if cells is None or test.cell in cells]
        going: dict[int, Any] = {}
        interrupted = False

        def interrupt() -> None:
            nonlocal interrupted
            interrupted = True
            if self._runner is not None:
                self._runner.interrupt()

        with interrupts(interrupt):
            for test in tests:
                job = self._ready[test.cell]
                if isinstance(job, StageJob):
                    going[test.cell] = self._runner.submit(job, _tell_nobody, _no_variables)
            for test in tests:
                ready = self._ready[test.cell]
                tested = ready if isinstance(ready, Tested) else _tested(test, going[test.cell].result())
                if interrupted:
                    break
                yield tested
        if interrupted:
            raise KeyboardInterrupt

    def _footing(self) -> Footing:
        if not self._run:
            return footing_of(self._planner(), {}, {})
        return refreshed(self.tests, planner_of=self._planner, run=self._run_stages)

    def _planner(self) -> Planner:
        return Planner(self._pipeline, self._values, store_for(self._notebook, self._store))

    def _run_stages(self, selection: Selection, listener: Callable[[Event], None]) -> None:
        run = run_notebook(
            self._notebook,
            parameters=self._given,
            selection=selection,
            jobs=self._jobs,
            listeners=(listener, *self._listeners),
            track=False,
            store=self._store,
        )
        if run.state == "interrupted":
            raise KeyboardInterrupt

    def _prepared(self, test: CellTest, footing: Footing) -> StageJob | Tested:
        """The job that runs a test, or why it cannot be run."""
        planner, results = footing.planner, footing.results
        sources = sources_of(test, footing)
        missing = [footing.missing[name] for name in (test.stage, *sources.values()) if name in footing.missing]
        if missing:
            return self._not_run(test, missing[0], sources)
        for name, source in sources.items():
            if name in results[source].unstorable:
                kind = results[source].unstorable[name]
                what = f"it reads `{name}` ({kind}) of stage `{source}`, which cannot be stored."
                return _error(test, Failure("TypeError", what, 0, f"Check it in a cell of `{source}`."))
            if not_kept(name, results[source]):
                why = f"stage `{source}` has not kept `{name}` when it ran, and it reads that"
                command = self._command("--only", source, "--force")
                return _skipped(test, f"{why}: run it again: {command}", stale=True)
        given = frozen_map({**hidden_sources(test.stage, footing), **sources})
        pipeline = replace(planner.pipeline, inputs=frozen_map({**planner.pipeline.inputs, test.stage: given}))
        return StageJob(
            stage=test.stage,
            kernel=pipeline.kernel,
            folder=str(pipeline.notebook.parent),
            store=planner.store.location,
            preamble=self._preamble,
            cells=(self._cells[test.cell],),
            inputs=stored_inputs(pipeline, pipeline.stage(test.stage), results),
            secrets=frozen_map(secret_texts(pipeline.parameters, planner.parameters)),
            is_test=True,
        )

    def _not_run(self, test: CellTest, missing: Missing, sources: Mapping[str, str]) -> Tested:
        names = sorted(name for name, source in sources.items() if source == missing.stage)
        read = f", whose `{names[0]}` it reads," if names and missing.stage != test.stage else ""
        stage = f"stage `{missing.stage}`{read}"
        if missing.state == "failed":
            return _error(test, Failure("StageFailed", f"{stage} has not run through: {missing.reason}"))
        if missing.state == "skipped":
            return _skipped(test, f"{stage} was skipped: {missing.reason}", stale=False)
        if not self._pipeline.stage(missing.stage).options.cache:
            return _skipped(test, f"{stage} is never stored (`cache=false`): test it with --run", stale=True)
        why = f"{stage} is stale ({missing.reason})"
        return _skipped(test, f"{why}: run it first: {self._command('--to', missing.stage)}", stale=True)

    def _command(self, *words: str) -> str:
        """The command that runs the notebook with these parameters, from this store."""
        given = given_words(self._given, secret_names(self._pipeline.parameters))
        store = ["--store", str(self._store)] if self._store is not None else []
        return shlex.join(["stagebook", "run", str(self._notebook), *given, *store, *words])


def _tested(test: CellTest, result: StageResult) -> Tested:
    if result.state == "interrupted":
        raise KeyboardInterrupt
    record = next((cell for cell in reversed(result.cells) if cell.number == test.cell), None)
    duration = record.duration if record is not None else result.duration
    output = printed(record.outputs) if record is not None else ""
    done = Tested(test.stage, test.cell, test.title, test.source, "passed", duration, output=output)
    failure = result.failure
    if failure is None:
        return done
    if failure.cell != test.cell or failure.name == "DeadKernel":
        return replace(done, outcome="error", failure=failure)
    if failure.name in _SKIPPING:
        return replace(done, outcome="skipped", reason=failure.message)
    return replace(done, outcome="failed", failure=failure)


def _skipped(test: CellTest, reason: str, *, stale: bool) -> Tested:
    return Tested(test.stage, test.cell, test.title, test.source, "skipped", reason=reason, stale=stale)


def _error(test: CellTest, failure: Failure) -> Tested:
    return Tested(test.stage, test.cell, test.title, test.source, "error", failure=failure)


def _tell_nobody(_: Event) -> None:
    """Of a test's cells nobody is told one by one."""


def _no_variables(_: str) -> Mapping[str, str]:
    return {}
