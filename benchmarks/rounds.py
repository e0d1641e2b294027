"""A round of a session: each situation, for all contenders in turn, so that noise hits all alike."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.environments import Environment
from benchmarks.forms import results
from benchmarks.measure import CommandFailedError, Measured, measured
from benchmarks.peers import ALL as PEERS
from benchmarks.peers.model import SITUATIONS, Situation
from benchmarks.plan import Session
from benchmarks.rows import Round, Row
from benchmarks.workloads import ALL as WORKLOADS
from benchmarks.workloads.model import Workload

Tell = Callable[[str], None]


def run_round(session: Session, number: int, environments: Mapping[str, Environment], tell: Tell) -> Round:
    """Run one round of the session; round 0 is the rehearsal, which warms caches up and runs the cold situation only.

    A peer that fails, or whose result is another than Papermill's or that of whoever comes first, is left out of what
    follows and told among the failures.
    """
    rows: list[Row] = []
    failures: dict[str, str] = {}
    folders = {name: Path(tempfile.mkdtemp(prefix=f"bench-{name}-")) for name in _present(session, number)}
    try:
        for situation in _situations(session, number):
            for name in rotated([name for name in session.contenders[situation] if name in folders], number):
                if name in failures:
                    continue
                try:
                    row = _accepted(session, situation, name, number, environments[name], folders[name], rows)
                except CommandFailedError as error:
                    failures[name] = f"{situation}: {error}"
                    tell(f"  {session.name}, {situation}, {name}: {error}")
                    continue
                rows.append(row)
                tell(f"  {session.name}, {situation}, {name}: {_shown(row, session)}")
    finally:
        for folder in folders.values():
            shutil.rmtree(folder, ignore_errors=True)
    return Round(tuple(rows), failures)


def rotated(names: list[str], number: int) -> list[str]:
    """Another one begins in each round."""
    start = number % len(names) if names else 0
    return names[start:] + names[:start]


def _present(session: Session, number: int) -> list[str]:
    return [name for name in session.names if number <= session.rarely.get(name, number)]


def _situations(session: Session, number: int) -> list[Situation]:
    return ["cold"] if number == 0 else [one for one in SITUATIONS if one in session.contenders]


def _accepted(
    session: Session,
    situation: Situation,
    name: str,
    number: int,
    environment: Environment,
    folder: Path,
    before: list[Row],
) -> Row:
    """A row whose result is what it is to be. In a rehearsal a failure may be a mishap: there is a second attempt."""
    for last in (False, True) if number == 0 else (True,):
        try:
            row = _row(session, situation, name, number, environment, folder)
            _compare(row, before)
        except CommandFailedError:
            if last:
                raise
            shutil.rmtree(folder)
            folder.mkdir()
        else:
            return row
    raise AssertionError("the last attempt returns or raises")


def _row(session: Session, situation: Situation, name: str, number: int, environment: Environment, folder: Path) -> Row:
    """Write the workload down as this situation has it, run, and read what was printed."""
    peer, workload = PEERS[name], WORKLOADS[session.workload]
    write(peer.files(workload.edited() if situation == "last stage edited" else workload), workload, folder)
    done: Measured = measured(
        peer.commands(workload, situation),
        folder=folder,
        variables=environment.variables(peer.variables(folder)),
        watch_memory=session.watch_memory,
    )
    value = done.seconds if done.peak is None else done.peak
    return Row(session.name, situation, name, number, value, tuple(results(peer.told(folder, done.output))))


def write(files: Mapping[str, str], workload: Workload, folder: Path) -> None:
    """Write these files, and lay the workload's own beside them."""
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    for path, original in workload.files.items():
        if not (folder / path).exists():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(original, folder / path)


def _compare(row: Row, before: list[Row]) -> None:
    """Raise CommandFailedError if the result is another than it is to be.

    Whoever does nothing anew may print nothing anew.
    """
    expected = expectation(row, before)
    if row.situation == "nothing changed" and not row.results:
        return
    if not row.results:
        raise CommandFailedError("it printed no result")
    if expected is not None and row.results != expected:
        raise CommandFailedError(f"its result is {row.results}, where it is to be {expected}")


def expectation(row: Row, before: list[Row]) -> tuple[str, ...] | None:
    """What this row's result is to be, as far as the rows before tell."""
    others = {one.situation: one.results for one in reversed(before) if one.results}
    if row.situation in others:
        return others[row.situation]
    cold = others.get("cold")
    if row.situation == "nothing changed" or cold is None:
        return cold
    if row.situation == "last stage edited":
        return tuple(text.replace('"edition": 1', '"edition": 2') for text in cold)
    return None


def _shown(row: Row, session: Session) -> str:
    return f"{row.value / 1e6:.0f} MB" if session.watch_memory else f"{row.value:.2f} s"
