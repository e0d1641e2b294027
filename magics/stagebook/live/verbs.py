"""`%pipeline VERB ...`: the command of that name in this kernel, with this notebook where it names none.

What a notebook can do better than a terminal has a function of its own here: pictures, tables, runs in the background,
values brought into the kernel.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.errors import UsageError, did_you_mean
from stagebook.live.here import name_notebook, this_notebook

if TYPE_CHECKING:
    import click

    from stagebook.sections import Shown

Words = Sequence[str]

HELP: dict[str, str] = {
    "suggest": "which cells could be which stages; --write tags them so, in the file",
    "show": "the stages and what flows between them, live; --format text|svg|mermaid|dot|json",
    "check": "what is wrong with the notebook's stages and data flow",
    "plan": "what a run would do, and why",
    "status": "how the stages stand: up to date or not, when they ran, their metrics",
    "why": "STAGE: why it would run, line by line",
    "run": "[-p NAME VALUE] [--only|--from|--to STAGE] [--force]: run headlessly, in the background",
    "form": "a form for the parameters, which starts runs",
    "sweep": "[-p NAME VALUES] [--maximize METRIC]: run for many values, in the background; a form without options",
    "cancel": "end what runs in the background; what is done is kept",
    "wait": "until what runs in the background is done",
    "runs": "the runs of this notebook; --sort METRIC",
    "compare": "RUN RUN: runs beside one another",
    "diff": "A B: what differs between two runs, or two notebooks",
    "load": "STAGE [--run RUN]: what the stage has made, into this kernel",
    "enter": "STAGE [--run RUN]: setup and what the stage takes, into this kernel: go on from there",
    "test": "[STAGE] [--run]: the test cells, on what their stages have stored",
    "promote": "make the model of the last run the one in use; rollback undoes it, lineage says where it comes from",
    "export": "EXPORTER [--out FOLDER] [--dry-run] [--force]: the pipeline as other tools' files, such as python",
    "verify": "[--targets TARGET,..]: whether each way to run it gives what its cells give from top to bottom",
    "cache": "on|off: keep what stage cells make that are run by hand, and take it from the store where it is there",
    "notebook": "NOTEBOOK: say which notebook this kernel belongs to, where it does not know",
}
"""The verbs that `%pipeline help` lists; every other command of `stagebook` works here, too."""


def answer(line: str) -> None:
    """Do what the line says, and show what comes of it.

    Raises:
        StagebookError: it cannot be read or done.
    """
    verb, *words = _split(line) or ["show"]
    if verb in ("help", "-h", "--help"):
        print(_help()) if not words else answer(f"{words[0]} --help")
    elif verb in _OWN:
        _OWN[verb](words)
    else:
        _run(_command(verb), _with_notebook(_command(verb), words))


def verbs() -> list[str]:
    """All verbs, sorted."""
    from stagebook.commands.all import COMMANDS

    return sorted({*HELP, *_OWN, *(str(command.name) for command in COMMANDS)})


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"`%pipeline {line}` cannot be read: {error}.") from error


def _help() -> str:
    width = max(map(len, HELP))
    lines = [f"  {verb:{width}}  {told}" for verb, told in HELP.items()]
    return "\n".join(["%pipeline VERB ..., of this notebook as it was last saved:", *lines, "%pipeline VERB --help"])


def _command(verb: str) -> click.Command:
    from stagebook.commands.all import COMMANDS

    known = {command.name: command for command in COMMANDS}
    if verb not in known:
        raise UsageError(f"There is no `%pipeline {verb}`.{did_you_mean(verb, verbs())}")
    return known[verb]


def _with_notebook(command: click.Command, words: Words) -> list[str]:
    """The words with this notebook before them, where the command takes one and they name none."""
    import click

    if isinstance(command, click.Group):  # `export`: what it is followed by takes the notebook
        inner = command.get_command(click.Context(command), words[0]) if words else None
        return list(words) if inner is None else [words[0], *_with_notebook(inner, words[1:])]
    takes = any(parameter.name in ("notebook", "model", "place") for parameter in command.params)
    named = any(word.endswith(".ipynb") for word in words) or any(word in ("-h", "--help") for word in words)
    if not takes or named or (command.name in _OF_MODELS and any(not word.startswith("-") for word in words)):
        return list(words)
    return [str(this_notebook()), *words]


_OF_MODELS = ("lineage", "promote", "rollback", "monitor", "serve", "score")


def _run(command: click.Command, words: Words) -> None:
    """Run a command; it prints into the cell.

    Raises:
        UsageError: the command does not take these words.
    """
    import click

    try:
        command.main(
            args=list(words),
            prog_name=f"%pipeline {command.name}",
            standalone_mode=False,
            help_option_names=["-h", "--help"],
        )
    except click.Abort:
        print("Given up.")
    except click.ClickException as error:
        raise UsageError(f"%pipeline {command.name}: {error.format_message()}") from error
    except SystemExit:  # an exit status, for a shell
        pass


def parsed(command: click.Command, words: Words) -> dict[str, Any]:
    """The words as the command takes them, with this notebook where it takes one and they name none.

    Raises:
        UsageError: the command does not take them.
    """
    import click

    try:
        context = command.make_context(
            f"%pipeline {command.name}", _with_notebook(command, words), help_option_names=["-h", "--help"]
        )
    except click.exceptions.Exit as error:  # its help has been printed
        raise UsageError("") from error
    except click.ClickException as error:
        raise UsageError(f"%pipeline {command.name}: {error.format_message()}") from error
    return dict(context.params)


def _show(words: Words) -> None:
    if any(word.startswith("-") for word in words):
        _run(_command("show"), _with_notebook(_command("show"), words))
        return
    from stagebook.live.views import show_pipeline

    show_pipeline(parsed(_command("show"), words)["notebook"])


def _form(words: Words) -> None:
    from stagebook.live.views import show_form

    _takes_nothing("form", words)
    show_form(this_notebook())


def _runs(words: Words) -> None:
    from stagebook.live.views import show_runs

    asked = parsed(_command("runs"), words)
    _shows_table("runs", asked)
    show_runs(**asked, choosing=not any(word.startswith("-") for word in words))


def _compare(words: Words) -> None:
    from stagebook.commands.comparing import compared
    from stagebook.comparetext import side_by_side_shown

    asked = parsed(_command("compare"), words)
    _shows_table("compare", asked)
    place = {"store": asked.pop("store")} if asked["store"] else _runs_of_this_notebook()
    metrics = asked["metrics"]
    beside = compared(asked["runs"], metrics=metrics, maximize=asked["maximize"], minimize=asked["minimize"], **place)
    _display(side_by_side_shown(beside, every_metric=bool(metrics)))


def _shows_table(verb: str, asked: dict[str, Any]) -> None:
    if asked.pop("form") != "text":
        raise UsageError(f"`%pipeline {verb}` shows a table: --format is for `stagebook {verb}`.")


def _runs_of_this_notebook() -> dict[str, Any]:
    """Where this notebook's runs are, and its name; nothing where this kernel does not say which one it is."""
    from stagebook.run.request import home_for

    try:
        notebook = this_notebook()
    except UsageError:
        return {}
    return {"store": home_for(notebook.resolve()), "notebook": notebook.name}


