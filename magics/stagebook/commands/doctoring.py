"""`doctor`: whether what Stagebook stands on is in order here."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from stagebook.commands.options import examples, store_option

_SIGNS = {"ok": ("ok", "green"), "missing": ("--", "yellow"), "wrong": ("!!", "red")}


@click.command(
    short_help="Look whether all that Stagebook needs is in order.",
    epilog=examples(
        "stagebook doctor",
        "stagebook doctor flights.ipynb              with the kernel that it asks for, and its store",
        "stagebook doctor --store s3://bucket/here   whether a store can be written and read",
        "stagebook doctor --json                     for scripts",
        status="Exit status: 0 all that is needed is in order, 1 something is not.",
    ),
)
@click.argument("notebook", type=click.Path(path_type=Path), required=False)
@store_option
@click.option("--json", "as_json", is_flag=True, help="Print what was found as JSON.")
def doctor(notebook: Path | None, store: str | None, *, as_json: bool) -> None:
    """Look whether kernel, JupyterLab, store, MLflow and engines are in order, and say what to do.

    What is marked with -- is missing, and only some need it.
    """
    from dataclasses import asdict

    from stagebook.doctor import examined

    found = []
    for check in examined(notebook, store):
        found.append(check)
        if not as_json:
            sign, colour = _SIGNS[check.state]
            click.echo(f"{click.style(sign, fg=colour)}  {check.name}: {check.says}")
            if check.remedy:
                click.echo(f"      {check.remedy}")
    if as_json:
        click.echo(json.dumps([asdict(check) for check in found], indent=2))
    wrong = [check.name for check in found if check.state == "wrong"]
    if not as_json:
        click.echo(f"\nNot in order: {', '.join(wrong)}." if wrong else "\nAll that is needed is in order.")
    sys.exit(1 if wrong else 0)
