"""What a run leaves in Prefect to be looked at: metrics, graph and stages, cards of drift, and where MLflow has it."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Any

from stagebook.book.draw import draw
from stagebook.events import Event, Notice, StageFinished

if TYPE_CHECKING:
    from stagebook.model import Pipeline
    from stagebook.run.record import Run


class Seen:
    """Listens to a run: notices of no stage go to the flow's log, and what drift stages show is kept.

    Args:
        log: the flow run's.
    """

    def __init__(self, log: Any) -> None:
        self._log = log
        self.shown: dict[str, str] = {}

    def __call__(self, event: Event) -> None:
        """Take note of the event."""
        if isinstance(event, Notice) and event.stage is None:
            self._log.warning("%s", event.message)
        elif isinstance(event, StageFinished) and event.result is not None:
            texts = [
                "".join(output["data"]["text/plain"])
                for cell in event.result.cells[-1:]
                for output in cell.outputs
                if "text/plain" in output.get("data", {})
            ]
            self.shown[event.stage] = "\n".join(texts)


def publish(run: Run, pipeline: Pipeline, seen: Seen) -> None:
    """Make the artifacts of a run, keyed by the notebook's name.

    Args:
        run: the run, which has ended.
        pipeline: what it was a run of.
        seen: what was seen of it.
    """
    from prefect.artifacts import create_link_artifact, create_markdown_artifact, create_table_artifact

    name = key_of(run.notebook.stem)
    if run.metrics:
        rows = [{"metric": metric, "value": value} for metric, value in sorted(run.metrics.items())]
        create_table_artifact(rows, key=f"{name}-metrics", description=f"Metrics of run {run.id}.")
    create_markdown_artifact(_report(run, pipeline), key=f"{name}-stages", description=f"Stages of run {run.id}.")
    for stage in pipeline.stages:
        if stage.options.drift is not None and seen.shown.get(stage.name):
            text = f"# Drift: {stage.name}\n\n```\n{seen.shown[stage.name]}\n```\n"
            create_markdown_artifact(text, key=f"{name}-drift-{key_of(stage.name)}", description=f"Run {run.id}.")
    link = _in_mlflow(run)
    if link:
        create_link_artifact(link, key=f"{name}-mlflow", link_text=f"Run {run.id} in MLflow")


def key_of(name: str) -> str:
    """A name as Prefect's keys are: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "notebook"


def _report(run: Run, pipeline: Pipeline) -> str:
    """The run as Markdown: its graph, and a table of its stages."""
    picture = base64.b64encode(draw(pipeline, "svg").encode()).decode()
    rows = [
        f"| {one.stage} | {one.state} | {one.duration:.1f} s | {one.reason.replace('|', chr(92) + '|')} |"
        for one in run.stages
    ]
    lines = [
        f"# {run.notebook.stem}: {run.state}",
        "",
        f"![{run.notebook.stem}](data:image/svg+xml;base64,{picture})",
        "",
        "| stage | state | time | why |",
        "| --- | --- | --- | --- |",
        *rows,
        "",
        f"Output notebook: `{run.output}`",
    ]
    return "\n".join(lines) + "\n"


def _in_mlflow(run: Run) -> str:
    """The run's page on the server that it is recorded at; empty where that is a file, or does not answer."""
    from stagebook.run.unrecorded import shown_place
    from stagebook.track.place import client_for

    place = shown_place()
    if not place.startswith("http"):
        return ""
    from mlflow.exceptions import MlflowException

    try:
        client = client_for(run.home)
        known = client.search_experiments()
        found = client.search_runs([one.experiment_id for one in known], f"tags.`stagebook.run` = '{run.id}'")
    except (MlflowException, OSError):
        return ""
    if not found:
        return place
    return f"{place}/#/experiments/{found[0].info.experiment_id}/runs/{found[0].info.run_id}"
