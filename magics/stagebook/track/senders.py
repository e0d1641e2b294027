"""Telling MLflow what there is to say of a run or a sweep. All of it may be said again: nothing is there twice."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.run.sweep import given_text
from stagebook.run.unrecorded import Unrecorded
from stagebook.track.datasets import datasets_of
from stagebook.track.family import Family, find_or_make, run_tags
from stagebook.track.files import send_written

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Metric

STATUS = {
    **dict.fromkeys(("done", "reused", "skipped"), "FINISHED"),
    **dict.fromkeys(("failed", "rejected"), "FAILED"),
    **dict.fromkeys(("interrupted", "running"), "KILLED"),  # one that is said to go on when it is over was killed
}
SWEEP = "stagebook.sweep.record"
"""Tag of a sweep's run: our own id of this time that it was run."""

_FORBIDDEN = re.compile(r"[^/\w.\- :]")
_LONGEST_NAME = 250

Facts = Mapping[str, Any]


def send(client: MlflowClient, experiment: str, one: Unrecorded) -> str:
    """Bring what MLflow knows of it up to date, and return MLflow's id of its run."""
    return _send_sweep(client, experiment, one) if one.kind == "sweep" else _send_run(client, experiment, one)


def family_of(client: MlflowClient, experiment: str, one: Unrecorded) -> Family:
    """The runs in MLflow of a run of ours."""
    began = _moment(one.facts["started"])
    if one.within is None:
        name = f"{one.notebook.stem} {one.id}"
        return Family(client, experiment, notebook=one.notebook, run=one.id, name=name, began=began)
    sweep, point = one.within.sweep, one.within.point
    found = client.search_runs([experiment], filter_string=f"tags.`{SWEEP}` = '{sweep}'", max_results=1)
    tags = {"stagebook.point": str(point)}
    if found:
        tags["stagebook.sweep"] = found[0].data.tags["stagebook.sweep"]
    return Family(
        client,
        experiment,
        notebook=one.notebook,
        run=one.id,
        name=one.within.name,
        began=began,
        within=found[0].info.run_id if found else "",
        tags=tags,
    )


def _send_run(client: MlflowClient, experiment: str, one: Unrecorded) -> str:
    family, facts = family_of(client, experiment, one), one.facts
    began = _moment(facts["started"])
    metrics: list[Metric] = []
    ran = [stage for stage in facts["stages"] if stage["state"] != "not run"]
    for stage in ran:
        metrics += _send_stage(client, family, stage, began)
    if not one.is_over:
        _log(client, family.parent, params=facts["parameters"], metrics=metrics)
        return family.parent
    ended = began + int(facts["duration"] * 1000)
    metrics += _numbers({"duration_seconds": facts["duration"]}, ended)
    tags = _run_facts(facts)
    if facts["state"] == "running":
        tags["stagebook.reason"] = "its process was killed"
    _log(client, family.parent, params=facts["parameters"], metrics=metrics, tags=tags)
    _log_files(client, family.parent, one.files())
    send_written(client, one, {stage["stage"]: family.stage(stage["stage"], began=began) for stage in ran})
    client.set_terminated(family.parent, STATUS[facts["state"]], ended)
    return family.parent


def _send_stage(client: MlflowClient, family: Family, stage: Facts, began: int) -> list[Metric]:
    """Say what became of a stage of a run that began then; its metrics, for the run as a whole."""
    ran = stage["state"] != "reused" and stage["started"]
    ended = began
    if ran:
        began = _moment(stage["started"])
        ended = began + int(stage["duration"] * 1000)
    run = family.stage(stage["stage"], began=began)
    metrics = _metrics(stage, ended)
    tags = {
        "stagebook.state": stage["state"],
        "stagebook.reason": stage["reason"],
        "stagebook.fingerprint": stage["fingerprint"],
        **({"stagebook.origin": stage["origin"]} if stage["origin"] else {}),
        **({"stagebook.gate": gate_text(stage["gate"])} if stage.get("gate") else {}),
        **{_name(f"stagebook.output.{name}"): content for name, content in stage["outputs"].items()},
    }
    _log(client, run, metrics=[*metrics, *_numbers({"duration_seconds": stage["duration"]}, ended)], tags=tags)
    inputs = datasets_of(stage)
    if inputs:
        client.log_inputs(run, inputs)
    client.set_terminated(run, STATUS[stage["state"]], ended)
    return metrics


