"""Edges anew, with what running the stages brought to light."""

from __future__ import annotations

import graphlib
from collections.abc import Mapping
from dataclasses import replace

from stagebook.book.graph import edges_of, in_order, link, names_taken
from stagebook.book.hidden import called, is_file
from stagebook.errors import PipelineError
from stagebook.model import Learned, Pipeline, frozen_map


def relink(pipeline: Pipeline, learned: Mapping[str, Learned], *, skipped: frozenset[str] = frozenset()) -> Pipeline:
    """The pipeline with what running its stages brought to light.

    Args:
        pipeline: as the analysis saw it.
        learned: per stage, what it changes in place and what hidden state it uses and changes.
        skipped: stages that do not run.

    Raises:
        PipelineError: with what is known now, no order of the stages gives what the notebook gives.
    """
    if not skipped and all(known == Learned() for known in learned.values()):
        return pipeline
    links = link(pipeline.segments, pipeline.ambient, learned=learned, skipped=skipped)
    if links.findings:
        raise PipelineError(f"{pipeline.notebook.name}: {_told(learned)}, as a run has shown.", links.findings)
    needs = {stage: before | links.after.get(stage, frozenset()) for stage, before in pipeline.needs.items()}
    edges = edges_of(links.inputs, needs)
    notebook_order = sorted(pipeline.stages, key=lambda stage: stage.cells[0].number)
    try:
        ordered = in_order(notebook_order, edges)
    except graphlib.CycleError as error:
        around = " -> ".join(reversed(error.args[1]))
        message = f"{pipeline.notebook.name}: {_told(learned)}, as a run has shown, so that stages depend on each other"
        raise PipelineError(f"{message}: {around}. Take the need out, or move a stage up.") from error
    required = names_taken(links.inputs)
    outputs = {
        stage: tuple(sorted({*kept, *(name for name in required.get(stage, ()) if not is_file(name))}))
        for stage, kept in pipeline.outputs.items()
    }
    return replace(
        pipeline,
        stages=ordered,
        edges=edges,
        inputs=links.inputs,
        outputs=frozen_map(outputs),
        needs=frozen_map(needs),
    )


def _told(learned: Mapping[str, Learned]) -> str:
    parts = [
        f"stage `{stage}` changes {', '.join(map(called, sorted(known.changed)))} in place"
        for stage, known in sorted(learned.items())
        if known.changed
    ]
    return " and ".join(parts)


def leaves_links(pipeline: Pipeline, learned: Mapping[str, Learned], before: Learned, now: Learned) -> bool:
    """Whether what is new of a stage makes no edge: hidden state that it uses, and that no stage makes or changes.

    Args:
        pipeline: as the analysis saw it.
        learned: per stage, what is known.
        before: what was known of the stage.
        now: what is known of it now.
    """
    if (before.changed, before.tied) != (now.changed, now.tied):
        return False
    made = {name for segment in pipeline.segments for name in (*segment.names.binds, *segment.names.changes)}
    made.update(*(known.changed for known in learned.values()))
    made.update(name for known in learned.values() for tied in known.tied for name in tied)
    used = now.used - before.used
    return used.isdisjoint(made) and not (any(map(is_file, used)) and any(map(is_file, made)))
