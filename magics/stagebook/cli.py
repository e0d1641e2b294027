"""The command line: parse, call a plain function, print."""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stagebook.errors import PipelineError, StagebookError
from stagebook.text import counted, findings_github, findings_list, findings_text, metrics_text, plan_text

if TYPE_CHECKING:
    from stagebook.model import Selection
    from stagebook.run.record import Run


def _examples(*lines: str, status: str = "") -> str:
    """What a command's help ends with; the backspace keeps click from flowing the lines together."""
    return "\n\n".join(
        [*([status] if status else []), "\b\n" + "\n".join(["Examples:", *(f"  {line}" for line in lines)])]
    )


_notebook = click.argument("notebook", type=click.Path(path_type=Path))


def _selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--force", is_flag=True, help="Run the selected stages even where nothing has changed."),
        click.option("--to", "end", metavar="STAGE", help="Run STAGE and all that it depends on."),
        click.option("--from", "start", metavar="STAGE", help="Run STAGE and all that depends on it."),
        click.option("--only", metavar="STAGE", help="Run STAGE alone, from stored inputs."),
        click.option("--store", type=click.Path(path_type=Path), help="Where results are kept [.stagebook beside it]."),
        click.option(
            "-p",
            "--parameter",
            "parameters",
            nargs=2,
            multiple=True,
            metavar="NAME VALUE",
            help="Set a parameter of the notebook's parameters cell. May be given more than once.",
        ),
    ):
        command = option(command)
    return command


class _Group(click.Group):
    """Turns our errors into a message on standard error and an exit status."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except PipelineError as error:
            click.echo(f"{error}", err=True)
            if error.findings:
                click.echo(findings_list(error.findings), err=True)
            context.exit(error.exit_status)
        except StagebookError as error:
            click.echo(f"stagebook: {error}", err=True)
            context.exit(error.exit_status)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_examples(
        "stagebook check flights.ipynb            what is wrong with it",
        "stagebook show flights.ipynb             its stages and what flows between them",
        "stagebook plan flights.ipynb             what a run would do, and why",
        "stagebook run flights.ipynb -p depth 8   run it",
    ),
)
@click.version_option(package_name="stagebook")
def main() -> None:
    """Run tagged notebooks as pipelines: isolated, in parallel, cached, recorded in MLflow."""


@main.command(
    epilog=_examples(
        "stagebook check flights.ipynb",
        "stagebook check flights.ipynb --format github   in a workflow: findings show up on the pull request",
        status="Exit status: 0 clean, 1 findings, 2 the notebook could not be read.",
    )
)
@_notebook
@click.option("--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True)
def check(notebook: Path, form: str) -> None:
    """Say what is wrong with a notebook's stages and data flow."""
    from stagebook.book.notebook import read_document
    from stagebook.book.pipeline import examine

    _, findings = examine(read_document(notebook), notebook)
    if form == "json":
        click.echo(json.dumps([_finding_json(found) for found in findings], indent=2))
    elif form == "github":
        click.echo(findings_github(findings, notebook), nl=bool(findings))
    else:
        click.echo(findings_text(findings, notebook))
    sys.exit(1 if findings else 0)


@main.command(epilog=_examples("stagebook show flights.ipynb", "stagebook show flights.ipynb --format mermaid"))
@_notebook
@click.option(
    "--format", "form", type=click.Choice(["text", "mermaid", "dot", "json"]), default="text", show_default=True
)
def show(notebook: Path, form: Any) -> None:
    """Draw the stages and the names that flow between them."""
    from stagebook.book.draw import draw
    from stagebook.book.pipeline import load_pipeline

    click.echo(draw(load_pipeline(notebook), form))


