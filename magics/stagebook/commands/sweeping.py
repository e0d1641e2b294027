"""`sweep`: run a notebook for many values of its parameters, and say which are best."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stagebook.commands.options import (
    examples,
    given_parameters,
    notebook_argument,
    on_option,
    secret_option,
    store_option,
)
from stagebook.errors import UsageError

if TYPE_CHECKING:
    from stagebook.run.sweep import Objective


@click.command(
    epilog=examples(
        "stagebook sweep flights.ipynb -p depth 4,6,8 -p learning_rate 0.01:0.05:0.02",
        "stagebook sweep flights.ipynb -p depth 4,6,8 --maximize auc --jobs 4",
        "stagebook sweep flights.ipynb -p depth 1:20 -p seed 1:50 --sample 30 --minimize loss",
        "stagebook sweep flights.ipynb -p depth 2:10 -p learning_rate 0.001:0.1:log \\",
        "    --search optuna --trials 40 --maximize auc",
        status="Exit status: 0 done, 1 a point failed, 2 it could not be started, 130 interrupted.\n\n"
        "Values of a grid: 4,6,8 or START:STOP:STEP, the stop included. "
        "Values to search: LOW:HIGH, LOW:HIGH:STEP or LOW:HIGH:log, and a,b,c to choose from.",
    )
)
@notebook_argument
@click.option(
    "-p",
    "--parameter",
    "parameters",
    nargs=2,
    multiple=True,
    metavar="NAME VALUES",
    help="A parameter and its values, or one value for all points. May be given more than once.",
)
@secret_option
@click.option("--maximize", metavar="METRIC", help="The best point has the largest METRIC.")
@click.option("--minimize", metavar="METRIC", help="The best point has the smallest METRIC.")
@click.option("--search", type=click.Choice(["optuna"]), help="Let optuna choose the points instead of trying all.")
@click.option("--trials", type=click.IntRange(min=1), help="Points of a search, those it has had counted [20].")
@click.option("--sample", type=click.IntRange(min=1), help="Take this many points of the grid at random.")
@click.option("--seed", type=int, default=0, show_default=True, help="Where --sample and --search start.")
@click.option("--to", "end", metavar="STAGE", help="Run STAGE and all that it depends on.")
@click.option("--force", is_flag=True, help="Run stages even where nothing has changed; what points share still once.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder for table, picture and runs [in the store].")
@store_option
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Kernels at work at once, over all points [one a core].")
@on_option
@click.option("--no-track", is_flag=True, help="Do not record the sweep in MLflow.")
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines instead of progress.")
def sweep(notebook: Path, *, as_json: bool, **asked: Any) -> None:
    """Run a notebook once for each combination of values.

    What points have in common is run once. The same command again takes up what is left: finished points are reused.
    """
    from stagebook.commands.running import end_on_sigterm, mlflow_line
    from stagebook.plan import Selection
    from stagebook.run.request import home_for
    from stagebook.run.sweeping import SweepRequest, sweep_notebook
    from stagebook.sweep_progress import sweep_progress_for
    from stagebook.sweep_text import sweep_summary

    objective = _objective(asked["maximize"], asked["minimize"])
    request = SweepRequest(
        notebook,
        given_parameters(notebook, asked["parameters"], asked["secrets"]),
        objective=objective,
        trials=_trials(asked, objective),
        sample=asked["sample"],
        seed=asked["seed"],
        selection=Selection(end=asked["end"], force=asked["force"]),
        out=asked["out"],
        jobs=asked["jobs"],
        on=asked["on"],
        track=not asked["no_track"],
        later=True,
        store=asked["store"],
    )
    end_on_sigterm()
    progress = sweep_progress_for(sys.stdout, as_json=as_json)
    try:
        done = sweep_notebook(request, listeners=(progress,))
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        progress.close()
    if not as_json:
        options = [
            *(["--to", asked["end"]] if asked["end"] else []),
            *(["--store", str(asked["store"])] if asked["store"] else []),
        ]
        click.echo(sweep_summary(done, options=options))
        if request.track:
            click.echo(mlflow_line(home_for(notebook.resolve(), request.store)))
    sys.exit({"done": 0, "failed": 1, "interrupted": 130}[done.state])


def _objective(maximize: str | None, minimize: str | None) -> Objective | None:
    from stagebook.run.sweep import Objective

    if maximize and minimize:
        raise UsageError("A sweep has one metric that counts: give --maximize or --minimize.")
    if maximize:
        return Objective(maximize, "maximize")
    return Objective(minimize, "minimize") if minimize else None


def _trials(asked: dict[str, Any], objective: Objective | None) -> int | None:
    """How many points a search may try; None for a grid."""
    if asked["search"] is None:
        if asked["trials"] is not None:
            raise UsageError("--trials is for a search: add --search optuna, or --sample for a part of a grid.")
        return None
    if objective is None:
        raise UsageError("A search needs to know what is better: add --maximize METRIC or --minimize METRIC.")
    if asked["sample"] is not None:
        raise UsageError("--sample is for a grid; a search takes --trials.")
    return int(asked["trials"] or 20)
