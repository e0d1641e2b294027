"""Where kernels' sockets are: the path of a Unix socket has a little over a hundred bytes."""

from __future__ import annotations

import os
import tempfile

PREFIX = ".stagebook-own-"
"""How the names of our own folders among the system's temporary files start, in which a stage has no files: nobody's
project is called that."""

_LONGEST = 55
"""Bytes of a folder's path that leave room for a socket's own: 104 on macOS, less its folder and its name."""
_SHORT = "/tmp"


def temporary() -> str:
    """The folder for temporary files; `/tmp`, where the path of the one that is asked for is too long for sockets."""
    asked = tempfile.gettempdir()
    if len(os.fsencode(asked)) <= _LONGEST or not os.access(_SHORT, os.W_OK):
        return asked
    return _SHORT


def own_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder of this process's own, for sockets, connection files and logs."""
    return tempfile.TemporaryDirectory(prefix=f"{PREFIX}{os.getpid()}-", dir=temporary())