def _load(words: Words) -> None:
    from stagebook.live.loading import load

    _of_stage("load", load, words)


def _enter(words: Words) -> None:
    from stagebook.live.loading import enter

    _of_stage("enter", enter, words)


def _of_stage(verb: str, bring: Callable[..., str], words: Words) -> None:
    import click

    command = click.Command(
        verb,
        help=f"{HELP[verb].partition(': ')[2].capitalize()}.",
        params=[
            click.Argument(["stage"]),
            click.Option(["--run"], metavar="RUN", help="Its id, its folder, `last~1` [the last that has a result]."),
            click.Option(["--notebook", "other"], type=click.Path(path_type=Path), help="A notebook [this one]."),
        ],
    )
    asked = parsed(command, words) if words else None
    if asked is None:
        raise UsageError(f"Name the stage: %pipeline {verb} STAGE.")
    print(bring(asked["other"] or this_notebook(), asked["stage"], run=asked["run"]))


def _start_run(words: Words) -> None:
    from stagebook.live.running import start_run

    start_run(words, parsed(_command("run"), words))


def _sweep(words: Words) -> None:
    from stagebook.live.running import start_sweep

    if words:
        start_sweep(words, parsed(_command("sweep"), words))
        return
    from stagebook.live.views import show_sweep_form

    show_sweep_form(this_notebook())


def _cancel(words: Words) -> None:
    from stagebook.live.running import cancel

    _takes_nothing("cancel", words)
    print(cancel())


def _wait(words: Words) -> None:
    from stagebook.live.running import wait

    _takes_nothing("wait", words)
    told = wait()
    if told:
        print(told)


def _takes_nothing(verb: str, words: Words) -> None:
    if words:
        raise UsageError(f"`%pipeline {verb}` takes nothing, and `{' '.join(words)}` was given.")


def _cache(words: Words) -> None:
    from stagebook.live.cells import cells_of
    from stagebook.live.here import the_shell

    if list(words) not in (["on"], ["off"]):
        raise UsageError("Say what is wanted: %pipeline cache on, or off.")
    cells_of(the_shell()).keep(this_notebook() if words[0] == "on" else None)
    print(_CACHED if words[0] == "on" else "Stage cells are run as plain ones, and nothing of them is kept.")


_CACHED = (
    "From the next cell on, results of stages are kept for runs, and taken from them, where all that a stage reads is "
    "accounted for; the line below each cell says so. Run the cells of parameters and setup now."
)


def _notebook(words: Words) -> None:
    if len(words) > 1:
        raise UsageError("Name one notebook: %pipeline notebook NOTEBOOK.ipynb")
    if words:
        name_notebook(Path(words[0]))
    print(this_notebook())


def _display(shown: Shown) -> None:
    from IPython.display import display

    display(shown)  # type: ignore[no-untyped-call] # IPython's


_OWN: dict[str, Callable[[Words], None]] = {
    "show": _show,
    "form": _form,
    "runs": _runs,
    "compare": _compare,
    "load": _load,
    "enter": _enter,
    "run": _start_run,
    "sweep": _sweep,
    "cancel": _cancel,
    "wait": _wait,
    "cache": _cache,
    "notebook": _notebook,
}
