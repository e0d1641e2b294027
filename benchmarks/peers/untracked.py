"""Stagebook with `--no-track`: what the record costs is what it is faster by."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.peers import stagebook
from benchmarks.peers.model import Commands, Situation
from benchmarks.workloads.model import Workload


def _commands(workload: Workload, situation: Situation) -> Commands:
    return [[*command, "--no-track"] for command in stagebook.PEER.commands(workload, situation)]


PEER = replace(
    stagebook.PEER, name="untracked", title="Stagebook, `--no-track`", commands=_commands, environment="stagebook"
)
