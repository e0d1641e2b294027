"""`%pipeline load` and `enter`: what stages of a run have made, brought into the notebook's own kernel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.book.hidden import is_hidden
from stagebook.errors import UsageError

if TYPE_CHECKING:
    from stagebook.model import Pipeline

_LOADING = re.compile(r"^[ \t]*%(re)?load_ext[ \t]+stagebook[ \t]*$", re.MULTILINE)
"""It is loaded, and says so."""


def load(notebook: Path, stage: str, *, run: str | None = None) -> str:
    """Bring what a stage has made into the kernel, and say what it was.

    Args:
        notebook: its path.
        stage: the stage's name.
        run: the run, by id, folder or `last~1`; the last that has a result of the stage by default.

    Raises:
        StagebookError: there is no such stage or run, its values are not there, or setup has not run.
    """
    from stagebook.live.here import the_shell
    from stagebook.run.bringing import bring_outputs
    from stagebook.run.kept import outputs_of

    return bring_outputs(outputs_of(notebook, stage, run=run), the_shell().user_ns, stage)


def enter(notebook: Path, stage: str, *, run: str | None = None) -> str:
    """Bring the kernel to where a stage starts: parameters, setup, and what the stage takes; say where one is.

    Cells of the stages before it are not run. Arguments and errors are those of `load`.
    """
    from stagebook.book.pipeline import load_pipeline
    from stagebook.live.here import the_shell
    from stagebook.run.bringing import brought, listed, of_run, remarks
    from stagebook.run.carried import put_states
    from stagebook.run.kept import inputs_of
    from stagebook.store.values import load as loaded

    kept = inputs_of(notebook, stage, run=run)
    pipeline = load_pipeline(notebook)
    shell = the_shell()
    _set_up(pipeline, kept.parameters, shell)
    values = brought(kept, shell.user_ns, stage)
    shell.user_ns.update(values)
    put_states(loaded([ref for name, ref in kept.values.items() if is_hidden(name)], kept.store, namespace={}))
    cells = pipeline.stage(stage).cells
    taken = f"; {listed(values)} {'are' if len(values) > 1 else 'is'} there, {of_run(kept)}" if values else ""
    return "\n".join(
        [
            f"You are where `{stage}` starts: setup has run{taken}. Go on with cell {cells[0].number}.",
            *remarks(kept),
        ]
    )


def _set_up(pipeline: Pipeline, parameters: Mapping[str, Any], shell: Any) -> None:
    """Run the cells of parameters and setup, with the values that the run had."""
    from stagebook.book.cells import without_magic

    given = {one.name: parameters[one.name] for one in pipeline.parameters if one.name in parameters and not one.secret}
    for cell in pipeline.preamble:
        result = shell.run_cell(_LOADING.sub("", without_magic(cell.source)), silent=True)
        if not result.success:
            raise UsageError(f"The {cell.role} cell {cell.number} failed, as is shown above. Mend it, and enter again.")
        if cell.role == "parameters":
            shell.user_ns.update(given)
