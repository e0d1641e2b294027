"""In the kernel: end with the runner, whatever becomes of it."""

from __future__ import annotations

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the system end this process when the one that started it has ended.

    ipykernel looks after its parent too, in a thread, which code that holds the interpreter's lock keeps from running.
    Linux only: elsewhere ipykernel's way has to do.
    """
    if sys.platform != "linux":
        return
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended in between
        os._exit(1)
