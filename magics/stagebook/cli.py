"""The command line: one group of the commands in `commands/`, and what becomes of their errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from stagebook.commands.all import COMMANDS
from stagebook.commands.options import examples
from stagebook.errors import PipelineError, StagebookError


class _Group(click.Group):
    """Turns our errors into a message on standard error and an exit status; lists its commands as work goes."""

    def list_commands(self, _: click.Context) -> list[str]:
        return list(self.commands)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except click.BadOptionUsage as error:
            if error.option_name in ("-p", "--parameter"):
                remedy = "Write the name and the value with a space between them: -p depth 8"
                raise click.BadOptionUsage(error.option_name, f"{error.message} {remedy}", error.ctx) from None
            raise
        except PipelineError as error:
            click.echo(f"{error}", err=True)
            if error.findings:
                from stagebook.text import findings_list

                click.echo(findings_list(error.findings), err=True)
            context.exit(error.exit_status)
        except StagebookError as error:
            click.echo(f"stagebook: {error}", err=True)
            context.exit(error.exit_status)


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "stagebook                                the notebooks here: how they stand, what to do next",
        "stagebook doctor                         whether kernel, JupyterLab, MLflow, store are in order",
        "stagebook suggest flights.ipynb          which cells could be which stages, if it has none yet",
        "stagebook check flights.ipynb            what is wrong with it",
        "stagebook show flights.ipynb             its stages and what flows between them",
        "stagebook plan flights.ipynb             what a run would do, and why",
        "stagebook run flights.ipynb -p depth 8   run it",
        "stagebook test flights.ipynb             run its test cells on the results that are there",
        "stagebook status flights.ipynb           how it stands: what ran when, what is out of date",
        "stagebook why flights.ipynb train        why a stage would run, line by line",
        "stagebook runs flights.ipynb --sort auc  its runs, the best first",
        "stagebook compare last~1 last            runs beside one another: parameters, metrics, stages",
        "stagebook diff last~1 last               what differs between two runs, or two notebooks",
        "stagebook drift a.parquet b.parquet      whether data has drifted",
        "stagebook monitor models:/flights@champion   whether what a service is asked has",
        "stagebook promote flights.ipynb          make the model of the last run the one in use",
        "stagebook export python flights.ipynb    a plain Python module of it, a function for each stage",
        "stagebook gc flights.ipynb --dry-run     what could be removed from its store",
    ),
)
@click.version_option(package_name="stagebook")
@click.pass_context
def main(context: click.Context) -> None:
    """Run tagged notebooks as pipelines: isolated, in parallel, cached, recorded in MLflow."""
    if os.environ.get("NO_COLOR"):  # https://no-color.org; rich knows it by itself
        context.color = False
    if context.invoked_subcommand is None:
        _show_folder()


def _show_folder() -> None:
    """The notebooks of this folder: how each stands, and the command that comes next."""
    from stagebook.run.overview import standings

    found, left = standings(Path())
    if not found:
        click.echo("There is no notebook here. Go to where one is, or begin one: jupyter lab")
    width, says = (max((len(getattr(one, part)) for one in found), default=0) for part in ("notebook", "says"))
    for one in found:
        click.echo(f"{one.notebook:{width}}  {one.says:{says}}  {one.next}")
    if left:
        click.echo(f"and {left} more")
    click.echo("\nAll commands: stagebook --help")


for command in COMMANDS:
    main.add_command(command)
