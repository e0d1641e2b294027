"""The runs of a notebook, as the panel lists them; one of them with what its cells have put out; some side by side."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from stagebook.book.cells import INJECTED, tags_of
from stagebook.book.notebook import Document, read_document, source_of
from stagebook.commands.comparing import compared
from stagebook.commands.running import mlflow_at
from stagebook.comparetext import side_by_side_sections
from stagebook.lab.mlflowpage import page_for
from stagebook.lab.plain import numbers, plain
from stagebook.lab.refusals import RefusedError
from stagebook.run.as_papermill import ERROR_MARKER
from stagebook.run.history import Facts, metrics_of, past_runs
from stagebook.run.put_out import failing_line, printed, raised, traceback_of
from stagebook.run.request import home_for, store_for
from stagebook.run.status import last_run
from stagebook.track.place import is_recorded

_ADDED = frozenset({INJECTED, ERROR_MARKER})
_MOST = 200
_MOST_TEXT = 20_000
"""Letters of what a cell has put out."""


def runs_answer(notebook: Path, root: Path, base_url: str = "/") -> dict[str, Any]:
    """The runs that are over, the newest first.

    Args:
        notebook: its path.
        root: what the paths of output notebooks are told relative to.
        base_url: what the server's addresses begin with.
    """
    home = home_for(notebook)
    runs = past_runs(home, notebook.name)[:_MOST]
    url, command = mlflow_at(home) if is_recorded(home) else ("", "")
    given = dict.fromkeys(name for run in runs for name in run["parameters"])
    return {
        "runs": [_run(run, home, root) for run in runs],
        "metrics": list(dict.fromkeys(name for run in runs for name in metrics_of(run))),
        "parameters": [name for name in given if len({repr(run["parameters"].get(name)) for run in runs}) > 1],
        "mlflow": {"url": url or page_for(home, base_url) or None, "command": command or None},
    }


def run_answer(notebook: Path, run: str, root: Path) -> dict[str, Any]:
    """One run; of one under way, what there is so far.

    Raises:
        RefusedError: it is not known.
    """
    home = home_for(notebook)
    facts = _facts(notebook, home, run)
    output = _output(home, facts)
    document = read_document(output) if output is not None else None
    codes = list(_codes(document)) if document is not None else []
    return {
        **_run(facts, home, root),
        "failures": [_failure(stage, codes) for stage in facts["stages"] if stage["state"] == "failed"],
        "log": [_logged(place, cell) for place, cell in codes if "stage" in cell["metadata"].get("stagebook_run", {})],
    }


def output_notebook(notebook: Path, run: str, root: Path) -> dict[str, Any]:
    """A run's output notebook, as the contents API would give it.

    Raises:
        RefusedError: it is not there.
    """
    path, document = output_document(notebook, run)
    changed = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc).isoformat()
    return {
        "name": path.name,
        "path": _below(path, root) or path.name,
        "type": "notebook",
        "format": "json",
        "mimetype": None,
        "content": document,
        "writable": False,
        "created": changed,
        "last_modified": changed,
    }


def output_document(notebook: Path, run: str) -> tuple[Path, Any]:
    """A run's output notebook: where it is, and what it holds, every text in one piece.

    Raises:
        RefusedError: it is not there.
    """
    import nbformat
    from nbformat.v4.rwbase import rejoin_lines

    home = home_for(notebook)
    path = _output(home, _facts(notebook, home, run))
    if path is None:
        raise RefusedError(404, f"Run {run} has no output notebook here. Was it written elsewhere, or removed?")
    node = nbformat.from_dict(read_document(path))  # type: ignore[no-untyped-call]
    return path, rejoin_lines(node)  # type: ignore[no-untyped-call]


def comparison(notebook: Path, runs: Sequence[str]) -> dict[str, Any]:
    """Runs side by side, as tables.

    Raises:
        StagebookError: one of them is not known.
    """
    found = compared(runs, store=home_for(notebook), notebook=notebook.name)
    sections = [asdict(section) for section in side_by_side_sections(found)]
    return {"sections": [{name: plain(one[name]) for name in ("title", "heads", "rows", "below")} for one in sections]}


def _run(facts: Facts, home: Path, root: Path) -> dict[str, Any]:
    output = _output(home, facts)
    stages = facts["stages"]
    return {
        "id": facts["id"],
        "state": facts["state"],
        "started": facts["started"],
        "duration": facts["duration"],
        "ran": sum(stage["state"] not in ("reused", "not run") for stage in stages),
        "parameters": plain(facts["parameters"]),
        "metrics": numbers(metrics_of(facts)),
        "stages": [
            {
                "name": stage["stage"],
                "state": stage["state"],
                "reason": stage["reason"],
                "duration": stage["duration"],
                "metrics": numbers(stage["metrics"]),
            }
            for stage in stages
        ],
        "output": _below(output, root) if output is not None else None,
        "page": f"runs/{facts['id']}/page" if output is not None else None,
    }


def _facts(notebook: Path, home: Path, run: str) -> Facts:
    """What `run.json` says of a run, or what is known of it before there is one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        facts: Facts = json.loads((home / "runs" / run / "run.json").read_text(encoding="utf-8"))
        if Path(facts["notebook"]).name == notebook.name:
            return facts
    last = last_run(store_for(notebook), notebook)
    if last is None or last.id != run:
        raise RefusedError(404, f"There is no run {run} of {notebook.name}. Was it removed by `stagebook gc`?")
    return {
        "id": run,
        "state": last.state,
        "started": last.started,
        "duration": last.duration,
        "parameters": last.parameters,
        "notebook": str(notebook),
        "output": notebook.name,
        "stages": [],
    }


