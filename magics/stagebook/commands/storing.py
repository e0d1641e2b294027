"""`gc`: free what nobody needs any more."""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stagebook.commands.options import examples, store_option
from stagebook.errors import UsageError
from stagebook.text import size_text

if TYPE_CHECKING:
    from stagebook.run.presence import UnendedRun
    from stagebook.run.retention import Removal
    from stagebook.store.blobs import Store

_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}


def _bytes(_: click.Context, __: click.Parameter, value: str | None) -> int | None:
    """Bytes, from `5GB`, `1.5 GiB` or a number."""
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]I?|)B?\s*", value.upper())
    if match is None:
        raise click.BadParameter(f"`{value}` is no size; write it like 500MB, 5GB or 1.5GiB.")
    return int(float(match[1]) * _UNITS[match[2]])


@click.command(
    short_help="Remove what no run needs from a notebook's store.",
    epilog=examples(
        "stagebook gc flights.ipynb --dry-run",
        "stagebook gc flights.ipynb --keep-last 10",
        "stagebook gc .stagebook --max-size 5GB",
        "stagebook gc flights.ipynb --keep-last 5 --max-size 5GB   five runs in any case, older ones while they fit",
    ),
)
@click.argument("place", metavar="NOTEBOOK|STORE")
@click.option("--keep-last", type=click.IntRange(min=1), metavar="N", help="Drop all but the last N runs.")
@click.option("--max-size", callback=_bytes, metavar="SIZE", help="Drop the oldest runs until the store is this small.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")
@store_option
def gc(place: str, *, keep_last: int | None, max_size: int | None, dry_run: bool, store: str | None) -> None:
    """Remove what no run needs: results, values, folders of runs, files that were never finished.

    What a kept run, the last run of a stage, a registered model or a run that goes on needs always stays. Without
    options all runs are kept.
    """
    from stagebook.run.presence import active_runs, alone

    kept, home, notebook = _found(place, store)
    with alone(kept.home) if not dry_run else nullcontext():
        active = active_runs(kept.home)
        removal, since = _plan(kept, home, active, keep_last=keep_last, max_size=max_size, notebook=notebook)
        click.echo(_told(removal, active, max_size=max_size))
        if not dry_run:
            from stagebook.run.collect import carry_out

            carry_out(removal, kept, home, since=since)
    if dry_run:
        click.echo("Nothing was removed, as --dry-run asks.")


def _found(place: str, store: str | None) -> tuple[Store, Path, str | None]:
    """The store, the folder in which runs are recorded, and the notebook's name if one was given."""
    from stagebook.run.request import STORE, store_for
    from stagebook.store.blobs import Store, is_url

    path = Path(place)
    if not is_url(place) and path.is_file():
        kept = store_for(path, store)
        return kept, kept.root if kept.is_local else path.resolve().parent / STORE, path.name
    if store is not None:
        raise UsageError(f"--store goes with a notebook, and {place} is none.")
    kept = Store.at(place)
    if kept.is_local and (kept.root / STORE).is_dir():
        kept = Store.at(kept.root / STORE)
    if not kept.is_local and not os.environ.get("MLFLOW_TRACKING_URI"):
        told = f"Nobody says which registered models need what is in {kept.shown}"
        raise UsageError(f"{told}. Name the notebook, and the store with --store, or set MLFLOW_TRACKING_URI.")
    if kept.is_local and not any((kept.root / part).is_dir() for part in ("blobs", "records", "runs")):
        what = "is neither a notebook nor a store" if path.exists() else "is not there"
        raise UsageError(f"{place} {what}. Name a notebook, or the folder of a store.")
    return kept, kept.home, None


def _plan(
    kept: Store,
    home: Path,
    active: tuple[UnendedRun, ...],
    *,
    keep_last: int | None,
    max_size: int | None,
    notebook: str | None,
) -> tuple[Removal, float]:
    """What can go, and since when what is written stays."""
    from stagebook.run.collect import last_keys, read_contents, safe_since
    from stagebook.run.retention import Wanted, plan_removal
    from stagebook.track.place import tracking_uri
    from stagebook.track.registered import Registered, registered_runs

    models = Registered()
    if os.environ.get("MLFLOW_TRACKING_URI") or (home / "mlflow.db").exists():
        models = registered_runs(tracking_uri(home))
    since = safe_since(kept, active)
    wanted = Wanted(
        last=keep_last,
        size=max_size,
        notebook=notebook,
        runs=models.runs | {run.id for run in active},
        keys=models.keys.union(last_keys(kept), *(run.keys for run in active)),
        bundles=models.bundles,
        since=since,
    )
    return plan_removal(read_contents(kept, home), wanted), since


def _told(removal: Removal, active: tuple[UnendedRun, ...], *, max_size: int | None) -> str:
    """What goes: a table, its sum, and what there is to say about it."""
    rows = [
        ("runs", len(removal.runs), sum(run.size for run in removal.runs)),
        ("results", len(removal.results), sum(file.size for file in (*removal.results, *removal.manifests))),
        ("values and outputs", len(removal.blobs), sum(file.size for file in removal.blobs)),
        ("unfinished files", len(removal.unfinished), sum(file.size for file in removal.unfinished)),
    ]
    lines = [f"{what:<20}{number:>8}{size_text(size):>12}" for what, number, size in rows if number]
    freed = sum(size for _, _, size in rows)
    lines = [f"{'to be removed':<20}{'number':>8}{'size':>12}", *lines] if lines else ["There is nothing to remove."]
    lines.append(f"{size_text(freed)} are freed, {size_text(removal.kept)} stay.")
    if max_size is not None and removal.kept > max_size:
        lines.append(f"That is more than {size_text(max_size)}: kept runs, last results and registered models need it.")
    for run in active:
        lines.append(f"Run {run.id} goes on (process {run.process}): what was written of late stays as well.")
    return "\n".join(lines)
