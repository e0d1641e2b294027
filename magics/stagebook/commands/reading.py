"""`check`, `show`, `plan`: commands that read a notebook and run nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from stagebook.commands.onward import onward
from stagebook.commands.options import (
    examples,
    given_parameters,
    notebook_argument,
    selection,
    selection_options,
    words_of,
)


@click.command(
    epilog=examples(
        "stagebook check flights.ipynb",
        "stagebook check flights.ipynb --format github   in a workflow: findings show up on the pull request",
        status="Exit status: 0 clean, 1 findings, 2 the notebook could not be read.",
    )
)
@notebook_argument
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
def check(notebook: Path, form: str) -> None:
    """Say what is wrong with a notebook's stages and data flow."""
    from stagebook.book.notebook import read_document
    from stagebook.book.remembered import examined
    from stagebook.text import findings_github, findings_text

    _, findings = examined(read_document(notebook), notebook)
    if form == "json":
        import json

        click.echo(json.dumps([_finding_json(found) for found in findings], indent=2))
    elif form == "github":
        click.echo(findings_github(findings, notebook), nl=bool(findings))
    else:
        click.echo(findings_text(findings, notebook))
        if not findings:
            onward("what a run would do, and why", "plan", notebook)
    sys.exit(1 if findings else 0)


@click.command(
    epilog=examples(
        "stagebook show flights.ipynb",
        "stagebook show flights.ipynb --format svg --out flights.svg",
        "stagebook show flights.ipynb --format mermaid",
    )
)
@notebook_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "svg", "mermaid", "dot", "json"]),
    default="text",
    show_default=True,
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file.")
def show(notebook: Path, form: Any, out: Path | None) -> None:
    """Draw the stages and the names that flow between them."""
    from stagebook.book.draw import draw
    from stagebook.book.pipeline import load_pipeline

    drawn = draw(load_pipeline(notebook), form)
    if out is None:
        click.echo(drawn, nl=not drawn.endswith("\n"))
        if form == "text":
            onward("what a run would do, and why", "plan", notebook)
        return
    from stagebook.run.files import write_text

    write_text(out, drawn if drawn.endswith("\n") else f"{drawn}\n")


@click.command(
    epilog=examples(
        "stagebook plan flights.ipynb",
        "stagebook plan flights.ipynb -p depth 8",
        "stagebook plan flights.ipynb --format key     what a cache of the store may be called by, in CI",
    )
)
@notebook_argument
@selection_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "key"]),
    default="text",
    show_default=True,
    help="`key`: a digest of all code, parameters, packages and named files that the stages' results depend on.",
)
def plan(notebook: Path, form: str, **asked: Any) -> None:
    """Say what a run would do, stage by stage, and why; run nothing."""
    from stagebook.run.api import plan_notebook
    from stagebook.text import plan_text

    given = dict(given_parameters(notebook, asked["parameters"], asked["secrets"]))
    if form == "key":
        from stagebook.run.recipe import recipe_of

        click.echo(recipe_of(notebook, parameters=given, store=asked["store"]))
        return
    made = plan_notebook(notebook, parameters=given, selection=selection(asked), store=asked["store"])
    if form == "json":
        import json
        from dataclasses import asdict

        decisions = [asdict(one) for one in made.decisions]
        click.echo(json.dumps({"decisions": decisions, "notes": list(made.notes)}, indent=2))
    else:
        click.echo(plan_text(made))
        if any(one.action == "run" for one in made.decisions):
            onward("run it", "run", notebook, *words_of(asked))


def _finding_json(found: Any) -> dict[str, Any]:
    place = {"cell": found.place.cell, "line": found.place.line} if found.place else {"cell": None, "line": None}
    plain = {name: getattr(found, name) for name in ("code", "severity", "message", "remedy", "stage")}
    return {**plain, **place}
