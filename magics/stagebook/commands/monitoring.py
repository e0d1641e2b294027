"""`monitor`: a service's requests against what the model in use was trained on, window by window."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stagebook.commands.drifting import DRIFTED
from stagebook.commands.options import examples
from stagebook.errors import UsageError

if TYPE_CHECKING:
    from stagebook.drift.history import Step
    from stagebook.drift.monitor import Act, Watch

_WEBHOOK = "STAGEBOOK_WEBHOOK"
_RETRIES = (timedelta(seconds=10), timedelta(minutes=5))
"""After what time a look that failed is taken again: at first, since MLflow may be starting, too; and at most."""


@click.command(
    short_help="Say whether what a service is asked has drifted.",
    epilog=examples(
        "stagebook monitor models:/flights@champion                        each day, the last seven; goes on",
        "stagebook monitor models:/flights@champion --once                 all windows that are over; then it ends",
        "stagebook monitor models:/flights@champion --once --window 31d --every 31d --by time_hour",
        "stagebook monitor models:/flights@champion --once --log s3://bucket/requests/flights      a copy of it",
        "stagebook monitor models:/flights@champion --once --labels late.parquet --target late --on flight_id",
        "stagebook monitor models:/flights@champion --retrain flights.ipynb -p until {end}",
        f"{_WEBHOOK}=https://... stagebook monitor models:/flights@champion",
        status="Exit status: 0 no drift, or stopped; 2 it could not look; with --once, 4 drift.",
    ),
)
@click.argument("model")
@click.option("--log", metavar="FOLDER|URL", help="The service's log [.stagebook/requests/NAME]; a URL with --once.")
@click.option("--window", default="7d", show_default=True, metavar="LENGTH", help="What is looked at, each time.")
@click.option("--every", metavar="LENGTH", help="From one window's end to the next [1d, or the window if shorter].")
@click.option("--once", is_flag=True, help="Look at the windows that are over, and end.")
@click.option("--by", metavar="COLUMN", help="An input that says when a row is of [when it was asked].")
@click.option("--target", metavar="COLUMN", help="The column of the labels, in the log or in --labels.")
@click.option("--labels", type=click.Path(path_type=Path), metavar="FILE", help="Labels that came later.")
@click.option("--on", multiple=True, metavar="COLUMN", help="By which labels and rows belong together [request, row].")
@click.option("--threshold", type=float, help="The score at which drift begins [each test's own].")
@click.option("--share", "limit", type=float, default=0.5, show_default=True, help="Of drifted features: drift.")
@click.option("--webhook", metavar="URL", help=f"Told of drift, by POST [{_WEBHOOK}].")
@click.option("--retrain", type=click.Path(path_type=Path), metavar="NOTEBOOK", help="Run it on drift, and --promote.")
@click.option("-p", "--parameter", "parameters", nargs=2, multiple=True, metavar="NAME VALUE", help="For --retrain.")
@click.option("--no-track", is_flag=True, help="Do not tell MLflow.")
def monitor(
    model: str,
    *,
    log: str | None,
    window: str,
    every: str | None,
    once: bool,
    by: str | None,
    target: str | None,
    labels: Path | None,
    on: tuple[str, ...],
    threshold: float | None,
    limit: float,
    webhook: str | None,
    retrain: Path | None,
    parameters: tuple[tuple[str, str], ...],
    no_track: bool,
) -> None:
    """Compare what a service is asked with what the model in use was trained on, a window of time after the other.

    MODEL is models:/NAME@ALIAS. Windows that were missed are caught up with, and each is reported once: to MLflow under
    the version, in a chart (.stagebook/monitors/NAME/history.html), and where the data has drifted to a webhook. Values
    of -p may hold {start} and {end}, the window's days.
    """
    from stagebook.drift.acting import Record, Retrain, Tell
    from stagebook.drift.api import HOME
    from stagebook.drift.compare import Asked
    from stagebook.drift.monitor import Watch, named_model
    from stagebook.drift.requests import log_at
    from stagebook.drift.times import length_of

    if log is not None and "://" in log and not once:
        raise UsageError("A log at a URL is copied at the start: look at it with --once, time and again.")
    if labels is not None and target is None:
        raise UsageError("--labels needs --target: the column of it that holds the labels.")
    if parameters and retrain is None:
        raise UsageError("-p is for --retrain NOTEBOOK.")
    if labels is not None and not labels.exists() and ".ipynb:" not in str(labels):
        raise UsageError(f"There is no file {labels}. Name the labels' with --labels.")
    if retrain is not None and not retrain.is_file():
        raise UsageError(f"There is no notebook at {retrain}. Name the one that trains `{model}` with --retrain.")
    name, home, length = named_model(model), Path(HOME), length_of(window)
    steps: dict[Step, Act] = {} if no_track else {"record": Record(home)}
    address = webhook or os.environ.get(_WEBHOOK)
    if address and not address.startswith(("http://", "https://")):  # it may hold a key: it is not told
        raise UsageError("The webhook's address does not begin with http:// or https://. Give it whole.")
    if address:
        steps["tell"] = Tell(address)
    if retrain is not None:
        steps["retrain"] = Retrain(retrain, parameters, home)
    with log_at(log or str(home / "requests" / name)) as folder:
        watch = Watch(
            model,
            folder,
            home,
            length,
            length_of(every) if every else min(length, timedelta(days=1)),
            by,
            target,
            labels,
            on,
            Asked(threshold=threshold, limit=limit),
            steps,
        )
        sys.exit(_once(watch, name) if once else _for_ever(watch, name))


def _once(watch: Watch, name: str) -> int:
    """Look at what is due; the exit status."""
    from filelock import FileLock, Timeout

    from stagebook.drift.monitor import history_of, report_due

    folder = history_of(watch, name).folder
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            found = report_due(watch, name)
    except Timeout:
        raise UsageError(f"Another monitor of `{name}` is at work in {folder}. Wait for it, or stop it.") from None
    for one in found:
        click.echo(f"{one.window}: {one.said}")
    if found:
        click.echo(f"History: {folder / 'history.html'}")
    else:
        click.echo("No window is over that was not looked at.")
    return DRIFTED if any(one.detected for one in found) else 0


def _for_ever(watch: Watch, name: str) -> int:
    """Look whenever a window is over, until the process is told to end."""
    import signal
    import threading
    from datetime import timezone

    from stagebook.drift.windows import next_end
    from stagebook.errors import StagebookError

    ended, again = threading.Event(), _RETRIES[0]
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: ended.set())
    while not ended.is_set():
        now = datetime.now(timezone.utc)
        until = next_end(now, watch.step)
        try:
            _once(watch, name)
            again = _RETRIES[0]
        except StagebookError as error:
            click.echo(f"stagebook: {error}", err=True)
            until, again = min(until, datetime.now(timezone.utc) + again), min(2 * again, _RETRIES[1])
        click.echo(f"The next look is at {until:%Y-%m-%d %H:%M:%S} UTC.", err=True)
        ended.wait(max((until - datetime.now(timezone.utc)).total_seconds(), 1))
    return 0
