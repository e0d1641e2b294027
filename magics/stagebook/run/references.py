"""What a person may call a notebook or a run: a path, `REV:path` as git has it, a run's id, `last`, `last~2`."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stagebook.book.notebook import document_of, read_document
from stagebook.book.pipeline import examine, pipeline_of
from stagebook.errors import UsageError, did_you_mean
from stagebook.model import Pipeline
from stagebook.run.compare import Side, with_edges
from stagebook.run.request import STORE
from stagebook.store.blobs import Store

_LAST = re.compile(r"last(?:~(\d+))?")


def side_of(reference: str, *, store: str | Path | None = None, notebook: str | None = None) -> Side:
    """The notebook or run that `reference` names.

    Args:
        reference: path of a notebook, `REV:path` of one in git's history, path of a run's folder or its `run.json`, a
            run's id, `last`, or `last~N`: the Nth run of the same notebook before the last.
        store: where runs are looked for by id; `.stagebook` in the working directory by default.
        notebook: the name of the notebook whose runs `last` counts; by default the one that was run last of all.

    Raises:
        StagebookError: there is none of that name, or it cannot be read.
    """
    path = Path(reference)
    if path.suffix == ".ipynb":
        if ":" in reference and not path.exists():
            return Side(reference, _pipeline(_from_git(reference), Path(reference.partition(":")[2])))
        return Side(reference, _pipeline(read_document(path), path))
    found = path if path.name == "run.json" else path / "run.json"
    if not found.is_file():
        found = _named(reference, Store.at(store or STORE), notebook)
    return run_side(found)


def runs_home(store: str | Path | None = None) -> Path:
    """The folder in which the runs of a store are recorded: its own or, if it is elsewhere, the working directory's."""
    kept = Store.at(store or STORE)
    return kept.root if kept.is_local else Path(STORE)


def run_side(path: Path) -> Side:
    """The side of a run whose `run.json` this is, with the output notebook beside it.

    Raises:
        UsageError: it is no record of a run.
    """
    try:
        run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        name, output = run["id"], path.parent / Path(run["output"] or run["notebook"]).name
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no record of a run ({type(error).__name__}). Was another file meant?") from error
    pipeline = None
    if output.is_file():
        pipeline = with_edges(pipeline_of(read_document(output), output), run)
    return Side(name, pipeline, run)


def _pipeline(document: Mapping[str, Any], path: Path) -> Pipeline:
    """The pipeline, even if it has findings: they do not keep it from being compared."""
    pipeline, _ = examine(dict(document), path)
    return pipeline if pipeline is not None else pipeline_of(dict(document), path)


def _from_git(reference: str) -> dict[str, Any]:
    try:
        answer = subprocess.run(["git", "show", reference], capture_output=True, check=False)
    except OSError as error:
        raise UsageError(f"{reference} is to be had from git, which cannot be started: {error.strerror}.") from error
    if answer.returncode:
        told = answer.stderr.decode(errors="replace").strip().removeprefix("fatal: ").splitlines()
        raise UsageError(f"git does not show {reference}: {told[0] if told else 'no reason given'}.")
    return document_of(answer.stdout.decode("utf-8-sig", errors="replace"), Path(reference))


def _named(reference: str, store: Store, notebook: str | None) -> Path:
    """The `run.json` of the run called `reference` in the store."""
    runs = _runs(store)
    if not runs:
        raise UsageError(
            f"There is no notebook or run `{reference}`, and no run in {store.shown}. Name its store: --store."
        )
    last = _LAST.fullmatch(reference)
    if not last:
        if reference not in runs:
            raise UsageError(
                f"There is no run `{reference}` in {store.shown}.{did_you_mean(reference, sorted(runs)[-8:])}"
            )
        return runs[reference]
    ids = sorted(runs, reverse=True)
    if notebook is None:
        counted = _notebook(runs[ids[0]])
        same = [name for name in ids if _notebook(runs[name]) == counted]
    else:
        counted = notebook
        same = [name for name in ids if Path(_notebook(runs[name])).name == notebook]
    number = int(last[1] or 0)
    if number >= len(same):
        count = "1 run" if len(same) == 1 else f"{len(same)} runs"
        raise UsageError(f"There is no `{reference}`: {Path(counted).name} has {count} in {store.shown}.")
    return runs[same[number]]


def _runs(store: Store) -> dict[str, Path]:
    """The runs that are known, by id: those recorded in the store or, if it is elsewhere, in the working directory's.

    Each notebook's last run is among them, wherever its folder is.
    """
    home = runs_home(store.location)
    found = {path.parent.name: path for path in (home / "runs").glob("*/run.json")}
    for _, record in store.records("runs"):
        elsewhere = Path(record["folder"], "run.json")
        if record["id"] not in found and elsewhere.is_file() and _id(elsewhere) == record["id"]:
            found[record["id"]] = elsewhere
    return found


def _id(path: Path) -> str:
    return str(_facts(path).get("id", ""))


def _notebook(path: Path) -> str:
    return str(_facts(path).get("notebook", ""))


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}
