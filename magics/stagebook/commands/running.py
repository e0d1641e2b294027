"""`run`: run a notebook's stages and say how it went."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stagebook.commands.onward import onward
from stagebook.commands.options import (
    examples,
    given_parameters,
    notebook_argument,
    on_option,
    selection,
    selection_options,
)

if TYPE_CHECKING:
    from stagebook.run.profile import Profile
    from stagebook.run.record import Run


_PORTS = {"http": 80, "https": 443}
_A_MOMENT = 0.5
"""Seconds that a server may take to be there."""


@click.command(
    epilog=examples(
        "stagebook run flights.ipynb",
        "stagebook run flights.ipynb -p depth 8 -p seed 1 --out runs/deep",
        "stagebook run flights.ipynb --from evaluate --force",
        "API_KEY=... stagebook run flights.ipynb --secret api_key",
        "stagebook run flights.ipynb --on dask://10.0.0.5:8786     its stages on the workers of a Dask cluster",
        status="Exit status: 0 done, 1 a stage failed, 2 it could not be started, 3 a gate is closed, 130 interrupted.",
    )
)
@notebook_argument
@selection_options
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for the output notebook and run.json [one in the store]."
)
@click.option("--jobs", "-j", type=click.IntRange(min=1), help="Kernels at work at once [one a core].")
@on_option
@click.option("--no-track", is_flag=True, help="Do not record the run in MLflow.")
@click.option("--promote", "promoted", is_flag=True, help="Make the run's models @champion, if their gates hold.")
@click.option("--profile", "profiled", is_flag=True, help="Show where the time went; a timeline goes to profile.html.")
@click.option("--json", "as_json", is_flag=True, help="Print events as JSON lines instead of progress.")
def run(
    notebook: Path,
    *,
    out: Path | None,
    jobs: int | None,
    no_track: bool,
    promoted: bool,
    profiled: bool,
    as_json: bool,
    **asked: Any,
) -> None:
    """Run a notebook's stages; reuse what has not changed.

    Each stage runs in a kernel of its own, independent ones at the same time.
    """
    from stagebook.progress import progress_for
    from stagebook.run.api import run_notebook

    if promoted and no_track:
        raise click.UsageError("--promote needs the run to be recorded: it does not go with --no-track.")

    given = dict(given_parameters(notebook, asked["parameters"], asked["secrets"]))
    end_on_sigterm()
    progress = progress_for(sys.stdout, as_json=as_json)
    profile = _profile() if profiled else None
    try:
        done = run_notebook(
            notebook,
            parameters=given,
            selection=selection(asked),
            out=out,
            jobs=jobs,
            listeners=(progress, *([profile] if profile is not None else [])),
            track=not no_track,
            later=True,
            store=asked["store"],
            on=asked["on"],
        )
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        progress.close()
    if not as_json:
        if profile is not None:
            _show(profile)
        click.echo(_summary(done, track=not no_track, promoted=promoted))
    if promoted and done.state == "done":
        _promote(done, quiet=as_json)
    if not as_json:
        onward(*_next(done, notebook, asked, promoted=promoted))
    sys.exit({"done": 0, "failed": 1, "rejected": 3, "interrupted": 130}[done.state])


def _next(run: Run, notebook: Path, asked: dict[str, Any], *, promoted: bool) -> tuple[Any, ...]:
    """What comes after a run: mending it, making its model the one in use, trying its results, looking back."""
    from stagebook.book.pipeline import load_pipeline

    store = ("--store", asked["store"]) if asked["store"] else ()
    pipeline = load_pipeline(notebook)
    if run.state != "done":
        return "how each stage stands, and why", "status", notebook, *store
    if not promoted and any(stage.options.model for stage in pipeline.stages):
        return "make its model the one in use", "promote", notebook, *store
    if pipeline.tests:
        return "its test cells, on what was made", "test", notebook, *store
    return "its runs, with their metrics", "runs", notebook, *store


def _promote(run: Run, *, quiet: bool) -> None:
    """Make the models of a run the champions, once it is recorded."""
    from stagebook.commands.models import tell_note
    from stagebook.modeltext import promotion_text
    from stagebook.track.registry import promote_models

    for done in promote_models(run, tell_note):
        if not quiet:
            click.echo(promotion_text(done))


def _profile() -> Profile:
    """A profile that counts from the start of this process."""
    import psutil

    from stagebook.run.profile import Profile

    return Profile(psutil.Process().create_time())


def _show(profile: Profile) -> None:
    """The profile as a table, and where its timeline is."""
    from rich.console import Console

    from stagebook.text import profile_table

    Console().print(profile_table(profile))
    click.echo(f"Timeline: {_short(profile.page)}")


def end_on_sigterm() -> None:
    """Until the command is over, SIGTERM ends it as Ctrl-C does; in a notebook, the kernel goes on after it."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    click.get_current_context().call_on_close(lambda: signal.signal(signal.SIGTERM, before or signal.SIG_DFL))