def _output(home: Path, facts: Facts) -> Path | None:
    """The output notebook, if it is where it is by default."""
    path = home / "runs" / str(facts["id"]) / Path(facts["output"] or facts["notebook"]).name
    return path if path.is_file() else None


def _below(path: Path, root: Path) -> str | None:
    top = root.resolve()
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else None


def _codes(document: Document) -> Iterable[tuple[dict[str, Any], Document]]:
    """The code cells of an output notebook, each with its place in the notebook that was run: Papermill adds some."""
    number, index = 0, -1
    for cell in document["cells"]:
        if not _ADDED.isdisjoint(tags_of(cell)):
            continue
        index += 1
        if cell["cell_type"] == "code":
            number += 1
            yield {"id": str(cell.get("id") or f"cell-{index}"), "index": index, "number": number}, cell


def _logged(place: Mapping[str, Any], cell: Document) -> dict[str, Any]:
    outputs, error = cell["outputs"], raised(cell["outputs"])
    text = "\n".join(filter(None, [printed(outputs), traceback_of(error) if error is not None else ""]))
    return {
        "stage": cell["metadata"]["stagebook_run"]["stage"],
        "cell": place,
        "duration": cell["metadata"].get("papermill", {}).get("duration"),
        "failed": error is not None,
        "text": text[-_MOST_TEXT:],
    }


def _failure(stage: Facts, codes: Sequence[tuple[dict[str, Any], Document]]) -> dict[str, Any]:
    """Why a stage failed: what its cell has raised, or where there is no such cell, what the run says."""
    for place, cell in codes:
        error = raised(cell["outputs"])
        if error is not None and cell["metadata"].get("stagebook_run", {}).get("stage") == stage["stage"]:
            return {
                "stage": stage["stage"],
                "cell": place,
                "line": failing_line(cell["outputs"], source_of(cell)) or None,
                "name": error["ename"],
                "message": error["evalue"],
                "traceback": traceback_of(error)[-_MOST_TEXT:],
            }
    told = {"cell": None, "line": None, "name": "", "message": stage["reason"], "traceback": ""}
    return {"stage": stage["stage"], **told}
