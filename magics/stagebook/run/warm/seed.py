"""The process that templates are forked from: it has imported what each of them needs, and nothing of anybody's.

Its argument is the number of a socket. Each message on it is one of JSON with one file descriptor, of the template's
own socket: `{"folder": FOLDER, "imports": [STATEMENT, ...], "variables": {NAME: VALUE}, "log": FILE}`. When the socket
is closed it ends; its templates go on.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any

from stagebook.run.warm.template import NEEDED, Template

LONGEST = 1 << 17
"""Bytes of a message."""


def main() -> None:
    """Be a seed, in its children a template, and in theirs a kernel."""
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1]))))


def serve(channel: socket.socket) -> int:
    """Fork until the runner is gone. In a child: be a template; its return value is the status to exit with."""
    for module in NEEDED:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, _reap)
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, LONGEST, 1)
        if not message:
            _reap()
            os._exit(0)  # there is nothing to put in order
        if not os.fork():
            channel.close()
            return _be_template(socket.socket(fileno=descriptors[0]), json.loads(message))
        os.close(descriptors[0])


def _reap(*_: Any) -> None:
    """Nobody asks how they ended; but the system adds up the time that they took."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _be_template(channel: socket.socket, asked: Mapping[str, Any]) -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.set_inheritable(channel.fileno(), False)  # noqa: FBT003 - so it is
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.update(asked["variables"])
    os.chdir(asked["folder"])
    time.tzset()
    importlib.invalidate_caches()
    return Template(channel, asked["imports"]).serve()
