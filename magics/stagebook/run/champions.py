"""Asking MLflow for the model versions in use, in a process of its own that is started before the answer is needed.

To import MLflow takes longer than many a run does; so the run's own process never does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

_PATIENCE = 60.0
"""Seconds to wait for the answer."""
_ASKER = """\
import os, sys
if hasattr(os, "nice") and sys.argv[1]:  # nobody waits for it yet
    os.nice(10)
sys.path[:] = [place for place in sys.path if place]  # a notebook's folder may hold modules of any name
from stagebook.track.champion import main
main()
"""


class Champions:
    """The metrics of registered models' versions in use. To be used as a context manager.

    Args:
        home: the folder beside the notebook in which runs are recorded.
        models: names of the registered models that may be asked for.
        ahead: ask at once, so that the answer is there when it is wanted.
    """

    def __init__(self, home: Path, models: Iterable[str], *, ahead: bool) -> None:
        self._home = home
        self._models = sorted(set(models))
        self._answer: Mapping[str, Any] | None = None
        self._process = self._started(ahead=True) if ahead and self._models else None

    def __call__(self, model: str) -> tuple[Mapping[str, float] | None, str]:
        """Metrics of the version in use, None where there is none, and why that is not known."""
        if self._answer is None:
            self._process = self._process or self._started(ahead=False)
            self._answer = self._awaited()
        if "failed" in self._answer:
            return None, f"MLflow could not be asked for the champion ({self._answer['failed']})"
        return self._answer[model], ""

    def __enter__(self) -> Champions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def _started(self, *, ahead: bool) -> subprocess.Popen[bytes] | None:
        command = [sys.executable, "-c", _ASKER, "ahead" if ahead else "", str(self._home), *self._models]
        quiet = subprocess.DEVNULL
        try:
            return subprocess.Popen(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet)
        except OSError:
            return None

    def _awaited(self) -> Mapping[str, Any]:
        if self._process is None:
            return {"failed": "the process that asks could not be started"}
        try:
            told, _ = self._process.communicate(timeout=_PATIENCE)
            answer: Mapping[str, Any] = json.loads(told.splitlines()[-1])
        except subprocess.TimeoutExpired:
            return {"failed": f"it did not answer within {_PATIENCE:.0f} s"}
        except (ValueError, IndexError):
            return {"failed": "the process that asks ended without an answer"}
        return answer


def no_champions(_: str) -> tuple[None, str]:
    """Where no run is recorded, no version is asked for."""
    return None, "no champion is asked for with --no-track"
