"""How a template is started, and where one can be."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterable, Sequence

_MAIN = "stagebook.run.warm.template"


def command(python: str, channel: socket.socket, imports: Iterable[str]) -> list[str]:
    """What starts a template on the other end of a socket; the working directory is left out of the import path."""
    start = f"import sys; del sys.path[0]; from {_MAIN} import main; main()"
    return [python, "-c", start, str(channel.fileno()), json.dumps(list(imports))]


def can_be_forked(arguments: Sequence[str]) -> bool:
    """Whether kernels that are started with these arguments may be forked instead.

    On macOS and Windows forking is not safe; and a kernel that is not IPython's, or started otherwise, is left alone.
    """
    return sys.platform == "linux" and list(arguments[1:]) in (
        ["-m", "ipykernel_launcher", "-f", "{connection_file}"],
        ["-Xfrozen_modules=off", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
    )
