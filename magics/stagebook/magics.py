"""`%%stage` and `%pipeline`: parse, call a plain function, show."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.errors import StagebookError, UsageError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def register(shell: InteractiveShell) -> None:
    """Register the magics with a running IPython."""
    shell.magics_manager.register_function(stage, magic_kind="cell")
    shell.magics_manager.register_function(pipeline, magic_kind="line")


def stage(line: str, cell: str) -> None:
    """Mark the cell as part of a stage, and run it as a plain cell.

    %%stage NAME [needs=A,B] [metrics=x,y] [timeout=SECONDS] [retries=N] [cache=false] [reads=FILE,..] [writes=FILE,..]
    """
    from stagebook.book.options import checked_options, magic_options
    from stagebook.model import Place

    name, options, findings = magic_options(line, Place(0, 1))
    _, more = checked_options(options, Place(0, 1), stage=name)
    for found in (*findings, *more):
        print(f"%%stage: {found.message} {found.remedy}".rstrip())
    if name is None:
        return
    started = time.perf_counter()
    # The magic's line stays, as a comment, so that a traceback counts lines as the cell does.
    result = _shell().run_cell(f"# %%stage {line}\n{cell}")
    if result.success:
        print(f"[stage {name}] {time.perf_counter() - started:.1f} s")


def pipeline(line: str) -> None:
    """Look at the notebook's pipeline, as it was last saved: %pipeline show | check | plan [NOTEBOOK]."""
    words = shlex.split(line) or ["show"]
    try:
        notebook = Path(words[1]) if len(words) > 1 else _this_notebook()
        print(_answer(words[0], notebook))
    except StagebookError as error:
        print(error)


def _answer(verb: str, notebook: Path) -> str:
    from stagebook.book.draw import draw
    from stagebook.book.notebook import read_document
    from stagebook.book.pipeline import examine, load_pipeline
    from stagebook.text import findings_text, plan_text

    if verb == "show":
        return draw(load_pipeline(notebook), "text")
    if verb == "check":
        _, findings = examine(read_document(notebook), notebook)
        return findings_text(findings, notebook)
    if verb == "plan":
        from stagebook.run.api import plan_notebook

        return plan_text(plan_notebook(notebook))
    raise UsageError(f"%pipeline knows show, check and plan, and not `{verb}`. Runs are started with `stagebook run`.")


def _this_notebook() -> Path:
    """The file of the notebook that this kernel belongs to, as Jupyter or VS Code names it."""
    candidates = [os.environ.get("JPY_SESSION_NAME"), _shell().user_ns.get("__vsc_ipynb_file__")]
    for candidate in candidates:
        if candidate and Path(candidate).suffix == ".ipynb" and Path(candidate).exists():
            return Path(candidate)
    raise UsageError("This kernel does not say which notebook it belongs to. Name it: %pipeline show NOTEBOOK.ipynb")


def _shell() -> Any:
    from IPython.core.getipython import get_ipython

    return get_ipython()
