"""The contenders, a file each; `ALL` lists them by name, Stagebook first."""

from __future__ import annotations

from benchmarks.peers import (
    dagster,
    kedro,
    metaflow,
    nbclient,
    nbconvert,
    papermill,
    ploomber,
    prefect,
    stagebook,
    untracked,
)
from benchmarks.peers.model import Peer

__all__ = ["ALL", "Peer"]

_MODULES = (stagebook, untracked, papermill, nbclient, nbconvert, ploomber, metaflow, kedro, prefect, dagster)
ALL: dict[str, Peer] = {module.PEER.name: module.PEER for module in _MODULES}
