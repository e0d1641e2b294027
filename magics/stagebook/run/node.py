"""One run of a notebook document, from its start to its end: with kernels, or, where all is there, without."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, NoReturn

from stagebook.book.cells import INJECTED, tags_of
from stagebook.book.gates import asks_champion
from stagebook.book.parameters import checked
from stagebook.book.pipeline import pipeline_of, recalled_pipeline
from stagebook.book.registered import champion_of
from stagebook.book.secrets import shown_values
from stagebook.errors import StoreError
from stagebook.events import Event, Notice, RunFinished, RunStarted, StageFinished
from stagebook.model import Pipeline
from stagebook.run.champions import Champions, no_champions
from stagebook.run.collect import note_finished
from stagebook.run.decisions import selected_stages
from stagebook.run.execute import Environment, Execution, Tell
from stagebook.run.files import remove_leftovers, writable_folder
from stagebook.run.gating import Gates
from stagebook.run.job import JobCell
from stagebook.run.job_cells import job_cells, preamble_cells
from stagebook.run.kernelspecs import check_kernel
from stagebook.run.masking import mask_parameters
from stagebook.run.output import OutputNotebook
from stagebook.run.placing import runner_on
from stagebook.run.plan import Planner
from stagebook.run.presence import Presence
from stagebook.run.provenance import Inquiry, Provenance
from stagebook.run.record import Run, run_state, stage_records, utc_now, versions
from stagebook.run.recording import Journal, environment_for
from stagebook.run.request import Request
from stagebook.run.schedule import Schedule, available_memory
from stagebook.run.settled import Outcome
from stagebook.run.status import note_end, note_start
from stagebook.run.telling import Telling
from stagebook.store.blobs import Store


def run_node(node: Any, request: Request, *, output: Path | None) -> Run:
    """Run a notebook document whose parameters are injected, and fill in its outputs.

    Args:
        node: nbformat 4, changed in place.
        request: how.
        output: where to save it as stages finish.

    Returns:
        The run, whatever became of its stages.
    """
    injected = any(INJECTED in tags_of(cell) for cell in node["cells"])
    pipeline = (pipeline_of if injected else recalled_pipeline)(node, request.source)
    this = _Course.of(node, pipeline, request, output)
    document = this.document(output)
    with ExitStack() as stack:
        presence = stack.enter_context(this.presence())
        journal = stack.enter_context(Journal(request, this.unfinished)) if request.track else None
        runner = request.runner or stack.enter_context(_runner(request))
        tell = Telling((presence, document, *request.listeners, runner.hear, *([journal] if journal else [])))
        runner.check(str(request.source.parent), this.planner.packages(), this.planner.store.location)
        gates = stack.enter_context(this.gates(ahead=True))
        execution = this.execution(runner, tell, environment_for(journal, this.planner), gates)
        this.begin(tell)
        outcome = execution.run()
        document.save()
        return this.end(outcome, tell, journal)


def reused_run(node: Any, pipeline: Pipeline, request: Request, *, output: Path) -> Run | None:
    """The run, if it needs no kernel since all that it is to give is there; None where it needs one.

    What happens is told to nobody before that is sure: until then, nothing has been done that a run from the start
    would not do as well.

    Args:
        node: as for `run_node`.
        pipeline: what it was read as.
        request: how.
        output: where to save it.
    """
    this = _Course.of(node, pipeline, request, output)
    with ExitStack() as stack:
        presence = stack.enter_context(this.presence())
        events: list[Event] = []
        try:
            gates = stack.enter_context(this.gates(ahead=False))
            outcome = this.execution(_NoKernels(), events.append, _no_variables, gates).run()
        except _KernelNeededError:
            return None
        if any(_shows_error(event) for event in events):  # Papermill has a way of its own with these
            return None
        told = node["metadata"]["papermill"]
        told |= {"version": told.get("version") or this.planner.installed.versions(["papermill"])["papermill"]}
        document = this.document(None)
        journal = stack.enter_context(Journal(request, this.unfinished)) if request.track else None
        shown = [request.runner.hear] if request.runner else []
        tell = Telling((presence, document, *request.listeners, *shown))
        this.begin(tell)
        for event in events:
            tell(event)
        document.path = output
        document.save()
        return this.end(outcome, tell, journal)


@dataclass(slots=True)
class _Course:
    """What a run stands on, and the notes that it makes at its start and its end."""

    node: Any
    pipeline: Pipeline
    request: Request
    output: Path | None
    parameters: Mapping[str, Any]
    planner: Planner
    cells: Mapping[int, JobCell]
    selected: frozenset[str]
    started: str
    clock: float
    inquiry: Inquiry | None = None

    @classmethod
    def of(cls, node: Any, pipeline: Pipeline, request: Request, output: Path | None) -> _Course:
        given = dict(node["metadata"].get("papermill", {}).get("parameters") or {})
        parameters = checked(pipeline.parameters, given, notebook=request.source.name)
        check_kernel(pipeline.kernel)
        folder = writable_folder(request.folder)
        for path in [folder / "run.json", *([output] if output else [])]:
            remove_leftovers(path.parent, f".{path.name}.")
        planner = Planner(pipeline, parameters, Store.at(request.store), run=request.id)
        selected = selected_stages(pipeline, request.selection)
        cells = job_cells(node, pipeline)
        mask_parameters(node, pipeline.parameters)  # what kernels get is in `cells`
        return cls(
            node, pipeline, request, output, parameters, planner, cells, selected, utc_now(), time.perf_counter()
        )

    @property
    def values(self) -> dict[str, Any]:
        """Every parameter's value; of secrets a mask."""
        return shown_values(self.pipeline.parameters, self.parameters)

    def document(self, path: Path | None) -> OutputNotebook:
        """The output notebook, to be saved there."""
        return OutputNotebook(self.node, self.pipeline, self.cells, run=self.request.id, path=path)

    def presence(self) -> Presence:
        """What keeps removals from the store away."""
        return Presence(self.planner.store.home, self.request.id, keys=self.planner.keys)

    @contextmanager
    def gates(self, *, ahead: bool) -> Iterator[Gates]:
        """What judges the stages' gates; a point of a sweep has to pass none."""
        if self.request.shared is not None or not self.request.track:
            yield Gates(None if self.request.shared is not None else no_champions)
            return
        asking = [stage for stage in self.pipeline.stages if stage.options.gate and asks_champion(stage.options.gate)]
        models = [champion_of(stage.name, self.pipeline) for stage in asking]
        with Champions(self.request.home, [model for model in models if model], ahead=ahead) as champions:
            yield Gates(champions)

    def execution(self, runner: Any, tell: Tell, environment: Environment, gates: Gates) -> Execution:
        """The loop over the stages."""
        pipeline, shared = self.pipeline, self.request.shared
        return Execution(
            self.planner,
            runner,
            preamble=preamble_cells(self.node, pipeline, self.cells),
            cells={stage.name: tuple(self.cells[cell.index] for cell in stage.cells) for stage in pipeline.stages},
            selection=self.request.selection,
            schedule=_schedule(self.planner, runner),
            tell=tell,
            environment=environment,
            claims=shared.claims if shared else None,
            gates=gates,
        )

    def begin(self, tell: Tell) -> None:
        """Note that the run has begun, ask where its code stands, and tell."""
        self.inquiry = Inquiry(self.request.source)
        names = tuple(stage.name for stage in self.pipeline.stages)
        request, values = self.request, self.values
        note_start(self.planner.store, request, values, started=self.started)
        tell(RunStarted(request.id, str(request.source), names, values, str(request.folder)))

    def end(self, outcome: Outcome, tell: Tell, journal: Journal | None) -> Run:
        """Note how the run has ended, have it recorded, and tell."""
        planner, store = self.planner, self.planner.store
        records = stage_records(planner, outcome)
        run = replace(
            self.unfinished(),
            state=run_state(records, self.selected, interrupted=outcome.interrupted),
            stages=records,
            versions=versions(planner.packages(), planner.installed),
            edges=planner.pipeline.edges,
            provenance=self.inquiry.answer(self.request.folder) if self.inquiry else Provenance(),
        )
        run.save()
        if journal is not None:
            journal.end(run, tell)
        note_end(store, run)
        try:
            note_finished(store, run, keys=planner.keys)
        except StoreError as error:
            tell(Notice(f"{error} So `stagebook gc` does not know what this run needs."))
        planner.save_memories()
        tell(RunFinished(run))
        return run

    def unfinished(self) -> Run:
        """The run as it stands, without its stages."""
        request = self.request
        return Run(
            id=request.id,
            state="running",
            notebook=request.source,
            output=self.output,
            folder=request.folder,
            store=request.store,
            home=request.home,
            parameters=self.values,
            stages=(),
            started=self.started,
            duration=round(time.perf_counter() - self.clock, 3),
            versions={},
        )


