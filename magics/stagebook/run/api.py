"""The functions behind every face: plan a notebook, run a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from stagebook.book.notebook import Document, read_document
from stagebook.book.parameters import checked
from stagebook.book.pipeline import load_pipeline, pipeline_of, recalled_pipeline
from stagebook.errors import StagebookError, UsageError
from stagebook.events import Event
from stagebook.model import Pipeline
from stagebook.plan import Plan, Selection
from stagebook.run.claims import Shared
from stagebook.run.decisions import make_plan, selected_stages
from stagebook.run.files import writable_folder
from stagebook.run.kernelspecs import check_kernel
from stagebook.run.placing import check_place, runner_on
from stagebook.run.plan import Planner
from stagebook.run.record import Run
from stagebook.run.request import Request, store_for


def plan_notebook(
    notebook: Path,
    *,
    parameters: Mapping[str, Any] | None = None,
    selection: Selection | None = None,
    store: str | Path | None = None,
) -> Plan:
    """What `run_notebook` with the same arguments would do; nothing is run, and no result written.

    Raises:
        StagebookError: the notebook, a parameter or the selection is not in order.
    """
    pipeline = load_pipeline(notebook)
    values = checked(pipeline.parameters, parameters or {}, notebook=notebook.name)
    check_kernel(pipeline.kernel)
    planner = Planner(pipeline, values, store_for(notebook, store))
    return make_plan(planner, selection or Selection())


def run_notebook(
    notebook: Path,
    *,
    parameters: Mapping[str, Any] | None = None,
    selection: Selection | None = None,
    out: Path | None = None,
    jobs: int | None = None,
    listeners: tuple[Callable[[Event], None], ...] = (),
    track: bool = True,
    later: bool = False,
    store: str | Path | None = None,
    shared: Shared | None = None,
    on: str | None = None,
    runner: Any = None,
) -> Run:
    """Run a notebook's stages headlessly through Papermill.

    Args:
        notebook: the source notebook; it is never written to.
        parameters: values for names of its parameters cell.
        selection: which stages may run; all by default.
        out: folder for the output notebook and `run.json`; by default a folder of the run's own in the store.
        jobs: kernels at work at once; by default one a core.
        listeners: told of every event.
        track: whether to record the run in MLflow.
        later: do not wait until another process has recorded the run.
        store: where results are kept, a folder or a URL that fsspec knows; `.stagebook` beside the notebook by default.
        shared: what the run has in common with others that go on in this process.
        on: where stages run, as `dask://HOST:PORT`; on this machine by default.
        runner: runs the stages in place of one that `on` and `jobs` name; whoever gives it closes it.

    Returns:
        The run. Its `state` says whether stages failed, which raises nothing.

    Raises:
        StagebookError: nothing was run: the notebook, a parameter, the selection, the kernel or a folder is wrong.
    """
    document = read_document(notebook)
    pipeline = recalled_pipeline(document, notebook)
    values = checked(pipeline.parameters, parameters or {}, notebook=notebook.name)
    check_kernel(pipeline.kernel)
    check_place(on)
    request = Request.of(
        notebook.resolve(),
        store=store,
        folder=out,
        jobs=jobs,
        selection=selection or Selection(),
        listeners=listeners,
        track=track,
        later=later,
        shared=shared,
        on=on,
    )
    request.runner = runner
    selected = selected_stages(pipeline, request.selection)
    request.output = output = writable_folder(request.folder) / notebook.name
    if output.resolve() == request.source:
        raise UsageError(f"The output would be written over {notebook}. Name another folder with --out.")
    may_reuse = request.has_results
    done = _reused(document, pipeline, request, output, values) if may_reuse else None
    if done is not None:
        return done
    with ExitStack() as stack:
        if shared is None:
            request.runner = runner or stack.enter_context(runner_on(on, jobs))
            sources, place = [cell.source for cell in pipeline.preamble], str(request.source.parent)
            # it gets kernels ready while Papermill is imported, in a thread that must not import what that imports
            wanted = 1 if may_reuse else len(selected)
            request.runner.prepare(pipeline.kernel, place, sources, request.store, kernels=wanted)
        _execute(request, values, kernel=pipeline.kernel)
    if request.run is None:
        raise StagebookError(f"Papermill ended without running {notebook.name}.")
    return request.run


def _reused(
    document: Document, pipeline: Pipeline, request: Request, output: Path, values: Mapping[str, Any]
) -> Run | None:
    """The run, if all that it is to give is in the store: then it takes neither Papermill nor a kernel."""
    from stagebook.run.as_papermill import prepared
    from stagebook.run.node import reused_run

    uncached = any(not stage.options.cache for stage in pipeline.stages)
    if request.selection.force or request.shared is not None or uncached:
        return None
    node = prepared(document, values, source=request.source, output=output)
    if node is None:
        return None
    if len(node["cells"]) != len(document["cells"]):  # cells stand elsewhere now
        pipeline = pipeline_of(node, request.source)
    return reused_run(node, pipeline, request, output=output)


def _execute(request: Request, values: Mapping[str, Any], *, kernel: str) -> None:
    """Hand the notebook to Papermill; how the run ended stands in `request.run`."""
    from stagebook.run.lean import imported

    papermill = imported("papermill")
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            _literal(request.source),
            None,  # our engine saves it
            parameters=dict(values),
            engine_name="stagebook",
            kernel_name=kernel,
            language="python",
            progress_bar=False,
            stagebook=request,
        )
    except PapermillExecutionError:
        pass  # a cell failed; the run says which stage it was
    except KeyboardInterrupt:
        if request.run is None:
            raise


def _literal(path: Path) -> str:
    """The path as Papermill must be given it: it would fill in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")
