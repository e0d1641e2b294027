"""Papermill's engine `stagebook`: `papermill in.ipynb out.ipynb --engine stagebook` runs the notebook as a pipeline."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from papermill.engines import Engine  # noqa: TID253 - Papermill imports this file when it is asked for the engine

from stagebook.book.cells import INJECTED, tags_of, without_magic
from stagebook.book.normal import cell_code
from stagebook.book.notebook import source_of
from stagebook.book.parameters import checked
from stagebook.book.pipeline import pipeline_of
from stagebook.events import Event, Notice, RunFinished, RunStarted, StageFinished
from stagebook.model import Pipeline
from stagebook.registry import plugin
from stagebook.run.execute import Execution, Outcome
from stagebook.run.files import writable_folder
from stagebook.run.job import JobCell
from stagebook.run.kernels import check_kernel
from stagebook.run.output import OutputNotebook
from stagebook.run.plan import Planner, selected_stages
from stagebook.run.record import Run, run_state, stage_records, utc_now, versions
from stagebook.run.request import Request
from stagebook.store.blobs import Store
from stagebook.store.digests import digest_of

_log = logging.getLogger("papermill")


class StagebookEngine(Engine):  # type: ignore[misc] # Papermill ships no types
    """Runs a notebook's stages in kernels of their own; cells that are neither stage nor setup are left alone."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str | None,  # noqa: ARG003 - the notebook names its kernel
        *,
        output_path: str | None = None,
        input_path: str | None = None,
        stagebook: Request | None = None,
        **_: Any,
    ) -> Any:
        """Papermill's entry: run `nb`, whose parameters are injected already, and return it with its outputs.

        Raises:
            StagebookError: it is no pipeline that can run, or a parameter is wrong.
            KeyboardInterrupt: the run was interrupted; what is done is kept and saved.
        """
        request = stagebook or Request.of(_source(input_path), listeners=(_log_stages,))
        output = _local(output_path) if output_path and _is_local(output_path) else None
        run = run_node(nb, request, output=output)
        request.run = run
        if run.state == "interrupted":
            raise KeyboardInterrupt
        return nb


def run_node(node: Any, request: Request, *, output: Path | None) -> Run:
    """Run a notebook document whose parameters are injected, and fill in its outputs.

    Args:
        node: nbformat 4, changed in place.
        request: how.
        output: where to save it after each stage.

    Returns:
        The run, whatever became of its stages.
    """
    pipeline = pipeline_of(node, request.source)
    given = dict(node.metadata.get("papermill", {}).get("parameters") or {})
    parameters = checked(pipeline.parameters, given, notebook=request.source.name)
    check_kernel(pipeline.kernel)
    store = Store(request.store)
    folder = writable_folder(request.folder)
    planner = Planner(pipeline, parameters, store)
    selected = selected_stages(pipeline, request.selection)
    cells = _job_cells(node, pipeline)
    started, clock = utc_now(), time.perf_counter()
    document = OutputNotebook(node, pipeline, cells, run=request.id, path=output)
    values = {one.name: parameters.get(one.name, one.value) for one in pipeline.parameters}
    with ExitStack() as stack:
        tracker = plugin("listener", "runs")(request.source, store.root) if request.track else None
        if tracker is not None:
            stack.callback(tracker.close)
        tell = _Telling((document, *request.listeners, *([tracker] if tracker else [])))
        runner = stack.enter_context(plugin("runner", "local")(request.jobs))
        execution = Execution(
            planner,
            runner,
            preamble=_preamble(node, pipeline, cells),
            cells={stage.name: tuple(cells[cell.index] for cell in stage.cells) for stage in pipeline.stages},
            selection=request.selection,
            tell=tell,
            environment=tracker.environment if tracker else lambda _: {},
        )
        names = tuple(stage.name for stage in pipeline.stages)
        tell(RunStarted(request.id, str(request.source), names, values, str(folder)))
        outcome = execution.run()
        document.save()
        run = _run(planner.pipeline, outcome, selected, request, values, output, started, clock)
        run.save()
        tell(RunFinished(run))
    return run


def _run(
    pipeline: Pipeline,
    outcome: Outcome,
    selected: frozenset[str],
    request: Request,
    values: Mapping[str, Any],
    output: Path | None,
    started: str,
    clock: float,
) -> Run:
    records = stage_records(pipeline, outcome)
    return Run(
        id=request.id,
        state=run_state(records, selected, interrupted=outcome.interrupted),
        notebook=request.source,
        output=output,
        folder=request.folder,
        store=request.store,
        parameters=values,
        stages=records,
        started=started,
        duration=round(time.perf_counter() - clock, 3),
        versions=versions(),
    )


class _Telling:
    """Tells every listener; one that raises is left out from then on, and the others are told of it."""

    def __init__(self, listeners: tuple[Callable[[Event], None], ...]) -> None:
        self._listeners = list(listeners)

    def __call__(self, event: Event) -> None:
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # whatever a listener does wrong must not cost the run
                self._listeners.remove(listener)
                name = type(listener).__name__
                self(Notice(f"{name} is left out of the rest of the run: {type(error).__name__}: {error}"))


def _job_cells(node: Any, pipeline: Pipeline) -> dict[int, JobCell]:
    """Every code cell as kernels get it, by its index."""
    numbers = {cell.index: cell.number for cell in pipeline.cells}
    cells = {}
    for index, cell in enumerate(node.cells):
        if cell.cell_type == "code":
            source = source_of(cell)
            code = digest_of(cell_code(source).encode())
            cells[index] = JobCell(numbers.get(index, 0), without_magic(source), code)
    return cells


def _preamble(node: Any, pipeline: Pipeline, cells: Mapping[int, JobCell]) -> tuple[JobCell, ...]:
    """Parameters, injected parameters and setup, in the notebook's order."""
    indexes = {cell.index for cell in pipeline.preamble}
    indexes |= {index for index in cells if INJECTED in tags_of(node.cells[index])}
    return tuple(cells[index] for index in sorted(indexes))


def _source(input_path: str | None) -> Path:
    """The source notebook's path, absolute."""
    if not input_path or not _is_local(input_path):
        return Path.cwd() / (Path(input_path).name if input_path and input_path != "-" else "notebook.ipynb")
    return _local(input_path).resolve()


def _local(path: str) -> Path:
    """A path as Papermill means it: relative to where it was called, before it went to the `--cwd` folder."""
    from papermill.iorw import papermill_io

    return Path(getattr(papermill_io.get_handler(path), "_cwd", None) or Path.cwd(), path)


def _is_local(path: str) -> bool:
    return "://" not in path and path != "-"


def _log_stages(event: Event) -> None:
    if isinstance(event, StageFinished):
        _log.info(f"Stage {event.stage}: {event.state} ({event.reason}), {event.duration:.1f} s")
    elif isinstance(event, Notice):
        _log.warning(event.message)
