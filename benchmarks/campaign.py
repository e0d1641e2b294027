"""All that is measured in one run of the benchmarks, each piece recorded as soon as it is there."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.environments import Environment, NotInstalledError, made
from benchmarks.measure import CommandFailedError
from benchmarks.peers import ALL as PEERS
from benchmarks.plan import PLAN, Session
from benchmarks.probes import handoff, share, starts
from benchmarks.report import Contender
from benchmarks.rounds import Tell, run_round
from benchmarks.rows import Round
from benchmarks.scaling import measure_scaling

ESSENTIAL = ("stagebook", "papermill", "nbclient")
"""Those that the targets name: without them there is nothing to report."""


@dataclass(frozen=True)
class Campaign:
    """What is asked of a run.

    Attributes:
        parts: sessions and other measurements, by name.
        peers: who takes part.
        repeats: rounds of each session.
        quick: less of what takes long.
        source: Stagebook's source.
        folder: where measurements are recorded.
        tell: gets a line for a person now and then.
    """

    parts: Sequence[str]
    peers: Sequence[str]
    repeats: int
    quick: bool
    source: Path
    folder: Path
    tell: Tell

    def run(self) -> None:
        """Measure what has not been measured yet."""
        self._refuse_without_essentials()
        for session in self._sessions:
            self._recorded_or(f"{session.name}-0", session)
        self.tell(f"Rehearsed. At most about {self._estimate() / 60:.0f} minutes for the rounds that follow.")
        for number in range(1, self.repeats + 1):
            for session in self._sessions:
                self._recorded_or(f"{session.name}-{number}", self._without_failed(session), number)
            self._probe_round(number)
        self._probes_once()

    def recorded(self) -> list[Round]:
        """All that has been measured of this source and these workloads."""
        paths = sorted(self.records.glob("*.json"))
        return [Round.load(path) for path in paths if self.quick or not path.stem.endswith("-quick")]

    def contenders(self) -> dict[str, Contender]:
        """Who took part, by name."""
        environments, missing = self._environments
        found = {}
        for name in self.peers:
            peer = PEERS[name]
            version = environments[name].versions.get(peer.package, "?") if name in environments else ""
            if name == "stagebook":
                version += f", {_commit(self.source)}"
            found[name] = Contender(peer.title, version, missing.get(name, ""))
        return found

    @cached_property
    def records(self) -> Path:
        """Where measurements of this source, these workloads and these versions are."""
        environments, _ = self._environments
        digest = hashlib.sha256()
        here = Path(__file__).parent
        for root in (self.source / "magics", here / "workloads", here / "peers"):
            for path in sorted(root.rglob("*.py")):
                digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
        digest.update((here / "forms.py").read_bytes())
        digest.update(
            json.dumps({name: dict(one.versions) for name, one in environments.items()}, sort_keys=True).encode()
        )
        return self.folder / digest.hexdigest()[:12]

    @cached_property
    def _environments(self) -> tuple[dict[str, Environment], dict[str, str]]:
        """Those that install, and why the others do not."""
        installed: dict[str, Environment] = {}
        missing: dict[str, str] = {}
        for name in self.peers:
            self.tell(f"Environment of {name} ...")
            try:
                installed[name] = made(PEERS[PEERS[name].environment or name], source=self.source)
            except NotInstalledError as error:
                missing[name] = str(error)
                self.tell(f"  {name}: {error}")
        return installed, missing

    @property
    def _sessions(self) -> Iterator[Session]:
        environments, _ = self._environments
        for session in PLAN:
            if session.name in self.parts:
                yield session.only(environments)

    def _recorded_or(self, name: str, session: Session, number: int = 0) -> None:
        path = self.records / f"{name}.json"
        if path.exists():
            return
        self.tell(f"{session.name}, {f'round {number}' if number else 'rehearsal'}")
        done = run_round(session, number, self._environments[0], self.tell)
        for one in ESSENTIAL:
            if one in done.failures:
                raise SystemExit(f"{one} failed in {session.name}, {done.failures[one]}")
        done.save(path)

    def _without_failed(self, session: Session) -> Session:
        """The session without those who failed in its rehearsal."""
        failed = Round.load(self.records / f"{session.name}-0.json").failures
        return session.only(name for name in session.names if name not in failed)

    def _probe_round(self, number: int) -> None:
        environments, _ = self._environments
        self._probe("starts", str(number), lambda: starts(number, environments))
        self._probe("share", str(number), lambda: share(number, environments))

    def _probes_once(self) -> None:
        environment, size = self._environments[0]["stagebook"], "quick" if self.quick else "1"
        gigabytes = 0.1 if self.quick else 1.0
        self._probe("handoff", size, lambda: handoff(environment, size=gigabytes, repeats=self.repeats))
        self._probe("scaling", size, lambda: measure_scaling(environment, quick=self.quick, tell=self.tell))

    def _probe(self, name: str, number: str, measure: Callable[[], Round]) -> None:
        """Measure what is no session, and record it, or why it could not be measured."""
        path = self.records / f"{name}-{number}.json"
        if name not in self.parts or path.exists():
            return
        self.tell(f"{name}, round {number}")
        try:
            done = measure()
        except CommandFailedError as error:
            done = Round((), {name: str(error)})
            self.tell(f"  {name}: {error}")
        done.save(path)

    def _refuse_without_essentials(self) -> None:
        _, missing = self._environments
        for name in ESSENTIAL:
            if name in missing:
                raise SystemExit(f"{name} is needed and missing: {missing[name]}")

    def _estimate(self) -> float:
        """Seconds that the rounds take if nothing is ever left out as done before."""
        return sum(
            self._cold(session).get(name, 0.0)
            * (8 if situation == "sweep" else 1)
            * min(self.repeats, session.rarely.get(name, self.repeats))
            for session in self._sessions
            for situation, names in session.contenders.items()
            for name in names
        )

    def _cold(self, session: Session) -> dict[str, float]:
        """What each contender took in the rehearsal; nothing is known of it where memory was watched."""
        rows = Round.load(self.records / f"{session.name}-0.json").rows
        return {} if session.watch_memory else {row.contender: row.value for row in rows}


def _commit(source: Path) -> str:
    """The commit that the source is at, with a mark if it has been changed since."""
    command = ["git", "-C", str(source), "describe", "--always", "--dirty", "--exclude", "*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"commit {done.stdout.strip()}" if done.returncode == 0 else "no commit"
