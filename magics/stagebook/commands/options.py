"""What commands share: the notebook they are given, the options that name stages and parameters, examples in help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from stagebook.model import Selection


def examples(*lines: str, status: str = "") -> str:
    """What a command's help ends with; the backspace keeps click from flowing the lines together."""
    return "\n\n".join(
        [*([status] if status else []), "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])]
    )


notebook_argument = click.argument("notebook", type=click.Path(path_type=Path))
store_option = click.option("--store", metavar="FOLDER|URL", help="Where results are kept [.stagebook beside it].")
parameter_option = click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUE",
    help="Set a parameter of the notebook's parameters cell. May be given more than once.",
)


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds the options that say which stages, with which parameters and from which store."""
    for option in (
        click.option("--force", is_flag=True, help="Run the selected stages even where nothing has changed."),
        click.option("--to", "end", metavar="STAGE", help="Run STAGE and all that it depends on."),
        click.option("--from", "start", metavar="STAGE", help="Run STAGE and all that depends on it."),
        click.option("--only", metavar="STAGE", help="Run STAGE alone, from stored inputs."),
        store_option,
        parameter_option,
    ):
        command = option(command)
    return command


def selection(asked: dict[str, Any]) -> Selection:
    """The selection that the options of `selection_options` ask for."""
    from stagebook.model import Selection

    return Selection(asked["only"], asked["start"], asked["end"], asked["force"])