def _summary(run: Run, *, track: bool, promoted: bool) -> str:
    """How the run ended, its metrics, where to look; of a model that is promoted, that tells more."""
    from stagebook.text import counted, metrics_text

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
    for stage in run.stages:
        if stage.gate and stage.gate["passed"]:
            lines.append(f"Gate of `{stage.stage}` passed: {stage.gate['condition']} ({stage.gate['told']})")
    lines.append(f"Notebook: {_short(run.output)}")
    registered = sorted({stage.model["name"] for stage in run.stages if stage.model})
    if track and registered and run.state == "done" and not promoted:
        names = ", ".join(f"`{name}`" for name in registered)
        lines.append(f"Model:    a version of {names} in MLflow; `stagebook lineage` says which, and where from")
    if track:
        lines.append(mlflow_line(run.home))
    return "\n".join(lines)


def mlflow_line(home: Path) -> str:
    """Where MLflow is to be looked at: the server's address, without a password, or the command that shows a file's.

    Args:
        home: folder beside the notebook in which runs are recorded.
    """
    url, command = mlflow_at(home)
    away = " (nothing answers there now; all is kept, for the next run or `stagebook sync` to record)"
    return f"MLflow:   {url or command}{away if url and _is_refused(url) else ''}"


def _is_refused(url: str) -> bool:
    """Whether it is certain that no server is there, as the machine itself says so."""
    import socket
    from urllib.parse import urlsplit
    from urllib.request import getproxies

    parts = urlsplit(url)
    if parts.scheme in getproxies():
        return False
    try:
        socket.create_connection((parts.hostname, parts.port or _PORTS[parts.scheme]), timeout=_A_MOMENT).close()
    except ConnectionRefusedError:
        return True
    except (OSError, ValueError):  # whatever it is, it need not be away
        return False
    return False


def mlflow_at(home: Path) -> tuple[str, str]:
    """The address of MLflow's server, without a password, or what starts its UI on a file; the other is empty."""
    from stagebook.run.unrecorded import shown_place
    from stagebook.track.place import tracking_uri

    uri = tracking_uri(home)
    return (shown_place(), "") if uri.startswith("http") else ("", _ui_command(uri))


def _ui_command(uri: str) -> str:
    """What starts MLflow's UI on this store, from the folder one is in."""
    import shlex
    import shutil

    beside = Path(sys.executable).with_name("mlflow")
    on_path = shutil.which("mlflow")
    program = "mlflow" if on_path and Path(on_path) == beside else str(_short(beside))
    return f"{program} ui --backend-store-uri {shlex.quote(uri)}"


def _short(path: Path | None) -> Path | None:
    """The path as seen from the folder one is in, if it is below that."""
    return path.relative_to(Path.cwd()) if path is not None and path.is_relative_to(Path.cwd()) else path
