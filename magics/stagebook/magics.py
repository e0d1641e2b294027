"""`%%stage` and `%pipeline`: parse, call a plain function, show.

`%%stage` does not run the cell: its line is taken off before IPython reads the cell, and what is left is a plain one,
in which `await`, further cell magics, completion and tracebacks are as in any other. Only with `when=` or `foreach=` is
the cell run from here, if and as often as they say.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.errors import PipelineError, StagebookError, UsageError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from stagebook.model import StageOptions
    from stagebook.sections import Shown

_NAMED = re.compile(r"\s*%%stage[ \t]+[^\s=]+(?=\s|$)")
_VERBS = ("show", "check", "plan", "status")
_TABLES = ("runs", "compare")
_TAKES = (
    "%pipeline takes show, check, plan or status, and then the notebook, if it is another than this one; "
    "runs [--sort METRIC]; compare RUN RUN"
)


def register(shell: InteractiveShell) -> None:
    """Register the magics with a running IPython; a second time changes nothing."""
    if "stage" in shell.magics_manager.magics["cell"]:
        return
    shell.magics_manager.register_function(stage, magic_kind="cell")
    shell.magics_manager.register_function(pipeline, magic_kind="line")
    shell.input_transformers_cleanup.append(plain_cell)
    notes = _Notes()
    shell.events.register("pre_run_cell", notes.before)
    shell.events.register("post_run_cell", notes.after)


def stage(line: str, cell: str) -> None:  # noqa: ARG001 - IPython's signature
    """Mark the cell as part of a stage; it runs as a plain cell.

    %%stage NAME [needs=A,B] [metrics=x,y] [timeout=SECONDS] [retries=N] [cache=false] [reads=FILE,..] [writes=FILE,..]
        [when="auc < 0.8"] [foreach="size in sizes"] [resources=cores:2,memory:4GB]
    """
    print("`%%stage` names no stage. Write `%%stage NAME`, then options as key=value.")


def plain_cell(lines: list[str]) -> list[str]:
    """The cell without its `%%stage NAME` line: a comment in its place, so that tracebacks count lines as it does."""
    from stagebook.book.cells import without_magic

    text = "".join(lines)
    if not _NAMED.match(text):
        return lines
    plain = without_magic(text)
    if _is_controlled(text):
        return [f"__import__({__name__!r}, fromlist=['run_cell']).run_cell({text!r})\n"]
    if plain.lstrip().startswith("%%"):  # IPython has dropped empty lines by now, and would not look below this one
        plain = plain.lstrip()
    return plain.splitlines(keepends=True)


def run_cell(source: str) -> None:
    """Run a stage cell that has a condition, or a list to be mapped over."""
    from stagebook.book.cells import without_magic
    from stagebook.stagecell import run_controlled

    run_controlled(without_magic(source), _control(source), _shell())


def _is_controlled(source: str) -> bool:
    options = _control(source)
    return options.when is not None or options.foreach is not None


def _control(source: str) -> StageOptions:
    """What the cell's magic says of whether, and how often, it is to run."""
    from stagebook.book.options import checked_options
    from stagebook.model import Place, StageOptions

    name, raw, _ = _magic_line(source)
    good, _ = checked_options(raw, Place(0, 1), stage=name)
    return StageOptions(when=good.get("when"), foreach=good.get("foreach"))


class _Notes:
    """What is said of a stage cell: what is wrong with its options before it runs, how long it took afterwards."""

    def __init__(self) -> None:
        self._started = 0.0

    def before(self, info: ExecutionInfo) -> None:
        """Note the time, and tell of options that a run would refuse."""
        self._started = time.perf_counter()
        name, options, findings = _magic_line(str(info.raw_cell))
        if name is not None:
            from stagebook.book.options import checked_options
            from stagebook.model import Place

            _, more = checked_options(options, Place(0, 1), stage=name)
            for found in (*findings, *more):
                print(f"%%stage: {found.message} {found.remedy}".rstrip())

    def after(self, result: ExecutionResult) -> None:
        """One quiet line."""
        name, _, _ = _magic_line(str(result.info.raw_cell) if result.info is not None else "")
        if name is not None and result.success:
            print(f"[stage {name}] {time.perf_counter() - self._started:.1f} s")


