"""Files that stages declare in `writes`, among the artifacts of the stages' runs."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stagebook.run.unrecorded import Unrecorded, link
from stagebook.run.written import WrittenFile, written_files

if TYPE_CHECKING:
    from mlflow import MlflowClient

FILES = "files"
"""Folder of them among a run's artifacts."""

_FORBIDDEN = re.compile(r"[^\w.\- +=@,()]")
_UP = "_up"
"""What stands for `..`: nothing is to be recorded beside where it belongs."""


def send_written(client: MlflowClient, one: Unrecorded, runs: Mapping[str, str]) -> None:
    """Send what is kept of them.

    Args:
        client: for where runs are recorded.
        one: the run.
        runs: by stage, MLflow's id of its run.
    """
    left = {stage["stage"]: stage.get("written", {}) for stage in one.facts["stages"] if stage["state"] == "done"}
    for stage, files in written_files(one.folder):
        mine = [file for file in files if left.get(stage, {}).get(file.path) == file.digest]  # not of an earlier try
        for file, name in zip(mine, artifact_names([file.path for file in mine]), strict=True):
            if file.copy is not None:
                _send(client, runs[stage], file.copy, name)
            else:
                client.set_tag(runs[stage], f"stagebook.file.{str(name)[:200]}", _absent(file))


def artifact_names(paths: list[str]) -> list[PurePosixPath]:
    """What files are called among artifacts: by their paths, below `files`, each once."""
    found: dict[PurePosixPath, None] = {}
    for path in paths:
        name = plain = artifact_name(path)
        number = 2
        while name in found:
            name, number = plain.with_name(f"{plain.stem}-{number}{plain.suffix}"), number + 1
        found[name] = None
    return list(found)


def artifact_name(path: str) -> PurePosixPath:
    """The path as a relative one that leads down, in letters that stores of artifacts take."""
    parts: list[str] = []
    for part in Path(path).parts:
        if part == ".." and parts and parts[-1] != _UP:
            parts.pop()
        elif part == "..":
            parts.append(_UP)
        elif part != Path(path).anchor:
            parts.append(_FORBIDDEN.sub("_", part))
    return PurePosixPath(FILES, *parts)


def _send(client: MlflowClient, run: str, copy: Path, name: PurePosixPath) -> None:
    """Send a copy under its own name: an artifact is called as the file that it is made of."""
    with tempfile.TemporaryDirectory(dir=copy.parent) as folder:
        named = Path(folder, name.name)
        link(copy, named)
        client.log_artifact(run, str(named), str(name.parent))


def _absent(file: WrittenFile) -> str:
    return f"{file.digest}, {file.size} bytes; not kept, as {file.why}"
