"""Running a sweep: its points side by side in this process, on the slots of one runner, each run by `run_notebook`."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from stagebook.book.parameters import checked
from stagebook.book.pipeline import load_pipeline
from stagebook.book.secrets import secret_names
from stagebook.errors import StagebookError, UsageError, did_you_mean
from stagebook.events import Event, PointEvent, PointFinished, PointStarted, SweepFinished, SweepStarted
from stagebook.model import Pipeline
from stagebook.plan import Selection
from stagebook.run.axes import read_axes
from stagebook.run.claims import Claims, Shared
from stagebook.run.decisions import selected_stages
from stagebook.run.files import writable_folder
from stagebook.run.interrupts import interrupts
from stagebook.run.kernelspecs import check_kernel
from stagebook.run.placing import runner_on
from stagebook.run.record import Run, utc_now
from stagebook.run.request import home_for
from stagebook.run.search import Search
from stagebook.run.sweep import Axis, Objective, Point, PointRecord, Range, Sweep, best, grid, is_swept, label
from stagebook.run.sweep_journal import SweepJournal
from stagebook.run.telling import Telling
from stagebook.run.unrecorded import Within
from stagebook.store.digests import digest_of_json


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """A sweep that is wanted.

    Attributes:
        notebook: the source notebook.
        given: parameters as on the command line: name, and values or a range as text; of a secret one, its one value.
        objective: what makes a point the best one.
        trials: how many points a search may try; None for a grid.
        sample: how many points of a grid to take at random; None for all.
        seed: where chance starts.
        selection: which stages may run.
        out: folder for table, picture and the points' runs; by default all of them go to the store.
        jobs: kernels at work at once, over all points; None for one a core.
        on: where stages run; None for this machine.
        track: whether to record it in MLflow.
        later: leave that to another process, without waiting for it.
        store: where results are kept, a folder or a URL; `.stagebook` beside the notebook by default.
    """

    notebook: Path
    given: tuple[tuple[str, str], ...]
    objective: Objective | None = None
    trials: int | None = None
    sample: int | None = None
    seed: int = 0
    selection: Selection = Selection()  # noqa: RUF009 - frozen
    out: Path | None = None
    jobs: int | None = None
    on: str | None = None
    track: bool = True
    later: bool = False
    store: str | Path | None = None


def sweep_notebook(request: SweepRequest, *, listeners: tuple[Callable[[Event], None], ...] = ()) -> Sweep:
    """Run a notebook once for each point; what points share is run once.

    Returns:
        The sweep. Its `state` says whether points failed: that raises nothing.

    Raises:
        StagebookError: nothing was run: the notebook, a parameter, the metric, a folder is wrong; or the first point
            shows that there is no such metric.
    """
    from stagebook.run.sweep_files import save

    pipeline = load_pipeline(request.notebook)
    secrets, given = _secrets_apart(request, pipeline)
    axes = read_axes(pipeline.parameters, given, notebook=request.notebook.name, search=request.trials is not None)
    _check(request, pipeline, axes)
    place = home_for(request.notebook.resolve(), request.store)
    name = f"{request.notebook.stem}-{_identity(request, axes)}"
    home = writable_folder(place / "sweeps" / name)
    folder = writable_folder(request.out.absolute()) if request.out else home
    points = _points(request, axes, home)
    sweep = Sweep(
        name,
        "done",
        request.notebook,
        folder,
        axes,
        request.objective,
        points=(),
        planned=points.total,
        started=utc_now(),
        duration=0.0,
        secrets=tuple(secrets),
    )
    clock = time.perf_counter()
    with ExitStack() as stack:
        stack.callback(points.close)
        journal = SweepJournal(sweep, place, wait=not request.later) if request.track else None
        tell = Telling((*listeners, *([journal] if journal else [])))
        runner = stack.enter_context(runner_on(request.on, request.jobs))
        sweeping = _Sweeping(request, sweep, points, secrets, runner, journal, tell)
        tell(_started(sweep))
        done = sweeping.run()
        done = replace(done, duration=round(time.perf_counter() - clock, 3))
        save(done)
        if journal is not None:
            journal.end(done, tell)
        tell(SweepFinished(done))
    return done


class Points(Protocol):
    """Where the points of a sweep come from."""

    total: int

    def next(self) -> Point | None:
        """The next point; None when there is none left."""

    def told(self, number: int, value: float | None) -> None:
        """What came of a point."""

    def close(self) -> None:
        """Nothing more is asked."""


class _Grid:
    """Points that are known from the start."""

    def __init__(self, points: Sequence[Point]) -> None:
        self.total = len(points)
        self._left = iter(points)

    def next(self) -> Point | None:
        return next(self._left, None)

    def told(self, number: int, value: float | None) -> None:
        """Nothing depends on it."""

    def close(self) -> None:
        """Nothing is open."""


@dataclass(frozen=True, slots=True)
class _Ended:
    point: Point
    future: Future[Run]


class _Stop:
    """Somebody pressed Ctrl-C."""


class _Sweeping:
    """One sweep under way. All is decided in the thread that calls `run`; each point's run has a thread of its own."""

    def __init__(
        self,
        request: SweepRequest,
        sweep: Sweep,
        points: Points,
        secrets: Mapping[str, Any],
        runner: Any,
        journal: SweepJournal | None,
        tell: Callable[[Event], None],
    ) -> None:
        self.request = request
        self.sweep = sweep
        self.points = points
        self.secrets = secrets
        self.runner = runner
        self.journal = journal
        self.tell = tell
        self.claims = Claims()
        self.records: dict[int, PointRecord] = {}
        self._active: set[int] = set()
        self._clocks: dict[int, float] = {}
        self._error: StagebookError | None = None
        self._stopped = False
        self._interrupted = False
        self._inbox: queue.SimpleQueue[PointEvent | _Ended | _Stop] = queue.SimpleQueue()
        self._at_once = runner.slots + (request.trials is None)  # a grid point may get ready while others compute

    def run(self) -> Sweep:
        """Run points until there are no more; Ctrl-C interrupts those that run and ends the sweep in good order."""
        _import_once()
        with (
            ThreadPoolExecutor(self._at_once, thread_name_prefix="stagebook-point") as threads,
            interrupts(self._ask_to_stop),
        ):
            try:
                while self._start_points(threads) or self._active:
                    self._attend(self._inbox.get())
            except BaseException:
                self.claims.interrupt()
                raise
        if self._error is not None:
            raise self._error
        failed = any(record.state != "done" for record in self.records.values())
        state: Any = "interrupted" if self._interrupted else "failed" if failed else "done"
        return replace(self.sweep, state=state, points=tuple(one for _, one in sorted(self.records.items())))

    def _start_points(self, threads: ThreadPoolExecutor) -> bool:
        """Fill up what may run at once; True if a point was started."""
        started = False
        while not self._stopped and len(self._active) < self._at_once:
            point = self.points.next()
            if point is None:
                break
            started = True
            self._active.add(point.number)
            self._clocks[point.number] = time.perf_counter()
            self.tell(PointStarted(point.number, point.parameters))
            future = threads.submit(self._run_point, point)
            future.add_done_callback(lambda done, point=point: self._inbox.put(_Ended(point, done)))  # type: ignore[misc]
        return started

    def _run_point(self, point: Point) -> Run:
        """A point's run; in a thread of its own."""
        from stagebook.run.api import run_notebook

        within = None
        if self.journal is not None:
            within = Within(self.journal.id, point.number, label(point.parameters, self.sweep.swept))
        out = self.request.out
        return run_notebook(
            self.request.notebook,
            parameters={**point.parameters, **self.secrets},
            selection=self.request.selection,
            out=out / f"point-{point.number:03}" if out else None,
            listeners=(lambda event: self._inbox.put(PointEvent(point.number, event)),),
            track=self.request.track,
            store=self.request.store,
            shared=Shared(self.claims, self.runner, within),
        )

    def _attend(self, item: PointEvent | _Ended | _Stop) -> None:
        if isinstance(item, _Stop):
            self._interrupted = True
            self._stop()
        elif isinstance(item, PointEvent):
            self.tell(item)
        else:
            self._take_in(item)

    def _take_in(self, ended: _Ended) -> None:
        number = ended.point.number
        self._active.discard(number)
        record = _record(ended, time.perf_counter() - self._clocks.pop(number))
        self.records[number] = record
        objective = self.sweep.objective
        if objective and record.state == "done" and self._error is None:
            self._error = self._no_such_metric(objective.metric, record)
            if self._error is not None:
                self._stop()
        if record.state != "interrupted":
            value = objective.value(record.metrics) if objective and record.state == "done" else None
            self.points.told(number, value)
        best_one = best(tuple(self.records.values()), objective)
        self.tell(PointFinished(number, record, best_one.number if best_one else None))

    def _no_such_metric(self, metric: str, record: PointRecord) -> UsageError | None:
        """What to say where a point, had it one, would have shown the metric; nobody has seen it so far."""
        stem = metric.split(".")[0]
        others = {name for name in record.metrics if name.split(".")[0] == stem}
        if metric in record.metrics or not others or any(metric in one.metrics for one in self.records.values()):
            return None
        return UsageError(f"There is no metric `{metric}`.{did_you_mean(metric, others)}")

    def _ask_to_stop(self) -> None:
        self._inbox.put(_Stop())

    def _stop(self) -> None:
        self._stopped = True
        self.claims.interrupt()


