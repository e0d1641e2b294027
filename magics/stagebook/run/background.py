"""A run or a sweep in a process of its own, so that the one who asks for it can go on: in a notebook, on a server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from stagebook.errors import UsageError

Told = Mapping[str, Any]
"""An event as `events.event_to_json` gives it."""

_PATIENCE = 20.0
"""Seconds that a process has to end in, once it has been told to."""

_MAIN = """\
import sys
sys.path[:] = [place for place in sys.path if place]
from stagebook.cli import main
main(prog_name="stagebook")
"""


class Background:
    """A `stagebook run` or `stagebook sweep` under way.

    Its process has the working directory and the environment of this one. It ends by itself when it is done, also where
    nobody listens any more.

    Args:
        words: the command with its options, without `--json`: `["run", "flights.ipynb", "-p", "depth", "8"]`.
        ended: called at the end, in a thread of its own, with the exit status and what the process said of its errors.
        told: gets each event, in that thread.
        printed: gets each line, instead: what a log would hold.
        environment: variables to be set for it, secrets among them.

    Attributes:
        words: as they were given.
    """

    def __init__(
        self,
        words: Sequence[str],
        *,
        ended: Callable[[int, str], None],
        told: Callable[[Told], None] | None = None,
        printed: Callable[[str], None] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.words = tuple(words)
        self._told = told
        self._printed = printed
        self._ended = ended
        self._errors: list[str] = []
        self._cancelled = False
        command = command_of([*words, *(["--json"] if told is not None else [])])
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, **(environment or {})},
                start_new_session=True,  # Ctrl-C in the notebook's terminal is for the notebook's kernel
            )
        except OSError as error:
            raise UsageError(f"The run cannot be started: {error.strerror or error}.") from error
        self._threads = [
            threading.Thread(target=self._note_errors, daemon=True),
            threading.Thread(target=self._follow, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def is_running(self) -> bool:
        """Whether its end has not been told yet."""
        return self._threads[1].is_alive()

    @property
    def outcome(self) -> str:
        """Nothing: `told` or `printed` gets it."""
        return ""

    def cancel(self) -> None:
        """Have it end as after Ctrl-C: stages under way are interrupted, what is done is kept."""
        with suppress(ProcessLookupError):
            if self._process.poll() is None and not self._cancelled:
                self._cancelled = True  # a second signal would take it at its word, and nothing would be written down
                self._process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until its end has been told; False if that takes longer than `seconds`."""
        self._threads[1].join(seconds)
        return not self.is_running

    def _follow(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if self._printed is not None:
                self._printed(line.rstrip("\n"))
            event = event_in(line) if self._told is not None else None
            if event is not None and self._told is not None:
                self._told(event)
        status = self._process.wait()
        self._threads[0].join(_PATIENCE)
        self._ended(status, "".join(self._errors).strip())

    def _note_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._errors.append(line)


def command_of(words: Sequence[str]) -> list[str]:
    """What starts the command line with these words, whatever modules lie in the folder where it is started."""
    return [sys.executable, "-c", _MAIN, *words]


def event_in(line: str) -> Told | None:
    """The event that the line tells; None for what a library has printed."""
    with suppress(json.JSONDecodeError):
        found = json.loads(line)
        if isinstance(found, dict) and "event" in found:
            return found
    return None


def run_words(
    notebook: Path,
    *,
    parameters: Mapping[str, Any] | None = None,
    only: str | None = None,
    start: str | None = None,
    end: str | None = None,
    force: bool = False,
) -> list[str]:
    """The words of a `stagebook run`; see `plan.Selection` for what they mean."""
    words = ["run", str(notebook)]
    for name, value in (parameters or {}).items():
        words += ["-p", name, value if isinstance(value, str) else repr(value)]
    for option, stage in (("--only", only), ("--from", start), ("--to", end)):
        words += [option, stage] if stage is not None else []
    return [*words, *(["--force"] if force else [])]
