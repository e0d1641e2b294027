"""The functions behind every face: plan a notebook, run a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from stagebook.book.parameters import checked
from stagebook.book.pipeline import load_pipeline
from stagebook.errors import StagebookError, UsageError
from stagebook.events import Event
from stagebook.model import Plan, Selection
from stagebook.run.files import writable_folder
from stagebook.run.kernels import check_kernel
from stagebook.run.plan import Planner, make_plan, selected_stages
from stagebook.run.record import Run
from stagebook.run.request import Request
from stagebook.store.blobs import Store


def plan_notebook(
    notebook: Path,
    *,
    parameters: Mapping[str, Any] | None = None,
    selection: Selection | None = None,
    store: Path | None = None,
) -> Plan:
    """What `run_notebook` with the same arguments would do; nothing is run or written.

    Raises:
        StagebookError: the notebook, a parameter or the selection is not in order.
    """
    pipeline = load_pipeline(notebook)
    values = checked(pipeline.parameters, parameters or {}, notebook=notebook.name)
    check_kernel(pipeline.kernel)
    planner = Planner(pipeline, values, Store(store or notebook.resolve().parent / ".stagebook"))
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
    store: Path | None = None,
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
        store: folder of stored results; `.stagebook` beside the notebook by default.

    Returns:
        The run. Its `state` says whether stages failed: that raises nothing.

    Raises:
        StagebookError: nothing was run: the notebook, a parameter, the selection, the kernel or a folder is wrong.
    """
    pipeline = load_pipeline(notebook)
    values = checked(pipeline.parameters, parameters or {}, notebook=notebook.name)
    check_kernel(pipeline.kernel)
    request = Request.of(
        notebook.resolve(),
        store=store,
        folder=out,
        jobs=jobs,
        selection=selection or Selection(),
        listeners=listeners,
        track=track,
    )
    selected_stages(pipeline, request.selection)
    output = writable_folder(request.folder) / notebook.name
    if output.resolve() == request.source:
        raise UsageError(f"The output would be written over {notebook}. Name another folder with --out.")
    _execute(request, output, values, kernel=pipeline.kernel)
    if request.run is None:
        raise StagebookError(f"Papermill ended without running {notebook.name}.")
    return request.run


def _execute(request: Request, output: Path, values: Mapping[str, Any], *, kernel: str) -> None:
    """Hand the notebook to Papermill; how the run ended stands in `request.run`."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    try:
        papermill.execute_notebook(
            _literal(request.source),
            _literal(output),
            parameters=dict(values),
            engine_name="stagebook",
            kernel_name=kernel,
            language="python",
            progress_bar=False,
            stagebook=request,
        )
    except PapermillExecutionError:
        pass  # Papermill raises for a failed cell after it has saved; the run says which stage it was
    except KeyboardInterrupt:
        if request.run is None:
            raise


def _literal(path: Path) -> str:
    """The path as Papermill must be given it: it would fill in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")