def pipeline(line: str) -> None:
    """Look at the notebook's pipeline, as it was last saved, and at its runs.

    %pipeline show | check | plan | status [NOTEBOOK]
    %pipeline runs [--sort METRIC] [NOTEBOOK]
    %pipeline compare RUN RUN...
    """
    try:
        words = _words(line)
        if words[0] in _TABLES:
            from IPython.display import display

            display(_table(words[0], words[1:]))  # type: ignore[no-untyped-call] # IPython's
            return
        if words[0] not in _VERBS or any(word.startswith("-") for word in words):
            raise UsageError(f"{_TAKES}; not `{line}`. Runs are started with `stagebook run`.")
        print(_answer(words[0], Path(words[1]) if len(words) > 1 else _this_notebook()))
    except StagebookError as error:
        print(error)
        if isinstance(error, PipelineError) and error.findings:
            from stagebook.text import findings_list

            print(findings_list(error.findings))


def _words(line: str) -> list[str]:
    import shlex

    try:
        return shlex.split(line) or ["show"]
    except ValueError as error:
        raise UsageError(f"`%pipeline {line}` cannot be read: {error}.") from error


def _answer(verb: str, notebook: Path) -> str:
    from stagebook.book.draw import draw
    from stagebook.book.notebook import read_document
    from stagebook.book.pipeline import load_pipeline
    from stagebook.book.remembered import examined
    from stagebook.text import findings_text, plan_text, status_text

    if verb == "show":
        return draw(load_pipeline(notebook), "text")
    if verb == "check":
        _, findings = examined(read_document(notebook), notebook)
        return findings_text(findings, notebook)
    if verb == "status":
        from stagebook.run.status import notebook_status

        return status_text(notebook_status(notebook))

    from stagebook.run.api import plan_notebook

    return plan_text(plan_notebook(notebook))


def _table(verb: str, words: list[str]) -> Shown:
    """What `stagebook runs` and `stagebook compare` show, with their options; of this notebook where none is named."""
    from stagebook.commands import comparing, recording

    if verb == "compare":
        from stagebook.comparetext import side_by_side_shown

        asked = _parsed(comparing.compare, words)
        place = {"store": asked.pop("store")} if asked["store"] else _runs_of_this_notebook()
        metrics = asked["metrics"]
        beside = comparing.compared(
            asked["runs"], metrics=metrics, maximize=asked["maximize"], minimize=asked["minimize"], **place
        )
        return side_by_side_shown(beside, every_metric=bool(metrics))

    from stagebook.run.history import runs_of
    from stagebook.text import runs_shown

    asked = _parsed(recording.runs, words, notebook=_this_notebook)
    metric, notebook = asked["metric"], asked["notebook"]
    found = runs_of(notebook, store=asked["store"], metric=metric, ascending=asked["ascending"])
    return runs_shown(found, notebook.name, limit=asked["limit"], metric=metric)


def _parsed(command: Any, words: list[str], *, notebook: Callable[[], Path] | None = None) -> dict[str, Any]:
    """The words as the command takes them.

    Args:
        command: of the command line.
        words: what follows its name.
        notebook: gives the notebook where the words name none.

    Raises:
        UsageError: the command does not take them.
    """
    import click

    try:
        try:
            asked = dict(command.make_context(command.name, list(words)).params)
        except click.MissingParameter:
            if notebook is None:
                raise
            asked = dict(command.make_context(command.name, [*words, str(notebook())]).params)
    except click.exceptions.Exit as error:  # its help has been printed
        raise UsageError("") from error
    except click.ClickException as error:
        raise UsageError(f"%pipeline {command.name}: {error.format_message()}") from error
    if asked.pop("form") != "text":
        raise UsageError(f"`%pipeline {command.name}` shows a table: --format is for `stagebook {command.name}`.")
    return asked


def _runs_of_this_notebook() -> dict[str, Any]:
    """Where this notebook's runs are, and its name; nothing where this kernel does not say which one it is."""
    from stagebook.run.request import home_for

    try:
        notebook = _this_notebook()
    except UsageError:
        return {}
    return {"store": home_for(notebook.resolve()), "notebook": notebook.name}


def _magic_line(source: str) -> tuple[str | None, dict[str, Any], list[Any]]:
    """Stage name, options and findings of a cell's `%%stage` line; no name for a cell without one."""
    from stagebook.book.cells import MAGIC
    from stagebook.book.options import magic_options
    from stagebook.model import Place

    match = MAGIC.match(source)
    return magic_options(match["line"], Place(0, 1)) if match else (None, {}, [])


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
