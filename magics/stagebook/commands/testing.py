"""`test`: run a notebook's test cells on the results of its stages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stagebook.commands.onward import onward
from stagebook.commands.options import examples, given_options, given_parameters, notebook_argument

if TYPE_CHECKING:
    from stagebook.events import Event
    from stagebook.run.testing import TestReport

_COLOURS = {"passed": "green", "failed": "red", "error": "red", "skipped": "yellow"}


@click.command(
    short_help="Run the test cells on the stored results.",
    epilog=examples(
        "stagebook test flights.ipynb                    all test cells, on the results that are there",
        "stagebook test flights.ipynb features split     those of two stages",
        "stagebook test flights.ipynb --run              run stale stages first",
        "stagebook test flights.ipynb --format junit > results.xml",
        "pytest flights.ipynb --stagebook-run            the same tests, run by pytest",
        status="Exit status: 0 all passed, 1 a test failed, or was skipped as its stage is stale, 2 nothing could be "
        "tested, 130 interrupted. A test that is skipped for another reason, as its stage's `when` is false, counts "
        "as passed.",
    ),
)
@notebook_argument
@click.argument("stages", nargs=-1, metavar="[STAGE]...")
@click.option("--run", "run_first", is_flag=True, help="Run stale stages first; without it their tests are skipped.")
@given_options
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Kernels at work at once [one a core].")
@click.option("--format", "form", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
def test(notebook: Path, *, stages: tuple[str, ...], run_first: bool, form: str, **asked: Any) -> None:
    """Run the cells tagged `test:STAGE` on the stored results of their stages.

    Each runs in a kernel of its own and gets what its stage made, or took. Nothing that it does is kept.
    """
    from stagebook.commands.running import end_on_sigterm
    from stagebook.progress import progress_for
    from stagebook.run.testing import run_tests

    given = dict(given_parameters(notebook, asked["parameters"], asked["secrets"]))
    end_on_sigterm()
    progress = progress_for(sys.stdout, as_json=False)
    try:
        report = run_tests(
            notebook,
            stages=stages,
            parameters=given,
            store=asked["store"],
            jobs=asked["jobs"],
            run=run_first,
            listeners=(progress, _show) if form == "text" else (),
        )
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        progress.close()
    _tell(report, form)
    if form == "text" and report.passed:
        onward("the pipeline as a plain Python module; others: stagebook export", "export", "python", notebook)
    sys.exit(0 if report.passed else 1)


def _show(event: Event) -> None:
    """A line for each test as soon as it is over."""
    from stagebook.events import CellTested
    from stagebook.testtext import result_line

    if isinstance(event, CellTested):
        click.secho(result_line(event.tested), fg=_COLOURS[event.tested.outcome])


def _tell(report: TestReport, form: str) -> None:
    from stagebook.testtext import failure_text, report_json, report_junit, report_sum

    if form == "json":
        click.echo(report_json(report))
    elif form == "junit":
        click.echo(report_junit(report))
    else:
        failures = [failure_text(tested) for tested in report.tested if tested.failure is not None]
        click.echo("\n".join(["", *(f"{text}\n" for text in failures), report_sum(report)]))
