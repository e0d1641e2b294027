"""What targets have in common that run stages as `stagebook run` does."""

from __future__ import annotations

import shutil
from pathlib import Path

from stagebook.verify.target import Outcome
from stagebook.verify.work import TargetError, Work

STAGEBOOK = "from stagebook.cli import main; main(prog_name='stagebook')"
"""The command, for `python -c`: where it stands is not where its modules are looked for."""


def stagebook_run(work: Work, *words: str) -> Outcome:
    """`stagebook run` of the notebook's copy, with these words.

    Raises:
        TargetError: it could not be started.
    """
    given = [word for name, text in work.given.items() for word in ("-p", name, text)]
    secret = [word for name in work.secrets for word in ("--secret", name)]
    try:
        work.python("-c", STAGEBOOK, "run", str(work.notebook), "--no-track", *given, *secret, *words)
    except TargetError as error:
        unless_told(work.store, error)
    return Outcome(store=own_store(work, words[-1] if words else "local"))


def unless_told(store: Path, error: TargetError) -> None:
    """Pass over an error that the run in this store tells of.

    Raises:
        TargetError: there is no run that could.
    """
    if not any(store.glob("runs/*/run.json")):
        raise error


def own_store(work: Work, name: str) -> Path:
    """Put the store of a run away, since the folder is made anew for the next one; where it is then."""
    kept = work.scratch / "stores" / name
    kept.parent.mkdir(exist_ok=True)
    shutil.rmtree(kept, ignore_errors=True)
    if work.store.exists():
        work.store.rename(kept)
    return kept
