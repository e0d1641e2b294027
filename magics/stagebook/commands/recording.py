"""`runs` and `sync`: the runs of a notebook, and having MLflow told of those that it does not know yet."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stagebook.commands.onward import onward
from stagebook.commands.options import examples, notebook_argument, store_option

if TYPE_CHECKING:
    from stagebook.run.unrecorded import Unrecorded


@click.command(
    short_help="List the runs of a notebook, with their metrics.",
    epilog=examples(
        "stagebook runs flights.ipynb",
        "stagebook runs flights.ipynb --sort auc           the best first",
        "stagebook runs flights.ipynb --sort loss --ascending --limit 5",
        "stagebook runs flights.ipynb --format json        for scripts",
    ),
)
@notebook_argument
@click.option("--sort", "metric", metavar="METRIC", help="Highest first, those without the metric last [newest first].")
@click.option("--ascending", is_flag=True, help="With --sort: lowest first.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Show so many.")
@store_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def runs(notebook: Path, *, metric: str | None, ascending: bool, limit: int, store: str | None, form: str) -> None:
    """List the runs of a notebook: when, how they ended, parameters, metrics. `stagebook compare` compares some."""
    from stagebook.run.history import runs_of
    from stagebook.text import runs_text

    found = runs_of(notebook, store=store, metric=metric, ascending=ascending)
    if form == "json":
        import json

        click.echo(json.dumps(found[:limit], indent=2))
    else:
        click.echo(runs_text(found, notebook.name, limit=limit, metric=metric))
        if len(found) > 1:
            onward("what differs between the last two", "compare", "last~1", "last")


@click.command(
    short_help="Tell MLflow of runs that it does not know yet.",
    epilog=examples(
        "stagebook sync flights.ipynb",
        status="Exit status: 0 MLflow knows all there is to say, 1 it does not answer: all is kept, try again.",
    ),
)
@notebook_argument
@store_option
def sync(notebook: Path, *, store: str | None) -> None:
    """Tell MLflow of runs and sweeps that it does not know yet, as its server was away or a process was killed."""
    from stagebook.book.notebook import read_document
    from stagebook.run.request import home_for
    from stagebook.run.unrecorded import waiting_elsewhere
    from stagebook.text import counted
    from stagebook.track.recorder import record_unrecorded

    read_document(notebook)

    def tell(one: Unrecorded) -> None:
        click.echo(f"{one.kind.capitalize()} {one.id} is recorded.")

    home = home_for(notebook.resolve(), store)
    left = record_unrecorded(home, patience=_PATIENCE, told=tell)
    elsewhere = waiting_elsewhere(home)
    if elsewhere:
        told = f"{counted(elsewhere, 'run')} for another server: set MLFLOW_TRACKING_URI as it was for them."
        click.echo(f"What is kept holds {told}")
    if not left:
        click.echo("MLflow knows all there is to say.")
        return
    cause = next((one.failed for one in left if one.failed), "another process is at it")
    click.echo(f"{counted(len(left), 'run')} could not be recorded ({cause}). All is kept: try again later.", err=True)
    sys.exit(1)


_PATIENCE = 60
"""Seconds to wait for another process that records."""
