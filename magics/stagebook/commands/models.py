"""`lineage`, `promote` and `rollback`: where a registered model comes from, and which version is in use."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stagebook.commands.onward import onward
from stagebook.commands.options import examples
from stagebook.commands.waiting import waiting

if TYPE_CHECKING:
    from mlflow import MlflowClient


_model_argument = click.argument("model", metavar="MODEL")
_why_option = click.option("--why", default="", metavar="TEXT", help="The reason, kept with the version.")
_store_option = click.option(
    "--store", metavar="FOLDER|URL", help="Where the runs' store is [.stagebook in the working directory]."
)


@click.command(
    short_help="Show where a model version comes from.",
    epilog=examples(
        "stagebook lineage flights.ipynb                          of the notebook's model: its champion",
        "stagebook lineage models:/flights@champion",
        "stagebook lineage flights@champion --diff flights/3      what differs from version 3",
        status="Exit status: 0 all is known, 1 something of it is missing, 2 there is no such version.",
    ),
)
@_model_argument
@click.option("--diff", "other", metavar="MODEL", help="Say what differs between the runs of both.")
@_store_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def lineage(model: str, *, other: str | None, store: str | None, form: str) -> None:
    """Show where a model version comes from: run, stages with fingerprints, data, parameters, code.

    MODEL is a notebook, NAME, NAME@ALIAS, NAME/3 or models:/NAME@ALIAS.
    """
    import json
    import sys
    from dataclasses import asdict

    from stagebook.difftext import comparison_text
    from stagebook.modeltext import lineage_text
    from stagebook.track.lineage import compared, lineage_of, version_named

    if other is not None:
        with _asking_mlflow():
            client, name = registry_of(model, store)
            found = compared(client, version_named(client, other), version_named(client, name))
        click.echo(json.dumps(asdict(found), indent=2) if form == "json" else comparison_text(found))
        return
    with _asking_mlflow():
        client, name = registry_of(model, store)
        known = lineage_of(client, version_named(client, name))
    click.echo(json.dumps(asdict(known), indent=2) if form == "json" else lineage_text(known))
    sys.exit(1 if known.missing else 0)


@click.command(
    short_help="Give a model version an alias, if its gates hold.",
    epilog=examples(
        'stagebook promote flights.ipynb --why "better in winter"',
        "stagebook promote flights --to champion --from challenger",
        "stagebook promote flights/3 --to staging",
        status="Exit status: 0 it has the alias, 2 it is not known where the version comes from, 3 a gate is closed.",
    ),
)
@_model_argument
@click.option("--to", "alias", default="champion", show_default=True, metavar="ALIAS", help="The alias to be given.")
@click.option("--from", "source", metavar="ALIAS", help="Which version, where MODEL says none [challenger].")
@_why_option
@_store_option
def promote(model: str, *, alias: str, source: str | None, why: str, store: str | None) -> None:
    """Give a model version an alias, if its gates hold, judged against the champion as it is now.

    MODEL is a notebook, NAME, NAME@ALIAS or NAME/3.
    """
    from stagebook.modeltext import promotion_text
    from stagebook.track.lineage import version_named
    from stagebook.track.promotion import promote as give

    with _asking_mlflow():
        client, name = registry_of(model, store)
        if source is not None and ("@" in name or "/" in name.removeprefix("models:/")):
            raise click.UsageError("--from goes with a model's name alone.")
        version = version_named(client, f"{name}@{source}" if source else name, alias="challenger")
    with waiting(f"Judging version {version.version} of {version.name}"):
        given = give(client, version, alias=alias, why=why)
    click.echo(promotion_text(given))
    if alias == "champion":
        onward("a service for it", "serve", f"models:/{version.name}@{alias}")


@click.command(
    short_help="Give an alias back to the version that had it before.",
    epilog=examples(
        'stagebook rollback flights --why "complaints from Newark"',
        status="Exit status: 0 the version before has the alias again, 2 there is none.",
    ),
)
@_model_argument
@click.option(
    "--to", "alias", default="champion", show_default=True, metavar="ALIAS", help="The alias to be given back."
)
@_why_option
@_store_option
def rollback(model: str, *, alias: str, why: str, store: str | None) -> None:
    """Give an alias back to the version that had it before. MODEL is a notebook, or the model's name."""
    from stagebook.track.lineage import version_named
    from stagebook.track.promotion import roll_back

    with _asking_mlflow():
        client, name = registry_of(model, store)
        found = version_named(client, name, alias=alias)
        moved = roll_back(client, found.name, alias=alias, why=why)
    click.echo(f"@{alias} of `{moved.model}` is version {moved.version} again, after version {moved.before}.")


def _asking_mlflow() -> AbstractContextManager[None]:
    return waiting("Asking MLflow")


def registry_of(model: str, store: str | None) -> tuple[MlflowClient, str]:
    """A client for where the runs are recorded, once all is recorded; and the model, as the registry names it."""
    from stagebook.run.request import home_for
    from stagebook.track.registry import registry_at

    notebook = Path(model)
    is_notebook = notebook.suffix == ".ipynb"
    name = _name_in(notebook) if is_notebook else model
    home = home_for(notebook.resolve() if is_notebook else Path.cwd() / "any", store)
    return registry_at(home, tell_note), name


def tell_note(note: str) -> None:
    """Say what somebody should know and that is no answer."""
    click.echo(note, err=True)


def _name_in(notebook: Path) -> str:
    """The registered model of a notebook."""
    from stagebook.book.pipeline import load_pipeline
    from stagebook.book.registered import registered_names
    from stagebook.errors import UsageError

    names = sorted(set(registered_names(load_pipeline(notebook)).values()))
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError(f"No stage of {notebook.name} registers a model: the option `model=` does.")
    raise UsageError(f"{notebook.name} registers several models: name one of {', '.join(names)}.")
