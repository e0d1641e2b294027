"""`serve`: a registered model as a service."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stagebook.commands.options import examples

if TYPE_CHECKING:
    from stagebook.serve.entries import Hidden
    from stagebook.serve.requestlog import LogSettings
    from stagebook.serve.versions import Reference

_TOKEN = "STAGEBOOK_SERVE_TOKEN"
_MEBI = 1 << 20
_OFTEN, _SELDOM = 0.5, 10.0
"""Seconds between two words on how far it is: in a terminal, and where lines are kept."""


@click.command(
    short_help="Serve a registered model by MLflow's scoring protocol.",
    epilog=examples(
        "stagebook serve models:/flights@champion",
        "stagebook serve flights/3 --port 8080 --no-log       version 3, whatever becomes of the alias",
        "stagebook serve flights --secret tailnum=hash        tailnum is told by a keyed digest in the log",
        "stagebook serve flights --host 0.0.0.0               for others: set STAGEBOOK_SERVE_TOKEN",
        "stagebook serve model/ --digest DIGEST               what `stagebook export image` has put there",
        status="Exit status: 0 it was told to stop, 2 there is nothing to serve, or it cannot be served there.",
    ),
)
@click.argument("model", metavar="MODEL")
@click.option("--host", default="127.0.0.1", show_default=True, metavar="HOST", help="Where to listen.")
@click.option("--port", default=5000, show_default=True, type=click.IntRange(0, 65535), help="0: any that is free.")
@click.option("--log", "folder", type=click.Path(path_type=Path), metavar="FOLDER", help="Where requests are logged.")
@click.option("--no-log", is_flag=True, help="Log no requests.")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="COLUMN[=hash]",
    help="Keep a column out of the request log, or have it told by a keyed digest. May be given more than once.",
)
@click.option(
    "--flush",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    metavar="SECONDS",
    help="How often the log is written: a kill loses at most that.",
)
@click.option(
    "--keep", default=30, show_default=True, type=click.IntRange(1), metavar="DAYS", help="How long it is kept."
)
@click.option(
    "--max-body",
    default=16.0,
    show_default=True,
    type=click.FloatRange(0.001, 4096),
    metavar="MB",
    help="The largest body that is taken.",
)
@click.option(
    "--concurrency",
    default=64,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Requests answered at a time; others get status 429.",
)
@click.option(
    "--look",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    help="How often to look whether the alias has moved.",
)
@click.option("--digest", metavar="DIGEST", help="MODEL is a folder sealed under this digest, as an image's.")
@click.option("--store", metavar="FOLDER|URL", help="Where the runs' store is [.stagebook in the working directory].")
def serve(
    model: str,
    *,
    host: str,
    port: int,
    folder: Path | None,
    no_log: bool,
    secrets: tuple[str, ...],
    flush: float,
    keep: int,
    max_body: float,
    concurrency: int,
    look: float,
    digest: str | None,
    store: str | None,
) -> None:
    """Serve a registered model by MLflow's scoring protocol, and log what it is asked.

    MODEL is models:/NAME@ALIAS, NAME@ALIAS, NAME/3, or NAME for its champion. Where an alias moves, the service moves
    with it. If the environment variable STAGEBOOK_SERVE_TOKEN is set, requests need `Authorization: Bearer TOKEN`.
    """
    import os

    from stagebook.serve.app import Limits
    from stagebook.serve.running import Settings
    from stagebook.serve.running import serve as run
    from stagebook.serve.versions import reference_named, registry_address

    if no_log and (folder or secrets):
        raise click.UsageError("--no-log goes with neither --log nor --secret.")
    reference = reference_named(model) if digest is None else _sealed_as(Path(model))
    registry = registry_address(_home(store)) if digest is None else ""
    limits = Limits(int(max_body * _MEBI), concurrency, token=os.environ.get(_TOKEN, ""))
    log = None if no_log else _log_settings(folder, reference.name, secrets, flush, keep)
    sealed = None if digest is None else (Path(model).absolute(), digest)
    settings = Settings(registry, reference, host, port, limits, log, look, sealed=sealed)
    run(settings, lambda line: click.echo(line))


def _sealed_as(folder: Path) -> Reference:
    """The version that a folder says it holds: what it is called, before anything is trusted."""
    import json

    from stagebook.errors import UsageError
    from stagebook.serve.packages import ABOUT
    from stagebook.serve.versions import Reference

    try:
        told = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        return Reference(str(told["model"]), version=str(told["version"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(f"{folder} holds no model that `stagebook export image` sealed. Name one that does.") from None


def _home(store: str | None) -> Path:
    """The folder in which runs are recorded."""
    if store is None:  # as below, without its import, which takes longer than the service's own
        return Path.cwd() / ".stagebook"
    from stagebook.run.request import home_for

    return home_for(Path.cwd() / "any", store)


def _log_settings(folder: Path | None, model: str, secrets: tuple[str, ...], flush: float, keep: int) -> LogSettings:
    from stagebook.serve.requestlog import LogSettings

    hidden: dict[str, Hidden] = {}
    for secret in secrets:
        name, mark, how = secret.rpartition("=")
        if mark and how == "hash":
            hidden[name] = "hashed"
        else:
            hidden[secret] = "dropped"
    place = folder or Path(".stagebook", "requests", model)
    return LogSettings(place.absolute(), flush, keep, hidden)


@click.command(
    short_help="Score the rows of a file.",
    epilog=examples(
        "stagebook score models:/flights@champion january.parquet scored.parquet",
        "stagebook score flights/3 january.csv scored.csv",
        status="Exit status: 0 all rows are scored, 2 they are not: run it again, and it goes on where it was.",
    ),
)
@click.argument("model", metavar="MODEL")
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUTPUT", type=click.Path(path_type=Path))
@click.option(
    "--chunk", default=10_000, show_default=True, type=click.IntRange(1), metavar="ROWS", help="Rows scored at a time."
)
@click.option("--digest", metavar="DIGEST", help="MODEL is a folder sealed under this digest, as an image's.")
@click.option("--store", metavar="FOLDER|URL", help="Where the runs' store is [.stagebook in the working directory].")
def score(model: str, source: Path, target: Path, *, chunk: int, digest: str | None, store: str | None) -> None:
    """Score the rows of a file: OUTPUT has them with `prediction`, or `prediction.NAME`, beside.

    INPUT and OUTPUT are Parquet or CSV. MODEL is as for `serve`.
    """
    from stagebook.serve.reloading import first, sealed
    from stagebook.serve.scoring import rows_told_by, score_file
    from stagebook.serve.versions import reference_named, registry_address

    if digest is None:
        current = first(registry_address(_home(store)), reference_named(model))
    else:
        current = sealed(Path(model).absolute(), digest)
    if current.stale:
        click.echo(f"The version may be stale: {current.stale}", err=True)
    with _Rows(rows_told_by(source)) as rows:
        done = score_file(current, source, target, chunk=chunk, tell=rows.tell)
    before = f", {done.reused:,} of them before" if done.reused else ""
    package = current.package
    click.echo(f"{done.rows:,} rows scored{before}, by version {package.version} with {package.backend}: {target}")


class _Rows:
    """Says on standard error how many rows are scored: in a terminal in one line, else in a line now and then."""

    def __init__(self, whole: int | None) -> None:
        self._whole = whole
        self._live = sys.stderr.isatty()
        self._said = time.monotonic()
        self._has_said = False

    def __enter__(self) -> _Rows:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live and self._has_said:
            click.echo(err=True)

    def tell(self, rows: int) -> None:
        """Say that so many are."""
        now = time.monotonic()
        if now - self._said < (_OFTEN if self._live else _SELDOM):
            return
        self._said, self._has_said = now, True
        of = f" of {self._whole:,} ({rows / self._whole:.0%})" if self._whole else ""
        click.echo(f"{chr(13) if self._live else ''}{rows:,}{of} rows scored", nl=not self._live, err=True)
