"""Where a notebook is run to be verified: copies of its folder, one after the other at one path, and programs in it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stagebook.book.notebook import Document, read_document
from stagebook.book.parameters import checked
from stagebook.book.pipeline import recalled_pipeline
from stagebook.book.secrets import MASK, secret_names, texts_of
from stagebook.errors import StagebookError, StoreError, UsageError
from stagebook.export.writing import MANIFEST
from stagebook.model import Pipeline

_LEFT_OUT = frozenset({".git", ".ipynb_checkpoints", ".stagebook", "__pycache__", "node_modules", "mlruns"})
_SCRATCH = "stagebook-verify-"
"""What the names of temporary folders begin with."""
_GRACE = 20.0
"""Seconds that a program has to come to its end when it is interrupted."""


class TargetError(StagebookError):
    """A notebook that can be run from top to bottom could not be run in another way.

    Attributes:
        output: all that the program has said.
    """

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True, slots=True)
class Work:
    """A notebook that is to be run in several ways.

    Attributes:
        source: its path.
        pipeline: its stages.
        document: its cells.
        given: parameters, as texts, without secrets.
        values: parameters, as what they are for, without secrets.
        secrets: secret parameters.
        root: the folder that is copied.
        scratch: a folder that is gone when all is done.
        variables: environment variables of whatever is run.
    """

    source: Path
    pipeline: Pipeline
    document: Document
    given: Mapping[str, str]
    values: Mapping[str, Any]
    secrets: Mapping[str, Any]
    root: Path
    scratch: Path
    variables: Mapping[str, str] = field(repr=False)

    @property
    def notebook(self) -> Path:
        """The copy of the notebook."""
        return self.copy / self.source.relative_to(self.root)

    @property
    def copy(self) -> Path:
        """The copy of the folder."""
        return self.scratch / "copy"

    @property
    def folder(self) -> Path:
        """The folder of the notebook's copy."""
        return self.notebook.parent

    @property
    def store(self) -> Path:
        """Where a run of the copy keeps its results."""
        return self.folder / ".stagebook"

    def anew(self) -> None:
        """Make the copy as the folder is: nothing is left of what ran in it.

        Raises:
            StoreError: it cannot be copied.
        """
        shutil.rmtree(self.copy, ignore_errors=True)
        try:
            shutil.copytree(self.root, self.copy, ignore=_left_out, ignore_dangling_symlinks=True)
        except (OSError, shutil.Error) as error:
            told = str(error).splitlines()[0][:200]
            raise StoreError(f"{self.root} cannot be copied to {self.scratch}: {told}") from error

    def python(self, *words: str, folder: Path | None = None, variables: Mapping[str, str] | None = None) -> str:
        """Run this Python with these words, in an empty folder unless another is named; what it prints.

        Raises:
            TargetError: it failed; the message is the last thing that it said.
        """
        return self.call([sys.executable, *words], folder=folder, variables=variables)

    def call(
        self, command: Sequence[str], *, folder: Path | None = None, variables: Mapping[str, str] | None = None
    ) -> str:
        """Run a program; as `python`."""
        place = folder or self.scratch / "nowhere"
        place.mkdir(exist_ok=True)
        status, told = _run(command, place, {**self.variables, **(variables or {})}, self.scratch / "output")
        if status:
            raise TargetError(self.masked(last_line(told)) or f"{command[0]} ended with status {status}.", told)
        return told

    def masked(self, text: str) -> str:
        """The text without what secret parameters hold."""
        for secret in sorted({one for value in self.secrets.values() for one in texts_of(value)}, key=len)[::-1]:
            text = text.replace(secret, MASK) if len(secret) > 1 else text
        return text


@contextmanager
def work_on(notebook: Path, given: Mapping[str, str], *, root: Path | None = None) -> Iterator[Work]:
    """Make ready to run a notebook in several ways; all of it is gone in the end.

    Args:
        notebook: its path.
        given: parameters, as texts.
        root: the folder that holds all that the stages read; by default the notebook's.

    Raises:
        StagebookError: the notebook, a parameter or the folder is not in order.
    """
    document = read_document(notebook)
    pipeline = recalled_pipeline(document, notebook)
    values = checked(pipeline.parameters, given, notebook=notebook.name)
    secret = secret_names(pipeline.parameters)
    source, folder = notebook.resolve(), (root or notebook.parent).resolve()
    if not source.is_relative_to(folder):
        raise UsageError(f"{notebook} is not in {folder}. Name a folder that holds it with --folder.")
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, ignore_cleanup_errors=True) as scratch:
        place = Path(scratch).resolve()
        _refuse_too_big(folder, place)
        secrets = {name: value for name, value in values.items() if name in secret}
        yield Work(
            source,
            pipeline,
            document,
            {name: text for name, text in given.items() if name not in secret},
            {name: value for name, value in values.items() if name not in secret},
            secrets,
            folder,
            place,
            _variables(place, secrets),
        )


def _variables(scratch: Path, secrets: Mapping[str, Any]) -> dict[str, str]:
    """One environment for all: what is hashed, printed and recorded in it must not differ by itself."""
    found = {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "MLFLOW_TRACKING_URI": f"sqlite:///{scratch / 'mlflow.db'}",
        "STAGEBOOK_NO_TRACK": "1",
        "DO_NOT_TRACK": "1",
        **{name.upper(): str(value) for name, value in secrets.items()},
    }
    found.setdefault("OMP_WAIT_POLICY", "passive")
    return found


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What the notebook's stages have no business with: caches, environments, exports."""
    places = {name: Path(folder, name) for name in names}
    apart = {name for name, path in places.items() if any((path / one).exists() for one in ("pyvenv.cfg", MANIFEST))}
    strange = {name for name, path in places.items() if path.exists() and not path.is_file() and not path.is_dir()}
    return {name for name in names if name in _LEFT_OUT or name.startswith(_SCRATCH)} | apart | strange


def _refuse_too_big(folder: Path, scratch: Path) -> None:
    """See that there is room for a copy.

    Raises:
        StoreError: there is none.
    """
    size, free = 0, shutil.disk_usage(scratch).free
    for place, folders, files in os.walk(folder):
        left = _left_out(place, [*folders, *files])
        folders[:] = [one for one in folders if one not in left]
        for one in files:
            with suppress(OSError):
                size += os.stat(os.path.join(place, one)).st_size if one not in left else 0  # noqa: PTH116, PTH118
        if size > free:
            raise StoreError(
                f"{folder} is copied to {scratch}, where {free / 1e9:.1f} GB are free: it holds more. Name a place "
                "with more room in TMPDIR, or move what no stage reads."
            )


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str], log: Path) -> tuple[int, str]:
    """Run a program to its end; its status, and what it has said. If this is interrupted, all that it started ends."""
    with log.open("w+b") as stream:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait()
        except BaseException:
            _end(process)
            raise
        stream.seek(0)
        return status, stream.read().decode("utf-8", errors="replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and all that it has started."""
    import psutil

    with suppress(psutil.Error):
        below = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        psutil.wait_procs([psutil.Process(process.pid)], timeout=_GRACE)
        for one in below:
            with suppress(psutil.Error):
                one.kill()
        psutil.wait_procs(below, timeout=_GRACE)
    process.kill()
    process.wait()


def last_line(told: str) -> str:
    """What a program said last, without colours: its error, as a rule."""
    import re

    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in told.splitlines()]
    return next((line for line in reversed(lines) if line), "")
