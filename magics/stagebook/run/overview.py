"""The notebooks of a folder: how each stands, and what one would do with it next."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from stagebook.book.notebook import read_document
from stagebook.book.remembered import examined
from stagebook.errors import PipelineError, StagebookError
from stagebook.model import Finding
from stagebook.run.status import Status, pipeline_status

_MOST = 20
"""Notebooks that are looked at."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a notebook stands.

    Attributes:
        notebook: its path, as one would type it.
        says: how it stands, in a few words.
        next: the command that comes next.
    """

    notebook: str
    says: str
    next: str


def standings(folder: Path) -> tuple[list[Standing], int]:
    """How the notebooks of a folder stand, and of one in which there are none those of its folders; how many are left.

    Args:
        folder: the folder.
    """
    inner = (one for one in sorted(folder.iterdir()) if one.is_dir() and one.name[0] != ".")
    found = _notebooks(folder) or [path for one in inner for path in _notebooks(one)]
    return [_standing(path, folder) for path in found[:_MOST]], max(len(found) - _MOST, 0)


def _notebooks(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.glob("*.ipynb") if path.name[0] != ".")
    except OSError:
        return []


def _standing(path: Path, folder: Path) -> Standing:
    name = path.relative_to(folder)

    def next_command(verb: str) -> str:
        return shlex.join(["stagebook", verb, str(name)])

    try:
        pipeline, findings = examined(read_document(path), path)
        errors = [found for found in findings if found.severity == "error"]
        if pipeline is None or errors:
            return Standing(str(name), _told(errors), next_command("check"))
        status = pipeline_status(pipeline, notebook=path)
    except PipelineError as error:
        if error.findings:
            return Standing(str(name), _told(error.findings), next_command("check"))
        return Standing(str(name), "no stages yet", next_command("suggest"))
    except StagebookError as error:
        return Standing(str(name), str(error).partition(". ")[0].rstrip("."), next_command("doctor"))
    return Standing(str(name), _state(status), next_command(_verb(status)))


def _told(findings: Sequence[Finding]) -> str:
    count = len(findings)
    return f"{count} finding{'s' if count != 1 else ''}"


def _state(status: Status) -> str:
    counts = Counter(stage.state for stage in status.stages)
    stages = f"{len(status.stages)} stage{'s' if len(status.stages) != 1 else ''}"
    if status.last is not None and status.last.state == "running":
        return f"{stages}, a run is under way"
    if set(counts) <= {"fresh", "skipped"}:
        return f"{stages}, up to date"
    if set(counts) == {"never run"}:
        return f"{stages}, never run"
    said = [f"{counts[state]} {state}" for state in ("failed", "interrupted", "stale", "never run") if counts[state]]
    return f"{stages}, {', '.join(said)}"


def _verb(status: Status) -> str:
    states = {stage.state for stage in status.stages}
    if status.last is not None and status.last.state == "running":
        return "status"
    if states <= {"fresh", "skipped"}:
        return "runs"
    return "status" if "failed" in states else "run"
