"""Which environment variables the notebook's code reads and sets: a watch on the kernel's `os.environ`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from stagebook.run.surroundings import is_users, own_work
from stagebook.signing import keyed_digest

_OF_THE_SESSION = ("JPY_", "SSH_", "TERM", "XDG_", "DBUS_", "WINDOW")
_VOLATILE = frozenset({"_", "OLDPWD", "PWD", "SHLVL", "COLUMNS", "LINES", "PPID", "DISPLAY", "COLORTERM"})
_OF_THE_STAGE = frozenset({"MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"})
"""Each stage is given its own, and MLflow takes the first of them out when it has seen it."""
_IMPORTING = "<frozen importlib._bootstrap>"


class Variables:
    """What was read of the environment that the kernel was started with, and what was set since.

    Attributes:
        read: the variables read, with their values then; None for one that was not there.
        written: the variables set, with their values; None for one taken out.
    """

    def __init__(self) -> None:
        self.read: dict[str, str | None] = {}
        self.written: dict[str, str | None] = {}
        self.listening = False

    def listen(self) -> None:
        """From now on, note what happens to `os.environ`."""
        if type(os.environ) is not _Watched:
            os.environ.__class__ = _Watched

    def write(self, values: Mapping[str, str | None]) -> None:
        """Set variables as an earlier stage left them; reading them says nothing of the kernel's own environment."""
        self.written = {**self.written, **values}
        for name, value in values.items():
            if value is not None:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)
        if "TZ" in values and hasattr(time, "tzset"):
            time.tzset()

    def note_read(self, name: str, value: str | None) -> None:
        """Somebody reads a variable: it matters if the notebook's or the user's own code does."""
        if not self.listening or own_work.under_way or name in self.written or _is_volatile(name):
            return
        own_work.under_way = True  # asking whose the code is may ask for variables
        try:
            if is_users(sys._getframe(2)):
                self.read.setdefault(name, value)
        finally:
            own_work.under_way = False

    def note_write(self, name: str, value: str | None) -> None:
        """Somebody sets a variable; what modules set when they are imported, they set in every kernel."""
        if name in _OF_THE_STAGE:
            return
        frame = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename == _IMPORTING:
                return
            frame = frame.f_back  # type: ignore[assignment]
        if self.listening:
            self.written[name] = value


variables = Variables()


class _Watched(os._Environ):  # type: ignore[type-arg]
    """`os.environ`, under watch."""

    def __getitem__(self, key: str) -> str:
        try:
            value: str = super().__getitem__(key)
        except KeyError:
            variables.note_read(str(key), None)
            raise
        variables.note_read(key, value)
        return value

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        variables.note_write(key, value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        variables.note_write(key, None)


def _is_volatile(name: str) -> bool:
    """Whether the variable tells of the terminal or the session, which differ from run to run."""
    return name in _VOLATILE or name in _OF_THE_STAGE or name.startswith(_OF_THE_SESSION)


def variable_digest(value: str | None) -> str | None:
    """What is kept of a variable's value, which may be a secret."""
    return None if value is None else keyed_digest(value)