def gate_text(gate: Mapping[str, Any]) -> str:
    """What a gate said."""
    return f"{'passed' if gate['passed'] else 'closed'}: {gate['condition']} ({gate['told']})"


def _metrics(stage: Facts, moment: int) -> list[Metric]:
    single = {name: value for name, value in stage["metrics"].items() if name not in stage["series"]}
    found = _numbers(single, moment)
    for name, values in stage["series"].items():
        for step, value in enumerate(values):
            found += _numbers({name: value}, moment, step=step)
    return found


def _numbers(numbers: Mapping[str, float], moment: int, *, step: int = 0) -> list[Metric]:
    from mlflow.entities import Metric

    return [Metric(_name(name), value, moment, step) for name, value in numbers.items()]


def _run_facts(facts: Facts) -> dict[str, str]:
    """What is known of where the run's code stands."""
    code = facts["provenance"]
    found = {
        "mlflow.user": code["user"],
        "mlflow.source.git.commit": code["commit"],
        "stagebook.git.changed": {True: "yes", False: "no"}.get(code["changed"], ""),
        "stagebook.notebook.digest": code["notebook"],
        "stagebook.store": facts["store"],
        **{f"stagebook.version.{name}": version for name, version in facts["versions"].items()},
    }
    return {name: value for name, value in found.items() if value}


def _send_sweep(client: MlflowClient, experiment: str, one: Unrecorded) -> str:
    facts = one.facts
    began, objective = _moment(facts["started"]), facts["objective"]
    tags = {**run_tags(f"sweep {facts['id']}", one.notebook), SWEEP: one.id, "stagebook.sweep": facts["id"]}
    if objective is not None:
        tags["stagebook.objective"] = f"{objective['direction']} {objective['metric']}"
    run = find_or_make(client, experiment, (SWEEP, one.id), tags=tags, began=began)
    asked = facts["asked"]
    if not one.is_over:
        _log(client, run, params=asked)
        return run
    ended = began + int(facts["duration"] * 1000)
    numbers = {
        "points": len(facts["points"]),
        "points_failed": sum(point["state"] == "failed" for point in facts["points"]),
        "duration_seconds": facts["duration"],
    }
    best = next((point for point in facts["points"] if point["number"] == facts["best"]), None)
    if best is not None:
        numbers |= best["metrics"]
        said = {"point": str(best["number"]), "run": best["run"]}
        said |= {name: given_text(best["parameters"][name]) for name in asked}
        _log(client, run, tags={f"stagebook.best.{name}": value for name, value in said.items()})
    _log(client, run, params=asked, metrics=_numbers(numbers, ended))
    _log_files(client, run, one.files())
    client.set_terminated(run, STATUS[facts["state"]], ended)
    return run


def _log(
    client: MlflowClient,
    run: str,
    *,
    params: Mapping[str, Any] | None = None,
    metrics: Iterable[Metric] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Say it in batches that MLflow takes."""
    from mlflow.entities import Param, RunTag

    for some in _batches([Param(name, _cut(str(value), 6000)) for name, value in (params or {}).items()], 100):
        client.log_batch(run, params=some)
    for some in _batches(list(metrics), 1000):
        client.log_batch(run, metrics=some)
    for some in _batches([RunTag(name, _cut(value, 5000)) for name, value in (tags or {}).items()], 100):
        client.log_batch(run, tags=some)


def _batches(items: list[Any], most: int) -> Iterable[list[Any]]:
    return (items[start : start + most] for start in range(0, len(items), most))


def _log_files(client: MlflowClient, run: str, files: Iterable[Path]) -> None:
    for file in files:
        client.log_artifact(run, str(file))


def _name(name: str) -> str:
    """The name as MLflow takes it: entries of dicts may be called anything."""
    plain = _FORBIDDEN.sub("_", name)[:_LONGEST_NAME]
    return plain if posixpath.normpath(plain) == plain else plain.replace("/", "_")


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _moment(text: str) -> int:
    """Milliseconds since the epoch."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)
