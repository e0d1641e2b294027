"""What commands share: the notebook they are given, the options that name stages and parameters, examples in help."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stagebook.errors import UsageError

if TYPE_CHECKING:
    from stagebook.plan import Selection


def examples(*lines: str, status: str = "") -> str:
    """What a command's help ends with; the backspace keeps click from flowing the lines together."""
    return "\n\n".join(
        [*([status] if status else []), "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])]
    )


def listed_names(_: click.Context, __: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Names, from `a,b`; the option may be given more than once."""
    return tuple(name.strip() for text in value for name in text.split(",") if name.strip())


notebook_argument = click.argument("notebook", type=click.Path(path_type=Path))
store_option = click.option("--store", metavar="FOLDER|URL", help="Where results are kept [.stagebook beside it].")
on_option = click.option(
    "--on", metavar="dask|prefect[://HOST:PORT]", help="Where stages run: on Dask's workers, or as tasks of Prefect."
)
parameter_option = click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Set a parameter of the notebook's parameters cell. May be given more than once.",
)
secret_option = click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="NAME",
    help="Set a secret parameter to what the environment variable NAME, in upper case, holds; or be asked for it.",
)


def given_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say with which parameters, and from which store."""
    for option in (store_option, secret_option, parameter_option):
        command = option(command)
    return command


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say which stages, with which parameters and from which store."""
    for option in (
        click.option("--force", is_flag=True, help="Run the selected stages even where nothing has changed."),
        click.option("--to", "end", metavar="STAGE", help="Run STAGE and all that it depends on."),
        click.option("--from", "start", metavar="STAGE", help="Run STAGE and all that depends on it."),
        click.option("--only", metavar="STAGE", help="Run STAGE alone, from stored inputs."),
    ):
        command = option(command)
    return given_options(command)


def given_parameters(
    notebook: Path, parameters: Iterable[tuple[str, str]], secrets: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """What `-p` and `--secret` give, as text.

    Raises:
        StagebookError: `--secret` names what is no secret parameter, or is given already, or what there is no value of.
    """
    from stagebook.book.parameters import checked
    from stagebook.book.pipeline import load_pipeline
    from stagebook.book.secrets import secret_names

    found = list(parameters)
    names = list(secrets)
    known = load_pipeline(notebook).parameters if names else ()
    for name in names:
        if name not in {one.name for one in known}:
            checked(known, {name: None}, notebook=notebook.name)
        if name not in secret_names(known):
            raise UsageError(f"Parameter `{name}` is not secret. Annotate it: `{name}: Secret`, or give it with -p.")
        if name in dict(found):
            raise UsageError(f"Parameter `{name}` is given twice. Give it with --secret alone.")
        found.append((name, _secret_value(name)))
    return tuple(found)


def _secret_value(name: str) -> str:
    variable = name.upper()
    if os.environ.get(variable):
        return os.environ[variable]
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True, err=True))
    raise UsageError(f"--secret {name} takes the environment variable {variable}, which is not set. Set it.")


def words_of(asked: dict[str, Any]) -> list[str]:
    """The words that ask another command for the same parameters, selection and store."""
    words = [word for name, value in asked["parameters"] for word in ("-p", name, value)]
    words += [word for name in asked["secrets"] for word in ("--secret", name)]
    for option, name in (("--only", "only"), ("--from", "start"), ("--to", "end"), ("--store", "store")):
        words += [option, asked[name]] if asked.get(name) else []
    return [*words, "--force"] if asked.get("force") else words


def selection(asked: dict[str, Any]) -> Selection:
    """The selection that the options of `selection_options` ask for."""
    from stagebook.plan import Selection

    return Selection(asked["only"], asked["start"], asked["end"], asked["force"])
