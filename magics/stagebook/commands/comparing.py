"""`diff`: what differs between two notebooks or two runs."""

from __future__ import annotations

import sys

import click

from stagebook.commands.options import examples


@click.command(
    epilog=examples(
        "stagebook diff old.ipynb new.ipynb",
        "stagebook diff HEAD:notebooks/flights.ipynb notebooks/flights.ipynb     with git's history",
        "stagebook diff last~1 last                                             the last two runs of a notebook",
        "stagebook diff 20261125-0350-ab12 runs/deep --format markdown          runs by id and by folder",
        "stagebook diff last flights.ipynb                                      what was edited since the last run",
        status="Exit status: 0 the same, 1 different, 2 they could not be compared.",
    )
)
@click.argument("before", metavar="A")
@click.argument("now", metavar="B")
@click.option("--store", metavar="FOLDER|URL", help="Where runs are looked for [.stagebook in the working directory].")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
def diff(before: str, now: str, *, store: str | None, form: str) -> None:
    """Say what differs between two notebooks or two runs: stages, edges, parameters, metrics, artifacts, versions.

    A and B are each a notebook, REV:PATH of one in git's history, or a run: its id, its folder, `last`, `last~1`.
    """
    from stagebook.difftext import comparison_markdown, comparison_text
    from stagebook.run.compare import compare
    from stagebook.run.references import side_of

    found = compare(side_of(before, store=store), side_of(now, store=store))
    if form == "json":
        import json
        from dataclasses import asdict

        click.echo(json.dumps({"same": found.same, **asdict(found)}, indent=2))
    else:
        click.echo(comparison_markdown(found) if form == "markdown" else comparison_text(found))
    sys.exit(0 if found.same else 1)
