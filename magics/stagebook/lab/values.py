"""What a stage has made, at a glance. Values are loaded in a process of their own, never in the server's.

To load one imports the packages, and the user's own modules, that it is made of, and may take memory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from stagebook.book.pipeline import load_pipeline
from stagebook.errors import StagebookError, UsageError
from stagebook.run.kept import outputs_of
from stagebook.run.kernelspecs import kernel_python
from stagebook.widgets.previews import cards_of, figures_of, previews_of

_PATIENCE = 60.0
"""Seconds that values may take to be loaded."""
_LOOK = "import sys\nfrom stagebook.lab.values import main\nmain(sys.argv[1:])\n"


def values_answer(notebook: Path, stage: str, run: str | None) -> dict[str, Any]:
    """The values that a stage has made, in a run or in the last that has some.

    Raises:
        StagebookError: there is no such stage, or no result of it.
    """
    kept = outputs_of(notebook, stage, run=run)
    return {"stage": stage, "run": kept.run, "changed": kept.changed, "values": _looked_at(notebook, stage, kept.run)}


def figures_answer(notebook: Path, stage: str, run: str | None) -> dict[str, Any]:
    """The pictures and the cards of comparisons that its cells have put out, likewise."""
    kept = outputs_of(notebook, stage, run=run)
    shown = {"figures": figures_of(kept.cells), "cards": cards_of(kept.cells)}
    return {"stage": stage, "run": kept.run, "changed": kept.changed, **shown}


def _looked_at(notebook: Path, stage: str, run: str) -> list[dict[str, Any]]:
    python = kernel_python(load_pipeline(notebook).kernel)
    try:
        done = subprocess.run(
            [python, "-c", _LOOK, str(notebook), stage, run],
            cwd=notebook.parent,  # where the user's own modules are
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        told = f"The values of `{stage}` could not be loaded within {_PATIENCE:.0f} s."
        raise UsageError(f"{told} Load them in a notebook: %pipeline load {stage}") from error
    except OSError as error:
        raise UsageError(f"The kernel's Python {python} cannot be started: {error.strerror or error}.") from error
    if done.returncode:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise UsageError(f"The values of `{stage}` cannot be looked at: {last}")
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return [{"type": "", **preview} for preview in found]


def main(words: list[str]) -> None:
    """In a process of its own: tell what the stage's values look like, and nothing else that is printed meanwhile."""
    notebook, stage, run = words
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        try:
            previews = previews_of(outputs_of(Path(notebook), stage, run=run), {})
        except StagebookError as error:
            sys.exit(str(error))
        json.dump(previews, answer)
