"""Stagebook: the notebook with its cells tagged as stages; isolation, verification, store and record are all on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.forms import notebook, printed
from benchmarks.peers.model import Commands, Peer, Situation
from benchmarks.workloads.model import Workload


def _files(workload: Workload) -> Mapping[str, str]:
    return {"notebook.ipynb": notebook(workload)}


def _commands(workload: Workload, situation: Situation) -> Commands:
    if situation != "sweep":
        return [["stagebook", "run", "notebook.ipynb", "--out", "out"]]
    name, values = workload.sweep or ("", ())
    swept = ",".join(str(value) for value in values)
    return [["stagebook", "sweep", "notebook.ipynb", "-p", name, swept, "--out", "swept"]]


def _told(folder: Path, _: str) -> str:
    swept = sorted((folder / "swept").rglob("*.ipynb"))
    return printed(swept or sorted((folder / "out").glob("*.ipynb")))


PEER = Peer(
    name="stagebook",
    title="Stagebook",
    package="stagebook",
    requirements=(),
    files=_files,
    commands=_commands,
    told=_told,
    isolates=True,
    caches=True,
)
