"""A command measured: its wall time and, if asked for, the peak memory of all its processes together."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

SAMPLED_EVERY = 0.1
"""Seconds between two looks at the memory; runs that are watched are not timed, since looking takes time too."""

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_GRACE = 20.0


class CommandFailedError(Exception):
    """A command ended with another status than 0, or took too long; the message ends with what it said last."""


@dataclass(frozen=True)
class Measured:
    """What a command, or several one after the other, took.

    Attributes:
        seconds: from the start of the first to the end of the last.
        peak: the most memory that they and the processes below them had at once, in bytes, if it was watched.
        output: what they put out.
    """

    seconds: float
    peak: int | None
    output: str


def measured(
    commands: Sequence[Sequence[str]],
    *,
    folder: Path,
    variables: Mapping[str, str],
    watch_memory: bool = False,
    limit: float = 1800,
) -> Measured:
    """Run the commands in the folder and measure them together.

    Processes that they leave behind get some seconds to end, uncounted, and are then killed, so that the next contender
    has the machine to itself.

    Raises:
        CommandFailedError: one of them failed.
    """
    _adopt_orphans()
    own = {process.pid for process in psutil.Process().children(recursive=True)}
    peak = 0
    with tempfile.TemporaryFile() as stream:
        began = time.perf_counter()
        try:
            for command in commands:
                peak = max(peak, _one(command, folder, variables, stream, watch=watch_memory, limit=limit))
            seconds = time.perf_counter() - began
        finally:
            _end_leftovers(own)
        stream.seek(0)
        output = stream.read().decode(errors="replace")
    return Measured(seconds, peak if watch_memory else None, output)


def _one(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], stream: IO[bytes], *, watch: bool, limit: float
) -> int:
    """Run one command in a process group of its own; returns the peak memory, 0 if it was not watched."""
    program = _found(command[0], variables)
    process = subprocess.Popen(
        [program, *command[1:]],
        cwd=folder,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=stream,
        stderr=stream,
        start_new_session=True,
    )
    try:
        peak = _watched(process, limit) if watch else 0
        status = process.wait(limit)
    except subprocess.TimeoutExpired:
        raise CommandFailedError(f"`{' '.join(command)}` took longer than {limit:.0f} s") from None
    if status:
        stream.seek(0)
        said = stream.read().decode(errors="replace").strip()[-1500:]
        raise CommandFailedError(f"`{' '.join(command)}` ended with status {status}: {said}")
    return peak


def _watched(process: subprocess.Popen[bytes], limit: float) -> int:
    """The most memory of all processes below this one until it ends, except of those that were there before."""
    peak, until = 0, time.monotonic() + limit
    while process.poll() is None:
        if time.monotonic() > until:
            raise subprocess.TimeoutExpired(process.args, limit)
        tree = [psutil.Process(process.pid), *psutil.Process().children(recursive=True)]
        peak = max(peak, sum(_memory(one) for one in {one.pid: one for one in tree}.values()))
        time.sleep(SAMPLED_EVERY)
    return peak


def _memory(process: psutil.Process) -> int:
    """Its proportional share where the system knows that (Linux), else what belongs to it alone."""
    with suppress(psutil.Error):
        memory = process.memory_full_info()
        return int(getattr(memory, "pss", memory.uss))
    return 0


def _found(program: str, variables: Mapping[str, str]) -> str:
    """The program on the contender's own path; `Popen` would look on ours."""
    for folder in variables["PATH"].split(os.pathsep):
        if (path := Path(folder, program)).is_file():
            return str(path)
    raise CommandFailedError(f"there is no `{program}` in its environment")


def _adopt_orphans() -> None:
    """Have processes whose parent ends become children of this one (Linux), so that none is lost from sight."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def _end_leftovers(own: set[int]) -> None:
    left = [process for process in psutil.Process().children(recursive=True) if process.pid not in own]
    _, alive = psutil.wait_procs(left, timeout=_GRACE)
    for process in alive:
        with suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=_GRACE)
