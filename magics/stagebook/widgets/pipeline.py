"""The graph, live: how each stage stands and why, what it made; runs are started from it and followed in it."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anywidget  # noqa: TID253 - the class is made of it; the magics import this module only where a view is wanted
import traitlets

from stagebook.book.draw import label_of, text_of
from stagebook.book.picture import MOST, Arrow, Box, svg_of
from stagebook.book.pipeline import load_pipeline
from stagebook.errors import PipelineError, StagebookError, UsageError
from stagebook.model import Pipeline
from stagebook.run.background import Background, run_words
from stagebook.run.bringing import bring_outputs
from stagebook.run.kept import KeptValues, outputs_of
from stagebook.run.status import StageStatus, Status, notebook_status
from stagebook.text import findings_list, seconds
from stagebook.widgets.asking import Asked, asked_for
from stagebook.widgets.details import SETTLED, details_of, run_all_text, summary_of
from stagebook.widgets.following import Following
from stagebook.widgets.front import module_of, style_of
from stagebook.widgets.previews import figures_of, previews_of
from stagebook.widgets.showing import with_text
from stagebook.widgets.standing import RunNow, StageNow, after, waiting

_ROOM = "running · cell 12 of 24 · 128 s"
"""The longest that stands in a box, as a rule."""


def pipeline_view(
    notebook: Path, *, store: str | Path | None = None, shell: Any = None, track: bool = True
) -> PipelineView:
    """A live view of a notebook's pipeline, as the notebook was last saved.

    Args:
        notebook: its path.
        store: where results are kept; `.stagebook` beside the notebook by default.
        shell: the IPython shell into whose namespace values are loaded; without one, nothing can be loaded.
        track: whether runs that are started from it are recorded in MLflow.

    Raises:
        StagebookError: the notebook cannot be read, or is no pipeline that can run.
    """
    return PipelineView(notebook, store=store, shell=shell, track=track)


class PipelineView(anywidget.AnyWidget):
    """See `pipeline_view`.

    Attributes:
        title: the notebook's name.
        picture: the graph, as SVG that becomes part of the page.
        stages: how each stage stands, in order: `name`, `state`, `below` (the line in its box), `said` (for a screen
            reader), `reason`, and `elapsed`, the seconds that it has been running for.
        details: what the pane says of each stage, see `details.details_of`.
        now: the line above the graph, what its buttons do, what is being told.
    """

    _esm = module_of("dom.js", "kernel.js", "still.js", "graph.js", "values.js", "pane.js", "pipeline.js")
    _css = style_of("theme.css", "pipeline.css")

    title = traitlets.Unicode().tag(sync=True)
    picture = traitlets.Unicode().tag(sync=True)
    stages = traitlets.List(traitlets.Dict()).tag(sync=True)
    details = traitlets.Dict().tag(sync=True)
    now = traitlets.Dict().tag(sync=True)

    def __init__(self, notebook: Path, *, store: str | Path | None, shell: Any, track: bool) -> None:
        self._notebook = notebook
        self._shell = shell
        self._asked = Asked(store=str(store) if store is not None else None, track=track)
        self._pipeline: Pipeline
        self._status: Status
        self._read_at = 0
        self._said, self._trouble = "", ""
        self._run = RunNow()
        self._lock = threading.RLock()
        self._within = f"stagebook-{secrets.token_hex(4)}-"
        self._background: Background | None = None
        self._following: Following[RunNow] | None = None
        self._still: Any = None
        super().__init__(title=notebook.name)
        self._read()
        self.on_msg(self._answer)

    @property
    def is_running(self) -> bool:
        """Whether a run that was started here is under way."""
        return self._following is not None

    def start(self, words: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a run in a process of its own, and follow it here.

        What the words say of parameters and secrets holds for the runs that the view's buttons start from then on.

        Args:
            words: of the command line, as `run.background.run_words` gives them.
            environment: variables for the process, secrets among them.

        Raises:
            StagebookError: a run is under way already, or the command does not take these words.
        """
        if self.is_running:
            raise UsageError("A run is under way here. Wait for its end, or cancel it.")
        asked = asked_for(words, environment or {}, before=self._asked)
        chosen = asked.selection.stages(self._pipeline)
        fresh = {one.stage for one in self._status.stages if one.state in SETTLED}
        known = asked.given == self._asked.given and not asked.selection.force
        self._asked, self._trouble = asked, ""
        self._say("The run starts.")
        following = Following(
            waiting(chosen - fresh if known else chosen),
            fold=lambda run, event: after(run, event, at=time.monotonic()),
            changed=self._follow,
            whole=("StageFinished", "RunFinished"),
        )
        self._following = following
        try:
            self._background = Background(asked.words, told=following, ended=self._end, environment=asked.environment)
        except StagebookError:
            self._following = None
            raise
        self._follow(following.now)

    @property
    def outcome(self) -> str:
        """How the last run that was started here ended, and what went wrong."""
        return "\n".join(filter(None, (self.now.get("said"), self.now.get("trouble"))))

    def cancel(self) -> None:
        """Have the run end as after Ctrl-C: stages under way are interrupted, what is done is kept."""
        if self._background is not None and self.is_running:
            self._say("The run is being cancelled.")
            self._background.cancel()
            self._tell()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the run has ended and is shown; False if that takes longer than `seconds`."""
        return self._background is None or self._background.wait(seconds)

    def refresh(self) -> None:
        """Read the notebook and what is kept of it anew.

        Raises:
            StagebookError: the notebook cannot be read, or is no pipeline that can run.
        """
        self._trouble = ""
        self._read()

    def states(self) -> dict[str, str]:
        """How each stage stands, in a word."""
        return {stage["name"]: stage["state"] for stage in self.stages}

    def as_text(self) -> str:
        """The graph as text, with how each stage stands."""
        return text_of(self._pipeline, self.states())

    def show_still(self) -> None:
        """Display a picture that stays in the notebook: for whoever opens it without a kernel, or without widgets."""
        from IPython.display import display

        self._still = display(  # type: ignore[no-untyped-call] # IPython's
            self._still_forms(), raw=True, display_id=f"stagebook-{secrets.token_hex(8)}"
        )

    def _still_forms(self) -> dict[str, str]:
        forms = {"text/plain": self.as_text()}
        if len(self._pipeline.stages) <= MOST:
            stands = {one.stage: one.state for one in self._status.stages}
            boxes = [Box(stage.name, stands.get(stage.name, "")) for stage in self._pipeline.stages]
            drawn = svg_of(f"Stages of {self.title}", boxes, self._arrows())
            forms["image/svg+xml"] = drawn.replace("<svg ", '<svg data-stagebook="still" ', 1)
        return forms

    def _repr_mimebundle_(self, **options: Any) -> Any:
        text = f"Run this cell to see the stages of {self.title} live."
        return with_text(super()._repr_mimebundle_(**options), {"text/plain": text})

    def _read(self) -> None:
        """The notebook as it is on disk, and how its stages stand."""
        read_at = _modified(self._notebook)
        pipeline = load_pipeline(self._notebook)
        status = notebook_status(self._notebook, parameters=self._asked.given, store=self._asked.store)
        self._pipeline, self._status, self._read_at = pipeline, status, read_at
        with self._lock, self.hold_sync():
            self.picture = self._drawn()
            self.details = details_of(pipeline, status)
            self._tell()

    def _drawn(self) -> str:
        if len(self._pipeline.stages) > MOST:
            return ""
        stands = {one.stage: one.state for one in self._status.stages}
        boxes = [Box(stage.name, stands.get(stage.name, ""), room=_ROOM) for stage in self._pipeline.stages]
        return svg_of(f"Stages of {self.title}", boxes, self._arrows(), within=self._within)

    def _arrows(self) -> list[Arrow]:
        return [Arrow(edge.source, edge.target, label_of(edge.names)) for edge in self._pipeline.edges]

    def _follow(self, run: RunNow) -> None:
        """Show how the run stands; called in the thread that its events come in."""
        self._run = run
        if run.running:
            names = [stage.name for stage in self._pipeline.stages if stage.name in run.running]
            self._say(f"Running {', '.join(names)}.")
        self._tell()

    def _end(self, status: int, errors: str) -> None:
        """Take in how the run ended; called in the thread that its events came in."""
        following, self._following = self._following, None
        run = following.close() if following is not None else RunNow()
        self._run = RunNow()
        ends = {"done": "is done", "failed": "has failed", "rejected": "ended at a closed gate"}
        if run.state:
            self._say(f"Run {run.id} {ends.get(run.state, 'was interrupted')}.")
        else:
            self._say("The run was interrupted." if status == 130 else "The run could not be started.")
        self._trouble = "\n".join([*run.notices, *([errors] if not run.state and status != 130 else [])])
        try:
            self._read()
        except StagebookError as error:
            self._note(error)
        if self._still is not None:
            self._still.update(self._still_forms(), raw=True)

    def _tell(self) -> None:
        """Put how all stands into the traits."""
        stands = {one.stage: one for one in self._status.stages}
        stages = [
            _shown(stands[stage.name], self._run.stages.get(stage.name))
            for stage in self._pipeline.stages
            if stage.name in stands
        ]
        with self._lock, self.hold_sync():
            self.stages = stages
            self.now = {
                "running": self.is_running,
                "summary": summary_of([stage["state"] for stage in stages]),
                "given": self._asked.shown(self._pipeline.parameters),
                "all": run_all_text([one.state for one in self._status.stages]),
                "said": self._said,
                "trouble": self._trouble,
                "stale": self._read_at != _modified(self._notebook),
                "loads": self._shell is not None,
            }

    def _say(self, text: str) -> None:
        self._said = text

    def _note(self, error: StagebookError) -> None:
        findings = findings_list(error.findings) if isinstance(error, PipelineError) else ""
        self._trouble = "\n".join(filter(None, [str(error), findings]))
        self._tell()

    def _answer(self, _: Any, content: Mapping[str, Any], __: Any) -> None:
        """Do what somebody has pressed a button for."""
        stage = str(content.get("stage", ""))
        try:
            if content.get("do") == "hello":
                self.send({"about": "alive"})
            elif content.get("do") == "cancel":
                self.cancel()
            elif content.get("do") == "refresh":
                self.refresh()
            elif content.get("do") == "run":
                self.start(self.words_for(str(content.get("how", "all")), stage))
            elif content.get("do") == "load":
                self._say(self._load(stage))
            elif content.get("do") in ("values", "figures"):
                self.send({"about": content["do"], "stage": stage, **self._looked_into(content["do"], stage)})
            if not self.is_running:
                self._tell()
        except StagebookError as error:
            self._note(error)

    def words_for(self, how: str, stage: str) -> list[str]:
        """The words of the run that a button starts.

        Args:
            how: `all` that is not fresh, `this` stage, or all `from` it on.
            stage: which one.
        """
        fresh = self.states().get(stage) == "fresh"
        selected: dict[str, Any] = {"all": {}, "from": {"start": stage, "force": fresh}}.get(how, {"end": stage})
        if how == "this" and fresh:
            selected = {"only": stage, "force": True}
        return [*run_words(self._notebook, **selected), *self._asked.again()]

    def _load(self, stage: str) -> str:
        if self._shell is None:
            raise UsageError("There is no namespace to load values into: make the view in a notebook.")
        return bring_outputs(self._kept(stage), self._shell.user_ns, stage)

    def _kept(self, stage: str) -> KeptValues:
        kept = outputs_of(self._notebook, stage, store=self._asked.store)
        fresh = self.states().get(stage) == "fresh"  # also for secrets, which what is kept of a run does not hold
        return replace(kept, changed="") if fresh else kept

    def _looked_into(self, what: str, stage: str) -> dict[str, Any]:
        """A stage's values or figures, for its pane; why there are none, where that is so."""
        try:
            kept = self._kept(stage)
        except StagebookError as error:
            return {"trouble": str(error), "found": []}
        namespace = self._shell.user_ns if self._shell is not None else {}
        found: Sequence[Any] = previews_of(kept, namespace) if what == "values" else figures_of(kept.cells)
        remark = f"They are of run {kept.run}; the stage is out of date since." if kept.changed else ""
        return {"trouble": remark, "found": list(found)}


def _shown(stood: StageStatus, now: StageNow | None) -> dict[str, Any]:
    """A stage as the graph shows it: as it stands in the run that goes on, else as it stood."""
    if now is None:
        took = seconds(stood.duration) if stood.state == "fresh" else ""
        return _texts(stood.stage, stood.state, took, stood.reason)
    took = seconds(now.duration) if now.state in ("fresh", "failed", "interrupted") else now.progress
    texts = _texts(stood.stage, now.state, took, now.reason)
    return texts if now.began is None else {**texts, "elapsed": round(time.monotonic() - now.began, 1)}


def _texts(name: str, state: str, beside: str, reason: str) -> dict[str, Any]:
    below = " · ".join(filter(None, [state, beside]))
    return {"name": name, "state": state, "below": below, "said": f"{name}: {below}", "reason": reason}


def _modified(path: Path) -> int:
    """When the file was last written (ns); 0 where it is gone."""
    return path.stat().st_mtime_ns if path.exists() else 0
