"""What there is to say of each stage, in the words in which it is shown: for the pane beside the graph."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from stagebook.model import Pipeline, Stage
from stagebook.run.reasons import reason
from stagebook.run.status import StageStatus, Status
from stagebook.text import counted, moment, seconds
from stagebook.widgets.standing import STATES

Detail = dict[str, Any]
"""What the browser is given of a stage: texts, and lists of them."""

SETTLED = ("fresh", "skipped")
"""States of stages that a run has nothing to do for."""

_MOST_METRICS = 30


def details_of(pipeline: Pipeline, status: Status) -> dict[str, Detail]:
    """The details of every stage, by its name."""
    gates = _gates(status) if any(stage.options.gate for stage in pipeline.stages) else {}
    stands = {one.stage: one for one in status.stages}
    return {
        stage.name: _detail(pipeline, stage, stands, gates.get(stage.name))
        for stage in pipeline.stages
        if stage.name in stands
    }


def summary_of(states: Sequence[str]) -> list[list[str]]:
    """How many stages stand how: pairs of the state, and what is said of it."""
    count = Counter(states)
    return [[state, f"{count[state]} {state}"] for state in STATES if count[state]]


def run_all_text(states: Sequence[str]) -> str:
    """What the button that runs all that is not fresh says; nothing where there is nothing to run."""
    to_run = [state for state in states if state not in SETTLED]
    if not to_run:
        return ""
    if set(to_run) == {"stale"}:
        return f"Run {counted(len(to_run), 'stale stage')}"
    return f"Run {counted(len(to_run), 'stage')}"


def _detail(
    pipeline: Pipeline, stage: Stage, stands: Mapping[str, StageStatus], gate: Mapping[str, Any] | None
) -> Detail:
    stood = stands[stage.name]
    to_run = {name for name, one in stands.items() if one.state not in SETTLED}
    return {
        "name": stage.name,
        "state": stood.state,
        "reason": stood.reason,
        "changes": [reason((change,)) for change in stood.changes] if len(stood.changes) > 1 else [],
        "cells": [{"number": cell.number, "source": cell.source} for cell in stage.cells],
        "reads": [[name, source] for name, source in sorted(pipeline.inputs.get(stage.name, {}).items())],
        "makes": [[name, _takers(pipeline, stage.name, name)] for name in pipeline.outputs.get(stage.name, ())],
        "facts": _facts(stage, stood, gate),
        "metrics": [[name, f"{value:.6g}"] for name, value in sorted(stood.metrics.items())][:_MOST_METRICS],
        "actions": _actions(pipeline, stage.name, to_run, fresh=stood.state == "fresh"),
        "kept": bool(stood.run),
        "values": bool(stood.run) and bool(pipeline.outputs.get(stage.name)),
    }


def _takers(pipeline: Pipeline, stage: str, name: str) -> str:
    """The stages that take a name from this one."""
    return ", ".join(one.name for one in pipeline.stages if pipeline.inputs.get(one.name, {}).get(name) == stage)


def _facts(stage: Stage, stood: StageStatus, gate: Mapping[str, Any] | None) -> list[list[str]]:
    facts = [["took", seconds(stood.duration)], ["last ran", moment(stood.started)], ["in run", stood.run]]
    facts += [["mapped", f"for each {stage.options.foreach}"]] if stage.options.foreach is not None else []
    facts += [["only if", stage.options.when]] if stage.options.when is not None else []
    if stage.options.gate is not None:
        told = f": {'passed' if gate['passed'] else 'closed'} ({gate['told']})" if gate else ""
        facts.append(["gate", f"{stage.options.gate}{told}"])
    if stage.options.model is not None:
        facts.append(["model", stage.options.model.value])
    return [[name, text] for name, text in facts if text]


def _actions(pipeline: Pipeline, stage: str, to_run: set[str], *, fresh: bool) -> dict[str, str]:
    """What the stage's buttons say: they name what will run."""
    before = len(to_run & pipeline.upstream(stage))
    after = len(pipeline.downstream(stage))
    this = "Run this stage again" if fresh else "Run this stage"
    if before and not fresh:
        this = f"Run this stage and {before} before it"
    onward = "Run again from here" if fresh else "Run from here"
    return {"this": this, "from": f"{onward} ({counted(after + 1, 'stage')})" if after and not before else ""}


def _gates(status: Status) -> dict[str, Mapping[str, Any]]:
    """What gates said in the last run, by stage; nothing where its record is gone."""
    if status.last is None:
        return {}
    with suppress(OSError, ValueError, KeyError, TypeError):
        facts = json.loads(Path(status.last.folder, "run.json").read_text(encoding="utf-8"))
        return {stage["stage"]: stage["gate"] for stage in facts["stages"] if stage.get("gate")}
    return {}
