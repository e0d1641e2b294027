"""`%%stage` and `%pipeline`: parse, call a plain function, show.

`%%stage` does not run the cell: its line is taken off before IPython reads the cell, and what is left is a plain one,
in which `await`, further cell magics, completion and tracebacks are as in any other. Only with `when=` or `foreach=` is
the cell run from here, if and as often as they say.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from stagebook.errors import PipelineError, StagebookError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from stagebook.drift.result import Drift
    from stagebook.model import StageOptions

_NAMED = re.compile(r"\s*%%stage[ \t]+[^\s=]+(?=\s|$)")


def register(shell: InteractiveShell) -> None:
    """Register the magics with a running IPython; a second time changes nothing."""
    if "stage" in shell.magics_manager.magics["cell"]:
        return
    from stagebook.live.cells import Cells
    from stagebook.live.completion import complete

    shell.magics_manager.register_function(stage, magic_kind="cell")
    shell.magics_manager.register_function(pipeline, magic_kind="line")
    shell.magics_manager.register_function(drift, magic_kind="line")
    shell.input_transformers_cleanup.append(plain_cell)
    shell.set_hook("complete_command", complete, re_key=r"%%stage|%pipeline")  # type: ignore[no-untyped-call] # IPython's
    cells = Cells(shell)
    shell.events.register("pre_run_cell", cells.before)
    shell.events.register("post_run_cell", cells.after)


def stage(line: str, cell: str) -> None:  # noqa: ARG001 - IPython's signature
    """Make the cell a part of a stage of the notebook's pipeline; it runs as a plain cell.

    Cells with one name are one stage, in the notebook's order. What it reads from other stages, and what they read from
    it, is found in the code. When it is done, a line tells what it read and made.

        %%stage NAME [option=value ...]

    Options, of which any may be left out:

        metrics=auc,loss          numbers, or dicts of numbers, to be recorded
        gate="auc >= 0.8"         nothing after the stage runs where this does not hold
        drift="before:now"        two tables to be compared; `drift.share` is a metric then
        model=clf.predict_proba   a value to be registered as a model, and what predicts
        features=A,B  rows=table  stages to be packed before the model, and the raw rows they start from
        needs=A,B                 stages that must be done first, beyond what the code shows
        reads=in.csv writes=o.csv files, relative to the notebook
        when="n > 100"            the stage is skipped where this is false
        foreach="size in sizes"   the stage runs for each element; what it makes is gathered in lists
        timeout=600 retries=2     seconds; how often to try again
        resources=cores:2,memory:4GB
        cache=false               run it every time

    For example:

        %%stage load
        flights = pd.read_csv("flights.csv")

        %%stage train metrics=auc timeout=600
        model = fit(flights, depth=depth)
        auc = score(model)
    """
    print("`%%stage` names no stage. Write `%%stage NAME`, then options as key=value. Help: %%stage?")


def pipeline(line: str) -> None:
    """Look at the notebook's pipeline as it was last saved, run it, go on from what it has made.

        %pipeline                     the stages and what flows between them
        %pipeline check               what is wrong with it
        %pipeline plan                what a run would do, and why
        %pipeline why train           why this stage would run, line by line
        %pipeline run -p depth 8      run it headlessly, in the background
        %pipeline load train          what a stage has made, into this kernel
        %pipeline enter train         setup and what a stage takes, into this kernel: go on from there
        %pipeline runs                the runs of this notebook
        %pipeline compare last~1 last
        %pipeline help                all of them

    `%pipeline VERB --help` says what a verb takes.
    """
    from stagebook.live.verbs import answer

    try:
        answer(line)
    except StagebookError as error:
        print(error)
        if isinstance(error, PipelineError) and error.findings:
            from stagebook.text import findings_list

            print(findings_list(error.findings))


def drift(line: str) -> Drift | None:
    """Compare two tables: has the data drifted?

        %drift january july
        %drift january july --target late --prediction chance
        %drift models:/flights@champion july        what that version was trained on, and now
        %drift models:/flights@champion .stagebook/requests/flights --since 7d
        found = %drift january july --threshold 0.2

    Both are a name, a file, the folder of a log of requests, `models:/NAME@ALIAS`, or `NOTEBOOK.ipynb:NAME`. What comes
    back is a card, and a value: `found.detected`, `found.share`, `found.columns`. Evidently's report is made beside it,
    in the folder `drift-reports`; `--report FILE` names another place. `%drift --help` lists the options.
    """
    from stagebook.live.drifting import drift_asked

    try:
        return drift_asked(line)
    except StagebookError as error:
        print(error)
        return None


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
    from stagebook.live.here import the_shell
    from stagebook.stagecell import run_controlled

    run_controlled(without_magic(source), _control(source), the_shell())


def _is_controlled(source: str) -> bool:
    options = _control(source)
    return options.when is not None or options.foreach is not None


def _control(source: str) -> StageOptions:
    """What the cell's magic says of whether, and how often, it is to run."""
    from stagebook.book.options import checked_options
    from stagebook.live.cells import magic_line
    from stagebook.model import Place, StageOptions

    name, raw, _ = magic_line(source)
    good, _ = checked_options(raw, Place(0, 1), stage=name)
    return StageOptions(when=good.get("when"), foreach=good.get("foreach"))
