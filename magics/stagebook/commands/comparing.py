"""`diff` and `compare`: what differs between two notebooks or two runs; runs beside one another."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stagebook.commands.options import examples, listed_names
from stagebook.errors import UsageError

if TYPE_CHECKING:
    from stagebook.run.beside import Direction, SideBySide

_store = click.option(
    "--store", metavar="FOLDER|URL", help="Where runs are looked for [.stagebook in the working directory]."
)
_form = click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True
)


@click.command(
    short_help="Say what differs between two notebooks or two runs.",
    epilog=examples(
        "stagebook diff old.ipynb new.ipynb",
        "stagebook diff HEAD:notebooks/flights.ipynb notebooks/flights.ipynb     with git's history",
        "stagebook diff last~1 last                                             the last two runs of a notebook",
        "stagebook diff 20261125-0350-ab12 runs/deep --format markdown          runs by id and by folder",
        "stagebook diff last flights.ipynb                                      what was edited since the last run",
        status="Exit status: 0 the same, 1 different, 2 they could not be compared.",
    ),
)
@click.argument("before", metavar="A")
@click.argument("now", metavar="B")
@_store
@_form
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


def _metrics_option(name: str, told: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(name, multiple=True, callback=listed_names, metavar="METRIC,..", help=told)


@click.command(
    short_help="Show runs beside one another, a column each.",
    epilog=examples(
        "stagebook compare last~1 last",
        "stagebook compare last~2 last~1 last --metrics auc,loss",
        "stagebook compare 20261125-035012-ab12cd runs/deep --maximize auc    runs by id and by folder",
        "stagebook compare last~1 last --format markdown                      for a pull request",
        status="Exit status: 0 they are shown, 2 there is no such run.",
    ),
)
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True)
@_metrics_option("--metrics", "Show these, in this order [all].")
@_metrics_option("--maximize", "More of these is better: the best is marked, as with a sweep's objective.")
@_metrics_option("--minimize", "Less of these is better.")
@_store
@_form
def compare(runs: tuple[str, ...], *, form: str, **asked: Any) -> None:
    """Show runs beside one another: a column each, what they were given, their metrics, what became of each stage.

    Each RUN is an id, a folder, `last` or `last~1`. The first is what the others are compared with; `stagebook diff`
    shows what differs in the code.
    """
    from stagebook.comparetext import side_by_side_markdown, side_by_side_text

    found = compared(runs, **asked)
    every = bool(asked["metrics"])
    if form == "json":
        import json
        from dataclasses import asdict

        click.echo(json.dumps(asdict(found), indent=2))
    else:
        show = side_by_side_markdown if form == "markdown" else side_by_side_text
        click.echo(show(found, every_metric=every))


def compared(
    runs: Sequence[str],
    *,
    metrics: Sequence[str] = (),
    maximize: Sequence[str] = (),
    minimize: Sequence[str] = (),
    store: str | Path | None = None,
    notebook: str | None = None,
) -> SideBySide:
    """What `compare` shows.

    Args:
        runs: what they are called.
        metrics: those to show; all if there are none.
        maximize: metrics of which more is better.
        minimize: metrics of which less is better.
        store: where runs are looked for.
        notebook: the name of the notebook whose runs `last` counts; by default the one that was run last of all.

    Raises:
        StagebookError: there is no such run or metric, or a metric is to be both.
    """
    from stagebook.run.beside import side_by_side
    from stagebook.run.directions import directions_of
    from stagebook.run.references import runs_home, side_of

    both = sorted({*maximize} & {*minimize})
    if both:
        raise UsageError(f"`{both[0]}` cannot be best at its most and at its least: give --maximize or --minimize.")
    sides = [side_of(run, store=store, notebook=notebook) for run in runs]
    known = directions_of({side.name for side in sides}, runs_home(store))
    said: dict[str, Direction] = {**dict.fromkeys(maximize, "maximize"), **dict.fromkeys(minimize, "minimize")}
    return side_by_side(sides, directions=known | said, metrics=metrics)
