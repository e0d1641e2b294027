"""What targets have in common that run stages as `stagebook run` does."""

from __future__ import annotations

import shutil
from pathlib import Path

from stagebook.verify.target import Outcome
from stagebook.verify.work import TargetError, Work

_RUN = "from stagebook.cli import main; main(prog_name='stagebook')"


def stagebook_run(work: Work, *words: str) -> Outcome:
    """`stagebook run` of the notebook's copy, with these words.

    Raises:
        TargetError: it could not be started.
    """
    given = [word for name, text in work.given.items() for word in ("-p", name, text)]
    secret = [word for name in work.secrets for word in ("--secret", name)]
    try:
        work.python("-c", _RUN, "run", str(work.notebook), "--no-track", *given, *secret, *words)
    except TargetError as error:
        remember(work, error)
    return Outcome(store=own_store(work, words[-1] if words else "local"))


def remember(work: Work, error: TargetError) -> None:
    """Pass over an error that the run itself tells of.

    Raises:
        TargetError: there is no run that could.
    """
    if not any((work.folder / ".stagebook").glob("runs/*/run.json")):
        raise error


def own_store(work: Work, name: str) -> Path:
    """Put the store of a run away, since the folder is made anew for the next one; where it is then."""
    kept = work.scratch / "stores" / name
    kept.parent.mkdir(exist_ok=True)
    shutil.rmtree(kept, ignore_errors=True)
    if (work.folder / ".stagebook").exists():
        (work.folder / ".stagebook").rename(kept)
    return kept
