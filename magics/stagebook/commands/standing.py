"""`status`: how a notebook's pipeline stands, on one screen."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from stagebook.commands.options import examples, given_options, given_parameters, notebook_argument


@click.command(
    short_help="Say how the stages stand: up to date or not, and why.",
    epilog=examples(
        "stagebook status flights.ipynb",
        "stagebook status flights.ipynb -p depth 8         as it stands for a run with another parameter",
        "stagebook status flights.ipynb --format json      for scripts",
        status="Exit status: 0 whatever the state, 2 the notebook cannot run as a pipeline.",
    ),
)
@notebook_argument
@given_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def status(
    notebook: Path,
    *,
    parameters: tuple[tuple[str, str], ...],
    secrets: tuple[str, ...],
    store: str | None,
    form: str,
) -> None:
    """Say how the stages stand: up to date or not and why, when they ran, their metrics, what to do next."""
    from stagebook.run.status import notebook_status
    from stagebook.text import status_table, status_text

    given = dict(given_parameters(notebook, parameters, secrets))
    found = notebook_status(notebook, parameters=given, store=store)
    if form == "json":
        import json
        from dataclasses import asdict

        click.echo(json.dumps(asdict(found), indent=2, default=str))
    elif sys.stdout.isatty():
        from rich.console import Console

        Console().print(status_table(found))
    else:
        click.echo(status_text(found))
