"""Where a run's time went: per stage, as a table and as a timeline."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from stagebook.events import Event, RunFinished, RunStarted, StageFinished, StageStarted
from stagebook.run.files import write_text
from stagebook.run.job import Phase, PhaseName

PHASES: tuple[PhaseName, ...] = get_args(PhaseName)
MEANINGS: Mapping[PhaseName, str] = {
    "start": "waiting for a slot and a kernel",
    "imports": "parameters and setup",
    "load": "inputs from the store",
    "compute": "the stage's cells",
    "verify": "what changed in place, which files were met",
    "save": "outputs to the store",
    "record": "the result to the store",
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A stage as it ran once: when it was given to a kernel (POSIX seconds), its state in the end, its phases."""

    stage: str
    began: float
    state: str
    phases: tuple[Phase, ...]

    def seconds(self, name: PhaseName) -> float:
        """How long the stage was in a phase."""
        return sum(phase.seconds for phase in self.phases if phase.name == name)

    @property
    def total(self) -> float:
        """Seconds from being given to a kernel to its last phase's end."""
        return max((phase.began + phase.seconds for phase in self.phases), default=self.began) - self.began


@dataclass(slots=True)
class Profile:
    """A listener that puts together where the time went, and writes it when the run is over.

    Attributes:
        began: when the process, or what asked for the run, started (POSIX seconds).
        attempts: the stages that ran, in the order in which they ended.
        reused: how many did not have to.
        ended: when the run was over.
        page: the file with the timeline, once it is written.
    """

    began: float
    attempts: list[Attempt] = field(default_factory=list)
    reused: int = 0
    started: float = 0.0
    ended: float = 0.0
    page: Path | None = None
    _starts: dict[str, float] = field(default_factory=dict)
    _folder: str = ""
    _notebook: str = ""

    def __call__(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, RunStarted):
            self.started, self._folder, self._notebook = time.time(), event.folder, event.notebook
        elif isinstance(event, StageStarted):
            self._starts[event.stage] = time.time()
        elif isinstance(event, StageFinished):
            self._note(event)
        elif isinstance(event, RunFinished):
            self.ended = time.time()
            self._write()

    def _note(self, event: StageFinished) -> None:
        began = self._starts.pop(event.stage, None)
        if began is not None and event.result is not None:
            self.attempts.append(Attempt(event.stage, began, event.state, event.result.phases))
        elif event.state == "reused":
            self.reused += 1

    def totals(self) -> dict[PhaseName, float]:
        """Seconds in each phase, over all stages."""
        found: dict[PhaseName, float] = defaultdict(float)
        for attempt in self.attempts:
            for name in PHASES:
                found[name] += attempt.seconds(name)
        return dict(found)

    def to_json(self) -> dict[str, Any]:
        """All of it, for programs; times are POSIX seconds."""
        return {
            "notebook": self._notebook,
            "began": self.began,
            "started": self.started,
            "ended": self.ended,
            "reused": self.reused,
            "totals": self.totals(),
            "stages": [
                {
                    "stage": one.stage,
                    "began": one.began,
                    "state": one.state,
                    "phases": [[phase.name, phase.began, phase.seconds] for phase in one.phases],
                }
                for one in self.attempts
            ],
        }

    def _write(self) -> None:
        from importlib.resources import files

        from jinja2 import Environment

        text = (files("stagebook.run") / "templates" / "profile.html").read_text(encoding="utf-8")
        template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(text)
        self.page = Path(self._folder, "profile.html")
        length = max(self.ended - self.began, 0.001)
        name = Path(self._notebook).name
        write_text(self.page, template.render(profile=self, length=length, notebook=name, meanings=MEANINGS))
        write_text(self.page.with_suffix(".json"), json.dumps(self.to_json(), indent=1) + "\n")
