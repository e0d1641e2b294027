"""A stage whose cells are run by hand: whether all that it reads is accounted for, and keeping what it has made."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any

from stagebook.book.hidden import is_file, is_hidden
from stagebook.errors import PipelineError, StagebookError
from stagebook.live.capture import shows_widget
from stagebook.live.ground import Ground
from stagebook.model import Cell, Pipeline, Stage
from stagebook.run import inside
from stagebook.run.carried import Carried, put_states
from stagebook.run.contents import input_contents, stored_inputs
from stagebook.run.job import CellRecord, JobCell, StageJob, StageResult
from stagebook.run.jobs import stage_job
from stagebook.run.kept import not_stored
from stagebook.run.kernelspecs import kernel_python
from stagebook.run.plan import Planner, Verdict
from stagebook.run.presence import Presence
from stagebook.run.record import new_run_id
from stagebook.run.sessions import Sessions
from stagebook.run.stage import importing_code, result_of
from stagebook.store.blobs import Store
from stagebook.store.values import load, value_digest


@dataclass(slots=True)
class Visit:
    """A stage, from its first cell's start to its last cell's end.

    Attributes:
        refused: why its result is not going to be kept; empty where it may be.
        served: the result that there is already.
        told: where that comes from.
        drawn: random generators that are not as a run would have them: a stage that draws from one is not kept.
        records: of its cells that have run.
        after: index of the cell that was run last.
    """

    stage: Stage
    codes: tuple[str, ...]
    refused: str = ""
    planner: Planner | None = None
    verdict: Verdict | None = None
    job: StageJob | None = None
    served: StageResult | None = None
    told: str = ""
    drawn: tuple[str, ...] = ()
    records: list[CellRecord] = field(default_factory=list)
    after: int = -1


class Visits:
    """The stages that are run by hand in one kernel.

    Args:
        shell: the kernel's IPython.
        store: where results are kept.
        carried: the kernel's hidden state.
        ground: what setup has left.
    """

    def __init__(self, shell: Any, store: Store, carried: Carried, ground: Ground) -> None:
        self._shell = shell
        self._store = store
        self._carried = carried
        self._ground = ground
        self._results: dict[str, StageResult] = {}
        self._values: dict[str, tuple[str, str | None]] = {}
        self._left: dict[tuple[str, str], Any] = {}

    def visit(
        self,
        pipeline: Pipeline,
        cells: Mapping[int, JobCell],
        cell: Cell,
        *,
        before: Visit | None,
        codes: Sequence[str],
    ) -> Visit:
        """The visit that a cell begins or goes on with.

        Args:
            pipeline: the notebook as it is now.
            cells: its cells as kernels get them.
            cell: the one that is about to be run.
            before: the visit of the cell that was run right before.
            codes: of the cells of parameters and setup.
        """
        stage = pipeline.stage(str(cell.stage))
        position = [one.index for one in stage.cells].index(cell.index)
        own = tuple(cells[one.index].code for one in stage.cells)
        if position and (before is None or before.stage.name != stage.name):
            return Visit(stage, own, "the stage's first cell was not run right before")
        if position and before is not None:
            return self._gone_on(before, pipeline, cells, stage, own, position)
        visit = Visit(stage, own)
        try:
            visit.refused = self._begin(visit, pipeline, cells, codes)
        except StagebookError as error:
            visit.refused = str(error)
        return visit

    def keep(self, visit: Visit) -> str:
        """Keep what the stage has made; why it cannot be, if it cannot.

        Raises:
            StagebookError: the store cannot be written to.
        """
        job, planner, verdict = visit.job, visit.planner, visit.verdict
        assert job is not None
        assert planner is not None
        assert verdict is not None
        asked = {"store": job.store, "outputs": job.outputs, "metrics": job.metrics, "writes": job.writes}
        result = result_of(job, json.loads(inside.finish(json.dumps({**asked, "watched": job.watched}))))
        told = _unfit(result, visit)
        if told:
            return told
        cells = (*self._ground.records, *visit.records)
        duration = round(sum(record.duration for record in visit.records), 4)
        result = replace(result, key=verdict.key, cells=cells, started=visit.records[0].started, duration=duration)
        try:
            planner.learn(result)
        except PipelineError as error:
            return str(error)
        with ExitStack() as stack:
            stack.enter_context(Presence(planner.store.home, new_run_id(), keys=planner.keys))
            planner.remember(verdict, result)
            planner.save_memories()
        self._note(result)
        return ""

    def missing(self, visit: Visit) -> tuple[str, ...]:
        """The names that the cell binds and that the stored result does not hold; what setup binds is there anyway."""
        assert visit.served is not None
        return tuple(name for name in not_stored(visit.stage, visit.served) if name not in self._ground.names)

    def restore(self, visit: Visit) -> None:
        """Give the kernel what a stored result holds.

        Raises:
            StagebookError: it is damaged.
        """
        result = visit.served
        assert result is not None
        namespace = self._shell.user_ns
        for name in self.missing(visit):  # had the cell been run, what is there would be there no more
            namespace.pop(name, None)
        plain = [ref for name, ref in result.outputs.items() if not is_hidden(name)]
        namespace.update(load(plain, self._store, namespace=namespace))
        hidden = [ref for name, ref in result.outputs.items() if is_hidden(name)]
        put_states(load(hidden, self._store, namespace={}))
        self._note(result)

    def _note(self, result: StageResult) -> None:
        """The kernel's names hold what this result holds."""
        self._results[result.stage] = result
        names = self._shell.user_ns
        for name, ref in result.outputs.items():
            if name in names:
                self._values[name] = (ref.content, value_digest(names[name], namespace=names, setup={}))
        now = self._carried.values()
        self._left |= {(result.stage, name): now[name] for name in result.changed if name in now}

    def _planner(self, pipeline: Pipeline) -> Planner:
        """A planner that knows what the kernel's values are made of."""
        planner = Planner(pipeline, {}, self._store)
        for result in self._results.values():
            planner.imports.note(result)
        return planner

    def _begin(self, visit: Visit, pipeline: Pipeline, cells: Mapping[int, JobCell], codes: Sequence[str]) -> str:
        """Get ready to keep what the stage makes; why it cannot be kept, if it cannot."""
        stage = visit.stage
        refused = _of_no_use(stage, pipeline) or self._ground.lacks(codes, self._shell.user_ns)
        if refused:
            return refused
        planner = visit.planner = self._planner(pipeline)
        pipeline = planner.pipeline
        refused = self._inputs_lack(pipeline, stage)
        if refused:
            return refused
        contents = input_contents(pipeline, stage, self._results)
        stored = stored_inputs(pipeline, stage, self._results)
        if planner.mates(stage, {name: (pipeline.inputs[stage.name][name], ref) for name, ref in stored.items()}):
            return "what it takes shares memory with what it does not take"
        module = self._ground.changed_module(planner.modules(stage, contents))
        if module:
            return f"the module `{module}` is not as it was imported: restart the kernel"
        package = self._ground.changed_package(planner.packages(stage.name, contents))
        if package:
            return f"`{package}` was installed anew since it was imported: restart the kernel"
        taken = pipeline.inputs[stage.name]
        expected = {name: self._left[source, name] for name, source in taken.items() if (source, name) in self._left}
        states = self._ground.changed_states(expected)
        settings = [name for name in states if name.startswith("setting:")]
        if settings:
            return f"other cells have changed {settings[0].partition(':')[2]} settings"
        visit.drawn = tuple(states)
        visit.verdict = planner.judge(stage, contents)
        visit.job = self._job(stage, planner, contents, cells)
        found = visit.verdict.result
        if found is not None and _is_servable(found, stage):
            visit.served = found
            visit.told = visit.verdict.reason.removeprefix("unchanged since ") or "unchanged"
            return ""
        inside.adopt(
            {
                "watched": visit.job.watched,
                "files": visit.job.files,
                "code": importing_code(
                    replace(visit.job, preamble=tuple(cells[one.index] for one in pipeline.preamble))
                ),
                "inputs": [name for name in stored if not is_hidden(name)],
                "ambient": sorted(pipeline.ambient),
            }
        )
        return ""

    def _job(
        self, stage: Stage, planner: Planner, contents: Mapping[str, str], cells: Mapping[int, JobCell]
    ) -> StageJob:
        """The job that a run would make of the stage."""
        own = tuple(cells[cell.index] for cell in stage.cells)
        return stage_job(stage, planner, self._results, contents, held={}, sessions=Sessions(), preamble=(), cells=own)

    def _inputs_lack(self, pipeline: Pipeline, stage: Stage) -> str:
        """Which input is not as a run would have it; nothing where all are."""
        for source in sorted(pipeline.sources(stage.name)):
            if source not in self._results:
                return f"`{source}` has no kept result: run its cells first"
        names = self._shell.user_ns
        stored = stored_inputs(pipeline, stage, self._results)
        for name, source in pipeline.inputs[stage.name].items():
            if is_hidden(name):
                continue
            told = f"`{name}` is not as `{source}` has left it"
            if name not in stored:
                if name in names:
                    return told
                continue
            known = self._values.get(name)
            if name not in names or known is None or known[0] != stored[name].content:
                return told
            if value_digest(names[name], namespace=names, setup={}) != known[1]:
                return told
        return ""

    def _gone_on(
        self,
        visit: Visit,
        pipeline: Pipeline,
        cells: Mapping[int, JobCell],
        stage: Stage,
        own: tuple[str, ...],
        position: int,
    ) -> Visit:
        """The visit that another cell of the stage goes on with."""
        if visit.refused:
            return visit
        if visit.after != stage.cells[position - 1].index or visit.codes[:position] != own[:position]:
            return Visit(stage, own, "the cells of the stage have not run one after the other, as they are now")
        if own != visit.codes:  # a later cell was edited since the first one was run
            planner = self._planner(pipeline)
            contents = input_contents(planner.pipeline, stage, self._results)
            if visit.verdict is None or contents != dict(visit.verdict.inputs):
                return Visit(stage, own, "it takes something else since its first cell ran: run that again")
            verdict = planner.judge(stage, contents)
            job = self._job(stage, planner, contents, cells)
            visit.stage, visit.codes, visit.planner, visit.verdict, visit.job = stage, own, planner, verdict, job
        inside.note()
        return visit


