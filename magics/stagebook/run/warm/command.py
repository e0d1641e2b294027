"""How seeds and templates are started, and where they can be."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterable, Sequence


def command(python: str, channel: socket.socket, imports: Iterable[str]) -> list[str]:
    """What starts a template on the other end of a socket."""
    return [*_start(python, "template"), str(channel.fileno()), json.dumps(list(imports))]


def seed_command(python: str, channel: socket.socket) -> list[str]:
    """What starts a seed on the other end of a socket."""
    return [*_start(python, "seed"), str(channel.fileno())]


def _start(python: str, module: str) -> list[str]:
    """The working directory is left out of the import path."""
    return [python, "-c", f"import sys; del sys.path[0]; from stagebook.run.warm.{module} import main; main()"]


def can_be_forked(arguments: Sequence[str]) -> bool:
    """Whether kernels that are started with these arguments may be forked instead.

    On macOS and Windows forking is not safe; and a kernel that is not IPython's, or started otherwise, is left alone.
    """
    return sys.platform == "linux" and list(arguments[1:]) in (
        ["-m", "ipykernel_launcher", "-f", "{connection_file}"],
        ["-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    )
