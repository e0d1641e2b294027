"""In the kernel: end with the runner, whatever becomes of it, and at once when it is asked to."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from typing import Any

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


def end_at_once() -> None:
    """Have ipykernel's control thread come to its end first of all.

    It flushes output after it has told the kernel to end, and would wait ten seconds for the thread that sends output
    if Python has ended that before.
    """
    from ipykernel.kernelapp import IPKernelApp

    atexit.register(_end_control, IPKernelApp.instance())


def _end_control(app: Any) -> None:
    thread = app.control_thread
    if thread is not None and thread.is_alive():
        thread.stop()
        thread.join()