def _record(ended: _Ended, duration: float) -> PointRecord:
    """What came of a point. Whatever is no error of Stagebook's own is raised."""
    point, took = ended.point, round(duration, 3)
    try:
        run = ended.future.result()
    except StagebookError as error:
        return PointRecord(point.number, point.parameters, "failed", str(error), {}, took, "", None, 0, 0)
    assert run.state != "running", "it is over"
    assert run.state != "rejected", "the points of a sweep have no gates"
    blamed = [stage for stage in run.stages if stage.state in ("failed", "interrupted")]
    reason = f"{blamed[0].stage}: {blamed[0].reason}" if blamed else ""
    states = [stage.state for stage in run.stages]
    return PointRecord(
        point.number,
        point.parameters,
        run.state,
        reason,
        run.metrics,
        took,
        run.id,
        run.folder,
        states.count("done"),
        states.count("reused"),
    )


def _secrets_apart(request: SweepRequest, pipeline: Pipeline) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The secrets that are given, and what is given else: all that a sweep tells and keeps comes from that."""
    secret = secret_names(pipeline.parameters)
    found: dict[str, Any] = {}
    for name, text in request.given:
        if name in found:
            raise UsageError(f"Parameter `{name}` is given twice. It is secret, and the same for all points.")
        if name in secret:
            found |= checked(pipeline.parameters, {name: text}, notebook=request.notebook.name)
    return found, [(name, text) for name, text in request.given if name not in secret]


def _check(request: SweepRequest, pipeline: Pipeline, axes: Sequence[Axis | Range]) -> None:
    """Raise for what can be known to be wrong before anything runs."""
    check_kernel(pipeline.kernel)
    selected = selected_stages(pipeline, request.selection)
    if not any(is_swept(axis) for axis in axes):
        known = ", ".join(f"`{parameter.name}`" for parameter in pipeline.parameters) or "none"
        wanted = "-p NAME 2:10" if request.trials is not None else "-p NAME 1,2,3"
        raise UsageError(
            f"There is nothing to sweep: give a parameter several values with {wanted}. "
            f"The parameters of {request.notebook.name} are: {known}."
        )
    if request.objective is not None:
        metric = request.objective.metric
        declared = {name for stage in pipeline.stages if stage.name in selected for name in stage.options.metrics}
        if metric not in declared and metric.split(".")[0] not in declared:
            hint = did_you_mean(metric, declared) or " No stage names one: write `metrics=NAME` on its `%%stage` line."
            raise UsageError(f"No stage that is to run has a metric `{metric}`.{hint}")


def _points(request: SweepRequest, axes: Sequence[Axis | Range], home: Path) -> Points:
    if request.trials is None:
        return _Grid(grid([axis for axis in axes if isinstance(axis, Axis)], sample=request.sample, seed=request.seed))
    assert request.objective is not None, "a search has an objective"
    return Search(axes, request.objective, trials=request.trials, seed=request.seed, file=home / "study.db")


def _identity(request: SweepRequest, axes: Sequence[Axis | Range]) -> str:
    """The same for a command that is given again, so that it takes up what it left: of a search, the study too."""
    search = request.trials is not None
    parts = {
        "notebook": request.notebook.name,
        "axes": [[axis.name, repr(axis)] for axis in axes],
        "objective": repr(request.objective) if search else None,
        "sample": request.sample,
        "seed": request.seed if search or request.sample else None,
        "stages": [request.selection.only, request.selection.start, request.selection.end],
    }
    return digest_of_json(parts)[:8]


def _started(sweep: Sweep) -> SweepStarted:
    objective = sweep.objective
    return SweepStarted(
        sweep.id,
        str(sweep.notebook),
        sweep.planned,
        {axis.name: str(axis) for axis in sweep.axes if is_swept(axis)},
        objective.metric if objective else None,
        objective.direction if objective else None,
        str(sweep.folder),
    )


def _import_once() -> None:
    """Import what every point needs before there are threads: modules that import each other mind being raced."""
    from stagebook.run.lean import imported

    imported("papermill")  # first of all: it knows what the others can do without
    import nbclient  # noqa: F401
    import nbformat  # noqa: F401
    from jupyter_client.manager import AsyncKernelManager  # noqa: F401