def _of_no_use(stage: Stage, pipeline: Pipeline) -> str:
    """Why a stage's result is never kept when its cells are run by hand."""
    options = stage.options
    if not options.cache:
        return "`cache=false`"
    if options.when is not None or options.foreach is not None:
        return "`when` and `foreach` are for runs"
    if options.model is not None:
        return "a model comes from a run"
    if options.drift is not None:
        return "tables are compared when the cell is done"
    if any(parameter.secret for parameter in pipeline.parameters):
        return "there are secret parameters"
    python = kernel_python(pipeline.kernel)
    if python != sys.executable:
        return f"the notebook's kernel `{pipeline.kernel}` has another Python"
    return ""


def _unfit(result: StageResult, visit: Visit) -> str:
    """Why a result cannot be kept."""
    if result.failure is not None:
        return str(result.failure)
    if result.unstorable:
        name, what = next(iter(result.unstorable.items()))
        return f"`{name}` ({what}) cannot be stored"
    drawn = sorted(result.changed & set(visit.drawn))
    if drawn:
        return f"it draws from {drawn[0].partition(':')[2]}, and so have other cells"
    if any(shows_widget(record.outputs) for record in visit.records):
        return "it shows a widget, which lives in this kernel"
    return ""


def _is_servable(result: StageResult, stage: Stage) -> bool:
    """Whether a stored result can take the place of running the cell: there is one cell, and all it made is stored."""
    one = len(stage.cells) == 1 and result.state == "done" and not result.unstorable
    process = any(not name.startswith(("state:", "setting:")) and not is_file(name) for name in _hidden(result))
    return one and not process and not any(shows_widget(cell.outputs) for cell in result.cells)


def _hidden(result: StageResult) -> list[str]:
    return [name for name in (*result.outputs, *result.changed) if is_hidden(name)]
