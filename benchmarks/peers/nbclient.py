"""nbclient alone, by `jupyter execute`: what runs the cells for Papermill, nbconvert and Stagebook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.forms import notebook, printed
from benchmarks.peers.model import Commands, Peer, Situation
from benchmarks.workloads.model import Workload


def _files(workload: Workload) -> Mapping[str, str]:
    return {"notebook.ipynb": notebook(workload)}


def _commands(_: Workload, __: Situation) -> Commands:
    return [["jupyter", "execute", "notebook.ipynb", "--output=out.ipynb"]]


def _told(folder: Path, _: str) -> str:
    return printed([folder / "out.ipynb"])


PEER = Peer(
    name="nbclient",
    title="nbclient (`jupyter execute`)",
    package="nbclient",
    requirements=("nbclient>=0.10.2",),
    files=_files,
    commands=_commands,
    told=_told,
)
