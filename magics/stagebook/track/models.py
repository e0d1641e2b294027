"""Registering the models of a run, each result of a stage once: packed in a kernel, then logged as a version."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stagebook.book.notebook import read_document
from stagebook.book.pipeline import pipeline_of
from stagebook.errors import StagebookError
from stagebook.registry import plugin
from stagebook.run.job import JobCell, StageJob
from stagebook.run.job_cells import job_cells, preamble_cells
from stagebook.run.unrecorded import Unrecorded
from stagebook.store.digests import digest_of, digest_of_json
from stagebook.track.champion import CHAMPION, EVALUATED, version_called
from stagebook.track.datasets import files_of
from stagebook.track.family import Family
from stagebook.track.packing import MODEL, REPORT
from stagebook.track.slices import feature_slice

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHALLENGER = "challenger"
"""Alias of the version that was registered last."""
FINGERPRINT = "stagebook.fingerprint"
CONTENT = "stagebook.content"
PACKED = "stagebook.packed"
GATES = "stagebook.gates"
"""Tag of a version: what the gates said of it, by stage, as JSON."""

_REFUSED = "refused"

Facts = Mapping[str, Any]


def version_of(client: MlflowClient, facts: Facts, stage: Facts) -> ModelVersion | None:
    """The version that is of this very result of a stage, packed as it says; None where there is none.

    Args:
        client: for where runs are recorded.
        facts: `run.json`.
        stage: in it, the stage.
    """
    packed = _packed_as(facts, stage)
    for version in client.search_model_versions(f"tags.`{FINGERPRINT}` = '{stage['fingerprint']}'"):
        if version.name == stage["model"]["name"] and version.tags.get(PACKED) == packed:
            return version
    return None


class NotPackedError(Exception):
    """A value could not be made a model of; the message says why."""


def models_in(one: Unrecorded) -> list[Facts]:
    """The stages of a run whose models are to be registered: it is done, or only a gate kept it from that.

    Those of a sweep's points are not: the best one's are, when it is run by itself.
    """
    if one.within is not None or one.facts["state"] not in ("done", "rejected"):
        return []
    stages = one.facts["stages"]
    return [stage for stage in stages if stage.get("model") and stage["model"]["value"] in stage["outputs"]]


def unpacked(client: MlflowClient, one: Unrecorded) -> list[Facts]:
    """Of the run's models, those that no version is of, and that are not packed yet."""
    new = [stage for stage in models_in(one) if version_of(client, one.facts, stage) is None]
    return [stage for stage in new if not any((_place(one, stage) / name).is_file() for name in (REPORT, _REFUSED))]


def pack_model(one: Unrecorded, stage: Facts) -> None:
    """Pack a model, in a kernel as the stage had it.

    Raises:
        NotPackedError: it cannot be.
    """
    source = next((file for file in one.files() if file.suffix == ".ipynb"), None)
    if source is None:
        raise NotPackedError("the output notebook of its run is not there")
    document = read_document(source)
    pipeline = pipeline_of(document, one.notebook)
    place = _place(one, stage)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    order = {
        "folder": str(place),
        "store": one.facts["store"],
        "model": stage["outputs"][stage["model"]["value"]],
        "method": stage["model"]["method"],
        "candidates": list(_candidates(one.facts, stage)),
        "packages": _packages(one.facts, stage),
        "features": None,
    }
    names = _feature_stages(stage)
    if names:
        try:
            order["features"] = feature_slice(one.facts, pipeline, names, stage["model"]["rows"])
        except StagebookError as error:
            raise NotPackedError(str(error)) from error
    code = f"__import__('importlib').import_module('stagebook.track.packing').pack({json.dumps(order)!r})"
    job = StageJob(
        stage=stage["stage"],
        kernel=pipeline.kernel,
        folder=str(one.notebook.parent),
        store=one.facts["store"],
        preamble=preamble_cells(document, pipeline, job_cells(document, pipeline)),
        cells=(JobCell(0, code, ""),),
    )
    with plugin("runner", "local")(1) as runner:
        result = runner.submit(job, lambda _: None, lambda _: {}).result()
    if result.failure is not None:
        raise NotPackedError(result.failure.message)


def refuse(one: Unrecorded, stage: Facts) -> None:
    """It cannot be packed: no other process is to try with what is kept of this run."""
    place = _place(one, stage)
    place.mkdir(parents=True, exist_ok=True)
    (place / _REFUSED).touch()


def _feature_stages(stage: Facts) -> list[str]:
    named = stage["model"].get("features", "")
    return named.split(",") if named else []


def _packages(facts: Facts, stage: Facts) -> dict[str, str]:
    """Versions of what the stage, and the feature stages that are packed with it, stand on."""
    members = {stage["stage"], *_feature_stages(stage)}
    return {
        name: version for one in facts["stages"] if one["stage"] in members for name, version in one["packages"].items()
    }


