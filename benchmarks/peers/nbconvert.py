"""nbconvert: the same notebook, executed as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.forms import notebook, printed
from benchmarks.peers.model import Commands, Peer, Situation
from benchmarks.workloads.model import Workload


def _files(workload: Workload) -> Mapping[str, str]:
    return {"notebook.ipynb": notebook(workload)}


def _commands(_: Workload, __: Situation) -> Commands:
    return [["jupyter", "nbconvert", "--to", "notebook", "--execute", "notebook.ipynb", "--output", "out"]]


def _told(folder: Path, _: str) -> str:
    return printed([folder / "out.ipynb"])


PEER = Peer(
    name="nbconvert",
    title="nbconvert",
    package="nbconvert",
    requirements=("nbconvert>=7",),
    files=_files,
    commands=_commands,
    told=_told,
)
