"""The runner's side of seeds: one for each interpreter, which is there for all runs of this process."""

from __future__ import annotations

import atexit
import contextlib
import json
import socket
import subprocess
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stagebook.run.warm.command import seed_command

_PASSING = frozenset({"PYTEST_CURRENT_TEST"})
"""Variables that change while a process runs, and that no import asks for."""


@dataclass(frozen=True, slots=True)
class _Seed:
    process: subprocess.Popen[bytes]
    channel: socket.socket
    environment: Mapping[str, str]

    def end(self) -> None:
        """Let it do what it has been asked for, and be gone."""
        self.channel.close()
        self.process.wait()


_seeds: dict[str, _Seed] = {}
_lock = threading.Lock()


@atexit.register
def _end_all() -> None:
    """Wait for them, so that the time that kernels took is counted as this process's."""
    for seed in _seeds.values():
        seed.end()


def plant(
    python: str,
    channel: socket.socket,
    *,
    folder: str,
    imports: Iterable[str],
    environment: Mapping[str, str],
    log: str,
) -> None:
    """Have a template forked.

    Args:
        python: its interpreter.
        channel: its end of the socket on which it is asked for kernels.
        folder: its working directory.
        imports: import statements that it is to run.
        environment: its environment variables. With others than before there is a new seed, as what has been imported
            may have looked at them.
        log: the file that it writes to.

    Raises:
        OSError: it cannot be started.
    """
    variables = {name: value for name, value in environment.items() if name in _PASSING}
    lasting = {name: value for name, value in environment.items() if name not in _PASSING}
    message = json.dumps({"folder": folder, "imports": list(imports), "variables": variables, "log": log}).encode()
    with _lock:
        seed = _seeds.get(python)
        if seed is not None and seed.environment == lasting:
            with contextlib.suppress(OSError):  # it has ended
                socket.send_fds(seed.channel, [message], [channel.fileno()])
                return
        if seed is not None:
            seed.end()
        _seeds[python] = seed = _started(python, lasting)
        socket.send_fds(seed.channel, [message], [channel.fileno()])


def _started(python: str, environment: Mapping[str, str]) -> _Seed:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    quiet = subprocess.DEVNULL
    with its:
        process = subprocess.Popen(
            seed_command(python, its),
            env=dict(environment),
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            pass_fds=[its.fileno()],
            start_new_session=True,
        )
    return _Seed(process, ours, environment)
