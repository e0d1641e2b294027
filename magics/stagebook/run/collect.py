"""Reading what a store holds, and removing what can go."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from stagebook.run.presence import UnendedRun, forget, noted_runs
from stagebook.run.record import Run
from stagebook.run.retention import Contents, PastRun, Removal, StoredResult
from stagebook.store.blobs import Store
from stagebook.store.folders import StoredFile

_HISTORY = "history"
_HOUR = 3600.0
_GRACE = 6 * _HOUR
_GRACE_ELSEWHERE = 7 * 24 * _HOUR
"""Seconds for which everything stays that was written to a store on a server: nobody can say here which runs go on."""


def note_finished(store: Store, run: Run, *, keys: Iterable[str]) -> None:
    """Keep what the run's `run.json` names, and the results it has used or made: they stay as long as the run does."""
    record = {
        "notebook": run.notebook.name,
        "keys": sorted({*keys, *(stage.fingerprint for stage in run.stages if stage.fingerprint)}),
        "bundles": sorted({_bundle(content) for stage in run.stages for content in stage.outputs.values()}),
    }
    store.put_record(f"{_HISTORY}/{run.id}", record)


def read_contents(store: Store, home: Path) -> Contents:
    """What is in the store, and in the folder beside the notebook in which runs are recorded."""
    results, needs, manifests = [], {}, {}
    for file in store.files("records/results"):
        record = _record(store, file)
        key = file.name.split("/")[-2]
        results.append(StoredResult(file, key, _blobs_of(record)))
    for file in store.files("records/manifests"):
        record = _record(store, file)
        bundle = "".join(_name(file).split("/")[-2:])
        needs[bundle] = _texts(record.get("parts")) | _texts(record.get("bundles"))
        manifests[bundle] = file
    blobs = {"".join(file.name.split("/")[-2:]): file for file in store.files("blobs")}
    runs = tuple(_runs(store, home))
    unfinished = (*store.files("tmp"), *store.files("records/probes"))
    return Contents(runs, tuple(results), needs, manifests, blobs, unfinished)


def last_keys(store: Store) -> frozenset[str]:
    """The fingerprint of each stage's last run."""
    records = (_record(store, file) for file in store.files("records/last"))
    return frozenset(key for record in records for key in _texts([record.get("key")]))


def safe_since(store: Store, active: Iterable[UnendedRun]) -> float:
    """The moment (POSIX seconds) since when what was written may be needed by a run that goes on."""
    started = [run.started for run in active]
    if store.is_local and not started:
        return float("inf")
    grace = _GRACE if store.is_local else _GRACE_ELSEWHERE
    return min([time.time() - grace, *(moment - 60 for moment in started)])


def carry_out(removal: Removal, store: Store, home: Path, *, since: float) -> None:
    """Remove it.

    Raises:
        StoreError: something cannot be removed; what has been until then is gone, all else is as it was.
    """
    for run in removal.runs:
        store.remove(f"records/{_HISTORY}/{run.id}.json")
        forget(store.home, _plain(run.id))
        shutil.rmtree(home / "runs" / _plain(run.id), ignore_errors=True)
    for file in (*removal.results, *removal.manifests, *removal.blobs, *removal.unfinished):
        store.remove(file.name, unless_since=since)


def _runs(store: Store, home: Path) -> Iterable[PastRun]:
    noted = {_name(file).split("/")[-1]: _record(store, file) for file in store.files(f"records/{_HISTORY}")}
    folders = {path.name: path for path in (home / "runs").glob("*") if path.is_dir()}
    unended = {run.id: run.keys for run in noted_runs(store.home)}
    for run in sorted(noted.keys() | folders.keys() | unended.keys()):
        record = noted.get(run, {})
        notebook = record.get("notebook") or _notebook_in(folders.get(run))
        keys = _texts(record.get("keys")) | unended.get(run, frozenset())
        size = _size(folders[run]) if run in folders else 0
        yield PastRun(run, str(notebook), keys, _texts(record.get("bundles")), size)


def _plain(run: str) -> str:
    """The run's id without what could lead out of a folder: anybody may have written it into the store."""
    return re.sub(r"[^\w-]", "_", run)


def _notebook_in(folder: Path | None) -> str:
    """The notebook whose run left this folder and was killed before it could note itself."""
    return next((path.name for path in sorted(folder.glob("*.ipynb"))), "") if folder is not None else ""


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total


def _record(store: Store, file: StoredFile) -> dict[str, Any]:
    record = store.record(_name(file))
    return record if isinstance(record, dict) else {}


def _name(file: StoredFile) -> str:
    return file.name.removeprefix("records/").removesuffix(".json")


def _blobs_of(record: dict[str, Any]) -> frozenset[str]:
    return _texts([record.get("cells"), *_bundles_in(record)])


def _bundles_in(part: Any) -> Iterable[Any]:
    """The bundles of all references in a record."""
    inner = list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else []
    if isinstance(part, dict) and "bundle" in part:
        yield part["bundle"]
    for one in inner:
        yield from _bundles_in(one)


def _texts(value: Any) -> frozenset[str]:
    """The texts in a list; anybody may have written the record."""
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


def _bundle(content: str) -> str:
    return content.partition("#")[0]
