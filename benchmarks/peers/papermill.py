"""Papermill: the same notebook, all cells in one kernel, run as a whole each time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.forms import notebook, printed
from benchmarks.peers.model import Commands, Peer, Situation, points
from benchmarks.workloads.model import Workload


def _files(workload: Workload) -> Mapping[str, str]:
    return {"notebook.ipynb": notebook(workload), "out/.keep": "", "swept/.keep": ""}


def _commands(workload: Workload, situation: Situation) -> Commands:
    command = ["papermill", "--no-progress-bar", "notebook.ipynb"]
    if situation != "sweep":
        return [[*command, "out/notebook.ipynb"]]
    return [[*command, f"swept/{value}.ipynb", "-p", name, str(value)] for name, value in points(workload)]


def _told(folder: Path, _: str) -> str:
    swept = sorted((folder / "swept").glob("*.ipynb"))
    return printed(swept or sorted((folder / "out").glob("*.ipynb")))


PEER = Peer(
    name="papermill",
    title="Papermill",
    package="papermill",
    requirements=("papermill>=2.7",),
    files=_files,
    commands=_commands,
    told=_told,
)
