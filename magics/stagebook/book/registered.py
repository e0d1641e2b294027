"""Which models a notebook's stages register, and whether what `model` and `gate` name is there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stagebook.book.findings import finding
from stagebook.book.gates import CHAMPION, asks_champion, is_champions, metrics_in
from stagebook.errors import did_you_mean
from stagebook.model import Finding, Pipeline, Place, Stage

_NO_NAME = re.compile(r"[/:]")


def registered_name(stage: Stage, pipeline: Pipeline) -> str | None:
    """What the stage's model is registered as; None where it has none."""
    model = stage.options.model
    if model is None:
        return None
    return model.name or _NO_NAME.sub("_", pipeline.notebook.stem)


def registered_names(pipeline: Pipeline) -> dict[str, str]:
    """What the stages' models are registered as, by stage."""
    found = {stage.name: registered_name(stage, pipeline) for stage in pipeline.stages}
    return {stage: name for stage, name in found.items() if name is not None}


def champion_of(stage: str, pipeline: Pipeline) -> str | None:
    """The registered model with which the stage's gate compares; None where it is not clear which one.

    It is that of the stage, or of the one stage that it depends on which has one, or the only one there is.
    """
    names = registered_names(pipeline)
    before = [names[one] for one in (stage, *sorted(pipeline.upstream(stage))) if one in names]
    if stage in names or len(before) == 1:
        return before[0]
    return next(iter(names.values())) if len(names) == 1 else None


def model_findings(pipeline: Pipeline) -> Iterator[Finding]:
    """Models that no stage makes, or two of one name; gates on metrics that are not there."""
    registered: dict[str, str] = {}
    for stage in pipeline.stages:
        place = Place(stage.cells[0].number, 1)
        model, name = stage.options.model, registered_name(stage, pipeline)
        if model is not None and name is not None:
            if model.value not in stage.names.binds.keys() | stage.names.changes.keys():
                message = f"Stage `{stage.name}` names `{model.value}` in `model`, and does not make it."
                remedy = did_you_mean(model.value, stage.names.binds).strip() or "Name it where it is made."
                yield finding("SB211", message, remedy, place, stage=stage.name)
            elif stage.options.foreach is not None:
                message = f"Stage `{stage.name}` is mapped, so that `{model.value}` is a list of models."
                yield finding(
                    "SB211", message, "Name in `model` what a later stage takes from it.", place, stage=stage.name
                )
            if name in registered:
                message = f"Stages `{registered[name]}` and `{stage.name}` both register their model as `{name}`."
                remedy = f'Give one a name of its own: model="{model.value} as NAME".'
                yield finding("SB213", message, remedy, place, stage=stage.name)
            registered.setdefault(name, stage.name)
        yield from _feature_findings(stage, pipeline, place)
        if stage.options.gate is not None:
            yield from _gate_findings(stage, stage.options.gate, pipeline, place)


def _feature_findings(stage: Stage, pipeline: Pipeline, place: Place) -> Iterator[Finding]:
    options, before = stage.options, pipeline.upstream(stage.name)
    for name in options.features:
        if name not in before:
            message = f"Stage `{stage.name}` names `{name}` in `features`, and no stage of that name comes before it."
            remedy = did_you_mean(name, before).strip() or "Take it out."
            yield finding("SB215", message, remedy, place, stage=stage.name)
    if options.features and options.model is None:
        message = f"Stage `{stage.name}` has `features`, and registers no model."
        yield finding("SB215", message, "Name the model in `model`, or take it out.", place, stage=stage.name)
    taken = {name for one in options.features for name in pipeline.inputs.get(one, ())}
    if options.rows is not None and options.rows not in taken:
        message = f"Stage `{stage.name}` names `{options.rows}` in `rows`, and none of its `features` takes that."
        remedy = did_you_mean(options.rows, taken).strip() or "Name a table that a feature stage takes."
        yield finding("SB215", message, remedy, place, stage=stage.name)


def _gate_findings(stage: Stage, gate: str, pipeline: Pipeline, place: Place) -> Iterator[Finding]:
    of_all = {metric for one in pipeline.stages for metric in one.options.metrics}
    before = {stage.name} | pipeline.upstream(stage.name)
    known = {metric for one in pipeline.stages if one.name in before for metric in one.options.metrics}
    for name in metrics_in(gate):
        has = of_all if is_champions(name) else known
        plain = name.removeprefix(f"{CHAMPION}.") if is_champions(name) else name
        if not any(plain == metric or plain.startswith(f"{metric}.") for metric in has):
            whose = "of no stage" if is_champions(name) else "neither its own nor of a stage before it"
            message = f"The gate of stage `{stage.name}` names `{name}`, a metric {whose}."
            remedy = did_you_mean(plain, has).strip() or "Name it in the option `metrics` of a stage."
            yield finding("SB212", message, remedy, place, stage=stage.name)
    if asks_champion(gate) and champion_of(stage.name, pipeline) is None:
        models = registered_names(pipeline)
        message = f"The gate of stage `{stage.name}` names `{CHAMPION}`, and it is not clear of which model."
        remedy = "Put it on the stage that makes the model." if models else "Register a model: the option `model`."
        yield finding("SB212", message, remedy, place, stage=stage.name)