def register(client: MlflowClient, experiment: str, one: Unrecorded, family: Family) -> None:
    """Have a version of each of the run's models that is packed; tell known versions of this run.

    Args:
        client: for where runs are recorded.
        experiment: the experiment's id.
        one: the run.
        family: its runs in MLflow.
    """
    gates = {stage["stage"]: stage["gate"] for stage in one.facts["stages"] if stage.get("gate")}
    for stage in models_in(one):
        name = stage["model"]["name"]
        version = version_of(client, one.facts, stage)
        if version is None and (_place(one, stage) / REPORT).is_file():
            version = _registered(client, experiment, one, stage, family)
        if version is None:
            continue
        champion = version_called(client, name, CHAMPION)
        if champion is None or champion.version != version.version:
            client.set_registered_model_alias(name, CHALLENGER, version.version)
        client.set_model_version_tag(name, version.version, EVALUATED, family.parent)
        client.set_model_version_tag(name, version.version, GATES, json.dumps(gates))


def _registered(client: MlflowClient, experiment: str, one: Unrecorded, stage: Facts, family: Family) -> ModelVersion:
    """A new version, of the packed model."""
    from mlflow.entities import LoggedModelOutput
    from mlflow.exceptions import MlflowException
    from mlflow.models import Model

    name, place = stage["model"]["name"], _place(one, stage)
    report = json.loads((place / REPORT).read_text(encoding="utf-8"))
    run = family.stage(stage["stage"], began=0)
    tags = _tags(one, stage, report)
    logged = client.create_logged_model(experiment, stage["model"]["value"], source_run_id=run, tags=tags)
    described = Model.load(str(place / MODEL))
    described.run_id, described.model_id = run, logged.model_id
    described.save(str(place / MODEL / "MLmodel"))
    client.log_model_artifacts(logged.model_id, str(place / MODEL))
    client.finalize_logged_model(logged.model_id, "READY")
    for one_of in (run, family.parent):
        client.log_outputs(one_of, [LoggedModelOutput(logged.model_id, 0)])
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    source = f"models:/{logged.model_id}"
    return client.create_model_version(name, source, run, tags=tags, model_id=logged.model_id)


def _tags(one: Unrecorded, stage: Facts, report: Facts) -> dict[str, str]:
    """What leads from a version to all that it came from."""
    data = data_of(one.facts, stage["stage"])
    provenance = one.facts["provenance"]
    found = {
        "stagebook.run": one.id,
        "stagebook.stage": stage["stage"],
        "stagebook.notebook": one.notebook.name,
        "stagebook.notebook.digest": provenance["notebook"],
        "stagebook.git.commit": provenance["commit"],
        FINGERPRINT: stage["fingerprint"],
        CONTENT: stage["outputs"][stage["model"]["value"]],
        PACKED: _packed_as(one.facts, stage),
        "stagebook.data": json.dumps(data)[:5000],
        "stagebook.data.digest": digest_of_json(data),
        "stagebook.example": report["example"],
        "stagebook.flavor": report["flavor"],
        "stagebook.serialization": report["serialization"],
        "stagebook.note": "; ".join(report["notes"]),
    }
    return {tag: value for tag, value in found.items() if value}


def data_of(facts: Facts, stage: str) -> dict[str, str]:
    """The files that a stage and those before it read, with digests."""
    members = [one for one in facts["stages"] if one["stage"] in {stage, *upstream(facts, stage)}]
    return {path: digest for one in members for path, digest in sorted(files_of(one).items())}


def upstream(facts: Facts, stage: str) -> list[str]:
    """The stages that a stage of a run depends on, the nearest first."""
    sources: dict[str, list[str]] = {}
    for edge in facts["edges"]:
        sources.setdefault(edge["target"], []).append(edge["source"])
    found: list[str] = []
    waiting = [stage]
    while waiting:
        for source in sources.get(waiting.pop(0), []):
            if source not in found:
                found.append(source)
                waiting.append(source)
    return found


def _candidates(facts: Facts, stage: Facts) -> Iterator[tuple[str, str]]:
    """Names and contents of what the stages up to this one read and made, the nearest first, each name once."""
    stages = {one["stage"]: one for one in facts["stages"]}
    met = {stage["model"]["value"]}
    for name in (stage["stage"], *upstream(facts, stage["stage"])):
        for values in (stages[name]["inputs"], stages[name]["outputs"]):
            for value, content in sorted(values.items()):
                if value not in met and "#" in content and ":" not in value:
                    met.add(value)
                    yield value, content


def _packed_as(facts: Facts, stage: Facts) -> str:
    """A digest of what is packed, and how."""
    prints = {one["stage"]: one["fingerprint"] for one in facts["stages"]}
    content = stage["outputs"][stage["model"]["value"]]
    return digest_of_json([content, dict(stage["model"]), [prints[name] for name in _feature_stages(stage)]])


def _place(one: Unrecorded, stage: Facts) -> Path:
    """Where the model is packed to."""
    return one.folder / ".models" / digest_of(stage["stage"].encode())[:16]
