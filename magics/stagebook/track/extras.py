"""What is recorded of a run beside its numbers: a trace of what ran when, its graph, its notebook as a page."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.book.draw import label_of
from stagebook.book.drifting import MIME
from stagebook.book.picture import MOST, Arrow, Box, svg_of
from stagebook.run.lean import imported
from stagebook.run.unrecorded import Unrecorded
from stagebook.track.family import RUN
from stagebook.track.place import recording_at

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LARGE = 100e6
"""Bytes of a notebook of which no page is made."""


def send_extras(client: MlflowClient, experiment: str, one: Unrecorded, run: str, *, uri: str) -> None:
    """Send them, unless they are there.

    Args:
        client: for where runs are recorded.
        experiment: the experiment's id.
        one: the run.
        run: MLflow's id of it.
        uri: where runs are recorded.
    """
    _send_trace(client, experiment, one, run, uri)
    _send_graph(client, one, run)
    _send_page(client, one, run)
    _send_comparisons(client, one, run)


def _send_comparisons(client: MlflowClient, one: Unrecorded, run: str) -> None:
    """What stages with `drift=` have found: the card as a page, and all of it as JSON."""
    notebook = _output_notebook(one)
    if notebook is None or notebook.stat().st_size > _LARGE:
        return
    cells = json.loads(notebook.read_bytes())["cells"]
    found = [output["data"] for cell in cells for output in cell.get("outputs", ()) if MIME in output.get("data", {})]
    for number, data in enumerate(found, start=1):
        name = "drift/drift" if len(found) == 1 else f"drift/{number}"
        client.log_dict(run, data[MIME], f"{name}.json")
        client.log_text(run, f'<!doctype html><meta charset="utf-8">{_text(data["text/html"])}', f"{name}.html")


def _text(lines: Any) -> str:
    """A text as nbformat keeps it: whole, or in lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def _send_graph(client: MlflowClient, one: Unrecorded, run: str) -> None:
    """The stages and what flowed between them, as it turned out, with the state of each."""
    picture = graph_of(one)
    if picture is not None:
        client.log_text(run, picture, "graph.svg")


def graph_of(one: Unrecorded) -> str | None:
    """The graph of a run as SVG; None where it is not known, as the run was broken off, or too large to be read."""
    facts, stages = one.facts, one.facts["stages"]
    if not facts["versions"] or not 0 < len(stages) <= MOST:  # they are noted at a run's end, as the edges are
        return None
    boxes = [Box(stage["stage"], stage["state"], _took(stage)) for stage in stages]
    arrows = [Arrow(edge["source"], edge["target"], label_of(edge["names"])) for edge in facts["edges"]]
    return svg_of(f"{one.notebook.name}, run {one.id}: {facts['state']}", boxes, arrows)


def _took(stage: Any) -> str:
    """The seconds of a stage that ran in this run."""
    return f"{stage['duration']:.1f} s" if stage["started"] and stage["state"] in ("done", "failed") else ""


def _send_page(client: MlflowClient, one: Unrecorded, run: str) -> None:
    """The output notebook as a page that a browser shows; it is the one of an earlier run where all was reused."""
    notebook = _output_notebook(one)
    if notebook is None or not any(stage["cells"] for stage in one.facts["stages"]):
        return
    if notebook.stat().st_size > _LARGE:
        raise ValueError(f"{notebook.name} is too large to make a page of it")
    page, _ = imported("nbconvert").HTMLExporter().from_filename(str(notebook))
    client.log_text(run, page, f"{notebook.stem}.html")


def _output_notebook(one: Unrecorded) -> Path | None:
    return next((file for file in one.files() if file.suffix == ".ipynb"), None)


def _send_trace(client: MlflowClient, experiment: str, one: Unrecorded, run: str, uri: str) -> None:
    """A span for the run, below it one for each stage that ran, below that one for each of its cells."""
    import mlflow

    known = client.search_traces(
        locations=[experiment], filter_string=f"tags.`{RUN}` = '{one.id}'", max_results=1, include_spans=False
    )
    stages = [stage for stage in one.facts["stages"] if stage["cells"]]
    if stages and not known:
        with recording_at(uri):
            trace = _traced(client, experiment, one, stages)
            mlflow.flush_trace_async_logging()
        client.link_traces_to_run([trace], run)


def _traced(client: MlflowClient, experiment: str, one: Unrecorded, stages: list[Any]) -> str:
    """The id of a trace of a run, made of these stages."""
    began, length = _moment(one.facts["started"]), one.facts["duration"]
    root = client.start_trace(
        f"{one.notebook.stem} {one.id}",
        span_type="CHAIN",
        inputs=one.facts["parameters"],
        tags={RUN: one.id},
        experiment_id=experiment,
        start_time_ns=began,
    )
    trace = root.trace_id
    for stage in stages:
        parent = _span(client, trace, root.span_id, stage["stage"], stage, kind="TASK", outputs=stage["metrics"])
        for cell in stage["cells"]:
            _span(client, trace, parent, f"cell {cell['number']}", cell, kind="TOOL")
    client.end_trace(trace, status=_status(one.facts), end_time_ns=began + _nanoseconds(length))
    return str(trace)


def _span(client: Any, trace: str, parent: str, name: str, timed: Any, *, kind: str, outputs: Any = None) -> str:
    """A span that is over; its id."""
    began = _moment(timed["started"])
    span = client.start_span(name, trace, parent, span_type=kind, start_time_ns=began)
    ended = began + _nanoseconds(timed["duration"])
    client.end_span(trace, span.span_id, outputs=outputs, status=_status(timed), end_time_ns=ended)
    return str(span.span_id)


def _status(timed: Any) -> str:
    failed = timed.get("failed", False) or timed.get("state") in ("failed", "interrupted", "running")
    return "ERROR" if failed else "OK"


def _moment(text: str) -> int:
    """Nanoseconds since the epoch."""
    return int(datetime.fromisoformat(text).timestamp() * 1e9)


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
