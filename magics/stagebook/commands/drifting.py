"""`drift`: whether data has drifted, for people, for CI and for other programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stagebook.commands.options import examples, listed_names
from stagebook.commands.waiting import waiting
from stagebook.errors import UsageError

if TYPE_CHECKING:
    import subprocess

    from stagebook.drift.result import Drift

DRIFTED = 4
"""Exit status where what `--fail-on` names is there."""


def _pairs(_: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """`COLUMN=WHAT` for each; a bare value is for all columns, under an empty name."""
    found = []
    for text in value:
        column, equals, what = text.rpartition("=")
        if not what or (parameter.name == "kinds" and not equals):
            raise click.BadParameter(f"`{text}` is no COLUMN=VALUE.")
        found.append((column, what))
    return tuple(found)


@click.command(
    short_help="Say whether data has drifted, column by column.",
    epilog=examples(
        "stagebook drift january.parquet july.parquet",
        "stagebook drift models:/flights@champion july.parquet         what that version was trained on, and now",
        "stagebook drift models:/flights@champion .stagebook/requests/flights --since 7d",
        "stagebook drift january.csv flights.ipynb:trips               what a stage made last",
        "stagebook drift a.csv b.csv --fail-on drift --format json     in CI: exit status 4 on drift",
        "stagebook drift a.csv b.csv --format html --out drift.html --report evidently.html",
        status="Exit status: 0 compared, 2 it could not be, 4 what --fail-on names is there.",
    ),
)
@click.argument("reference")
@click.argument("current")
@click.option("--columns", multiple=True, callback=listed_names, metavar="NAME,..", help="Compare these only.")
@click.option("--target", metavar="COLUMN", help="The column of the labels.")
@click.option("--prediction", metavar="COLUMN", help="The column of the predictions.")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    callback=_pairs,
    metavar="[COLUMN=]NUMBER",
    help="The score at which drift begins [0.05 for p-values, 0.1 for distances].",
)
@click.option(
    "--kind",
    "kinds",
    multiple=True,
    callback=_pairs,
    metavar="COLUMN=KIND",
    help="Take a column for numeric, category, text or moment.",
)
@click.option("--share", "limit", type=float, default=0.5, show_default=True, help="Of drifted features: drift.")
@click.option("--sample", type=click.IntRange(min=1000), metavar="ROWS", help="Rows to look at first [100000].")
@click.option("--since", metavar="TIME", help="Of a log: from this time on, or for so long, as in 7d, 12h.")
@click.option("--until", metavar="TIME", help="Of a log: before this time.")
@click.option("--fail-on", type=click.Choice(["drift", "column", "never"]), default="never", show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Evidently's report, as HTML.")
def drift(reference: str, current: str, *, fail_on: str, form: str, out: Path | None, **asked: Any) -> None:
    """Say whether data has drifted: every column of CURRENT against REFERENCE, by the tests that Evidently chooses.

    Both are a file (Parquet, CSV, Feather), the folder of a log of requests, models:/NAME@ALIAS for what that version
    was trained on, or NOTEBOOK.ipynb:NAME for what a stage of it made last.
    """
    from stagebook.drift.card import summary
    from stagebook.run.files import write_text

    with waiting("Comparing"):
        found, making = compared(reference, current, asked, page=out)
    text = shown(found, form)
    if out is None:
        click.echo(text)
    else:
        write_text(out, text + "\n")
        click.echo(f"{found.verdict}: {summary(found)}. Written to {out}.", err=True)
    if making is not None:
        with waiting("Evidently makes its report"):
            failed = making.wait()
        if failed:
            raise UsageError(f"Evidently could not make {asked['report']}.")
    if fail_on != "never" and not found.tested:
        remedy = "Compare tables that have rows, and columns of the same names."
        raise UsageError(f"No column could be tested, so --fail-on has nothing to go by. {remedy}")
    failing = {"drift": found.detected, "column": bool(found.drifted), "never": False}
    sys.exit(DRIFTED if failing[fail_on] else 0)


def compared(
    reference: str,
    current: str,
    asked: Mapping[str, Any],
    *,
    page: Path | None = None,
    values: Mapping[str, Any] | None = None,
) -> tuple[Drift, subprocess.Popen[bytes] | None]:
    """The comparison that the command's options ask for, and the process that makes the report, if it is asked for.

    Args:
        reference: what names the data before.
        current: what names it now.
        asked: the options, by their names in Python.
        page: the file that the comparison is shown in; None: it is shown in the working directory.
        values: what names stand for, in a notebook.

    Raises:
        StagebookError: one of them is no table, there is no such column, or an option cannot be.
    """
    from stagebook.drift.api import HOME, drift
    from stagebook.drift.compare import SAMPLE
    from stagebook.drift.report import begin_report
    from stagebook.drift.sources import Window, source_named
    from stagebook.drift.times import moment_of

    if (asked["since"] or asked["until"]) and not any(Path(text).is_dir() for text in (reference, current)):
        remedy = "Leave them out, or name the log's folder: .stagebook/requests/NAME."
        raise UsageError(f"--since and --until are for a log of requests, and neither table is one. {remedy}")
    window = Window(moment_of(asked["since"]), moment_of(asked["until"]))
    limits = {column: _number(text) for column, text in asked["thresholds"]}
    also = [name for name in (asked["target"], asked["prediction"]) if name]
    home = Path(HOME)
    sides = [source_named(text, home=home, also=also, window=window, values=values) for text in (reference, current)]
    found = drift(
        *sides,
        columns=asked["columns"],
        target=asked["target"],
        prediction=asked["prediction"],
        kinds=dict(asked["kinds"]),
        threshold=limits.pop("", None),
        thresholds=limits,
        limit=asked["limit"],
        sample=asked["sample"] or SAMPLE,
    )
    report = asked["report"]
    if report is None:
        return found, None
    address = Path(os.path.relpath(report, page.parent if page else Path())).as_posix()
    return replace(found, report=address), begin_report(sides[0].table, sides[1].table, found, report)


def shown(found: Drift, form: str) -> str:
    """The comparison as text, JSON or a page."""
    if form == "json":
        import json

        return json.dumps(found.to_json(), indent=2, default=float)
    if form == "html":
        from stagebook.drift.card import page

        return page(found)
    from stagebook.drifttext import drift_text

    return drift_text(found)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"--threshold takes a number, or COLUMN=NUMBER, and {text} is none.") from None
