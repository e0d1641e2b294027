"""What of a kernel's process is the environment's, the system's or ours, and not the notebook's."""

from __future__ import annotations

import functools
import os
import sys
import sysconfig
import threading
from pathlib import Path
from types import FrameType


@functools.lru_cache(maxsize=1)
def foreign_folders() -> tuple[str, ...]:
    """Folders whose files are the environment's or the system's: neither the stage's data nor its code."""
    from IPython.paths import get_ipython_dir

    home = Path.home()
    folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, get_ipython_dir(), str(Path(__file__).parents[1])}
    folders |= {entry for entry in sys.path if "site-packages" in entry or "dist-packages" in entry}
    folders |= {str(home / hidden) for hidden in (".cache", ".config", ".local", ".jupyter", ".matplotlib")}
    folders |= {"/proc", "/dev", "/sys", "/etc", "/usr"}
    return tuple(f"{folder.rstrip(os.sep)}{os.sep}" for folder in sorted(folders))


_PLUMBING = (os.__file__, f"{sysconfig.get_path('stdlib')}{os.sep}_collections_abc.py", "<frozen", __file__)
"""Files of code that stands between `os.environ` and whoever asks for a variable."""


def is_users(frame: FrameType | None) -> bool:
    """Whether it is the notebook's or the user's own code that asks."""
    while frame is not None and frame.f_code.co_filename.startswith(_PLUMBING):
        frame = frame.f_back
    return frame is not None and not frame.f_code.co_filename.startswith(foreign_folders())


_MLFLOW = f"{os.sep}mlflow{os.sep}"
_IMPORT_SYSTEM = ("<frozen importlib", f"{sysconfig.get_path('stdlib')}{os.sep}importlib{os.sep}")


def is_importing(frame: FrameType | None) -> bool:
    """Whether it is the import system that asks, or what tells of installed packages."""
    return frame is not None and frame.f_code.co_filename.startswith(_IMPORT_SYSTEM)


def is_mlflows() -> bool:
    """Whether MLflow asks, for its own notes of where code stands."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if _MLFLOW in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


class _OwnWork(threading.local):
    """Whether this thread does our own work: what files that opens, and variables it asks for, is not the stage's."""

    under_way = False


own_work = _OwnWork()
