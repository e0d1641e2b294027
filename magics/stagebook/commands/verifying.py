"""`verify`: run a notebook in every way that there is, and compare with its cells run from top to bottom."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from stagebook.commands.options import (
    examples,
    given_parameters,
    listed_names,
    notebook_argument,
    parameter_option,
    secret_option,
)


@click.command(
    short_help="Run by each target, and compare with one plain kernel.",
    epilog=examples(
        "stagebook verify flights.ipynb",
        "stagebook verify flights.ipynb --targets python,kedro -p depth 8",
        "stagebook verify flights.ipynb --targets image          builds the image, and runs it",
        "stagebook verify analysis/flights.ipynb --folder .      its stages read ../data",
        "stagebook verify flights.ipynb --json > verified.json   all that was found, for scripts",
        status="Exit status: 0 nothing differs, 1 something does, or a target that was named refuses the notebook, 2 "
        "it could not be verified, 130 interrupted.",
    ),
)
@notebook_argument
@click.option(
    "--targets",
    multiple=True,
    callback=listed_names,
    metavar="TARGET,..",
    help="local, papermill, dask, prefect, python, kedro, image [all that are installed, without image].",
)
@parameter_option
@secret_option
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="What is copied: it holds all that the stages read [the notebook's folder].",
)
@click.option("--strict", is_flag=True, help="What refuses, or is not installed, counts as a difference.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def verify(
    notebook: Path,
    *,
    targets: tuple[str, ...],
    parameters: tuple[tuple[str, str], ...],
    secrets: tuple[str, ...],
    folder: Path | None,
    strict: bool,
    as_json: bool,
) -> None:
    """Run the stages from top to bottom in one plain kernel, then by each target, and compare what they make.

    Each runs in a copy of the notebook's folder, from an empty store, and nothing is recorded. Compared are the values
    that a target hands over or keeps, and the metrics.
    """
    from stagebook.commands.running import end_on_sigterm
    from stagebook.verify.api import verify_notebook
    from stagebook.verifytext import verification_json, verification_text

    given = dict(given_parameters(notebook, parameters, secrets))
    end_on_sigterm()
    try:
        found = verify_notebook(
            notebook, names=targets, given=given, root=folder, tell=lambda line: click.echo(line, err=True)
        )
    except KeyboardInterrupt:
        sys.exit(130)
    show = verification_json if as_json else verification_text
    click.echo(show(found, strict=strict))
    sys.exit(0 if found.same(strict=strict) else 1)
