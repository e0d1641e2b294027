"""`why`: why a stage would run, or need not."""

from __future__ import annotations

from pathlib import Path

import click

from stagebook.commands.options import examples, given_options, given_parameters, notebook_argument


@click.command(
    short_help="Say why a stage would run, or need not.",
    epilog=examples(
        "stagebook why flights.ipynb train",
        "stagebook why flights.ipynb train -p depth 8      for a run with another parameter",
        status="Exit status: 0 whatever the reason, 2 there is no such stage.",
    ),
)
@notebook_argument
@click.argument("stage")
@given_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def why(
    notebook: Path,
    stage: str,
    *,
    parameters: tuple[tuple[str, str], ...],
    secrets: tuple[str, ...],
    store: str | None,
    form: str,
) -> None:
    """Say why a stage would run, or need not: what has changed since its last run, line by line, and where from."""
    from stagebook.run.explaining import explained
    from stagebook.whytext import why_text

    given = dict(given_parameters(notebook, parameters, secrets))
    found = explained(notebook, stage, parameters=given, store=store)
    if form == "json":
        import json
        from dataclasses import asdict

        click.echo(json.dumps(asdict(found), indent=2, default=str))
    else:
        click.echo(why_text(found))