def _schedule(planner: Planner, runner: Any) -> Schedule:
    """Stages are started as their last runs suggest."""
    last = {stage.name: planner.last(stage.name) or {} for stage in planner.pipeline.stages}
    durations = {name: one["duration"] for name, one in last.items() if one.get("duration")}
    memory = {name: one["memory"] for name, one in last.items() if one.get("memory")}
    available = available_memory if runner.is_here else lambda: inf
    return Schedule(runner, durations=durations, memory=memory, available=available, limited=runner.is_here)


def _runner(request: Request) -> Any:
    """A runner that is closed when the run is over."""
    return request.shared.runner.share() if request.shared else runner_on(request.on, request.jobs)


class _KernelNeededError(Exception):
    """A stage is to be started."""


class _NoKernels:
    """In place of a runner, where nothing is to be run."""

    is_here = True

    @property
    def slots(self) -> NoReturn:
        """Asked for before anything is done for the sake of a stage's start."""
        raise _KernelNeededError

    def submit(self, *_: Any) -> NoReturn:
        """Not to be had."""
        raise _KernelNeededError

    def interrupt(self) -> None:
        """There is nothing to interrupt."""


def _shows_error(event: Event) -> bool:
    if not isinstance(event, StageFinished) or event.result is None:
        return False
    return any(output["output_type"] == "error" for cell in event.result.cells for output in cell.outputs)


def _no_variables(_: str) -> Mapping[str, str]:
    return {}