@main.command(epilog=_examples("stagebook plan flights.ipynb", "stagebook plan flights.ipynb -p depth 8"))
@_notebook
@_selection_options
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def plan(notebook: Path, form: str, **asked: Any) -> None:
    """Say what a run would do, stage by stage, and why; run nothing."""
    from stagebook.run.api import plan_notebook

    made = plan_notebook(
        notebook, parameters=dict(asked["parameters"]), selection=_selection(asked), store=asked["store"]
    )
    if form == "json":
        decisions = [{"stage": one.stage, "action": one.action, "reason": one.reason} for one in made.decisions]
        click.echo(json.dumps({"decisions": decisions, "notes": list(made.notes)}, indent=2))
    else:
        click.echo(plan_text(made))


@main.command(
    epilog=_examples(
        "stagebook run flights.ipynb",
        "stagebook run flights.ipynb -p depth 8 -p seed 1 --out runs/deep",
        "stagebook run flights.ipynb --from evaluate --force",
        status="Exit status: 0 done, 1 a stage failed, 2 it could not be started, 130 interrupted.",
    )
)
@_notebook
@_selection_options
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the output notebook and run.json [one in the store]."
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Kernels at work at once [one a core].")
@click.option("--no-track", is_flag=True, help="Do not record the run in MLflow.")
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines instead of progress.")
def run(notebook: Path, *, out: Path | None, jobs: int | None, no_track: bool, as_json: bool, **asked: Any) -> None:
    """Run a notebook's stages; reuse what has not changed.

    Each stage runs in a kernel of its own, independent ones at the same time.
    """
    from stagebook.progress import progress_for
    from stagebook.run.api import run_notebook

    signal.signal(signal.SIGTERM, _interrupt)
    progress = progress_for(sys.stdout, as_json=as_json)
    try:
        done = run_notebook(
            notebook,
            parameters=dict(asked["parameters"]),
            selection=_selection(asked),
            out=out,
            jobs=jobs,
            listeners=(progress,),
            track=not no_track,
            store=asked["store"],
        )
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        progress.close()
    if not as_json:
        click.echo(_summary(done, track=not no_track))
    sys.exit({"done": 0, "failed": 1, "interrupted": 130}[done.state])


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _selection(asked: dict[str, Any]) -> Selection:
    from stagebook.model import Selection

    return Selection(asked["only"], asked["start"], asked["end"], asked["force"])


def _finding_json(found: Any) -> dict[str, Any]:
    place = {"cell": found.place.cell, "line": found.place.line} if found.place else {"cell": None, "line": None}
    plain = {name: getattr(found, name) for name in ("code", "severity", "message", "remedy", "stage")}
    return {**plain, **place}


def _summary(run: Run, *, track: bool) -> str:
    """How the run ended, its metrics, where to look."""
    lines = [""]
    failures = [stage for stage in run.stages if stage.state in ("failed", "interrupted")]
    states = [stage.state for stage in run.stages]
    if run.state == "done" and set(states) == {"reused"}:
        lines.append(f"All is up to date: {counted(len(states), 'stage')} reused in {run.duration:.1f} s.")
    else:
        lines.append(f"Run {run.id}: {run.state} in {run.duration:.1f} s.")
    for stage in failures:
        lines.append(f"  {stage.stage}: {stage.reason}")
    if run.metrics:
        lines += ["Metrics:", metrics_text(run.metrics)]
    lines.append(f"Notebook: {_short(run.output)}")
    if track:
        from stagebook.track.runs import tracking_uri

        uri = tracking_uri(run.store)
        lines.append(f"MLflow:   {uri if uri.startswith('http') else _ui_command(uri)}")
    return "\n".join(lines)


def _ui_command(uri: str) -> str:
    """What starts MLflow's UI on this store, from the folder one is in."""
    beside = Path(sys.executable).with_name("mlflow")
    on_path = shutil.which("mlflow")
    program = "mlflow" if on_path and Path(on_path) == beside else str(_short(beside))
    return f"{program} ui --backend-store-uri {shlex.quote(uri)}"


def _short(path: Path | None) -> Path | None:
    """The path as seen from the folder one is in, if it is below that."""
    return path.relative_to(Path.cwd()) if path is not None and path.is_relative_to(Path.cwd()) else path
