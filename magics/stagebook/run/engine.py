"""Papermill's engine `stagebook`: `papermill in.ipynb out.ipynb --engine stagebook` runs the notebook as a pipeline."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from papermill.engines import Engine  # noqa: TID253 - Papermill imports this file when it is asked for the engine

from stagebook.events import Event, Notice, StageFinished
from stagebook.run.as_papermill import notebook_text
from stagebook.run.files import write_text
from stagebook.run.node import run_node
from stagebook.run.request import Request

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

        Where the request says where the notebook goes, it is saved here, and an empty one is returned: Papermill would
        check and write it once more, which takes longer than all else where cells put out much.

        Raises:
            StagebookError: it is no pipeline that can run, or a parameter is wrong.
            PapermillExecutionError: a cell failed, and the notebook is saved with Papermill's note of it.
            KeyboardInterrupt: the run was interrupted; what is done is kept and saved.
        """
        request = stagebook or Request.of(_source(input_path), listeners=(_log_stages,))
        if request.output is not None:
            nb.metadata.papermill["output_path"] = str(request.output)
        output = request.output or (_local(output_path) if output_path and _is_local(output_path) else None)
        request.run = run = run_node(nb, request, output=output)
        if run.state == "interrupted":
            raise KeyboardInterrupt
        return nb if request.output is None else _noted(nb, request.output)


def _noted(nb: Any, output: Path) -> Any:
    """An empty notebook in place of one that is saved already; if a cell failed, it is saved with a note of that.

    Raises:
        PapermillExecutionError: a cell failed.
    """
    import nbformat
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import raise_for_execution_errors

    try:
        raise_for_execution_errors(nb, None)
    except PapermillExecutionError:
        write_text(output, notebook_text(nb))
        raise
    return nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]


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
