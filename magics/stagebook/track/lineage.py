"""Where a model version comes from: the run that it was registered in, and there the stages that led to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from stagebook.errors import StagebookError, UsageError, did_you_mean
from stagebook.run.compare import Comparison, compare
from stagebook.run.references import run_side
from stagebook.track.champion import CHAMPION, version_called
from stagebook.track.models import FINGERPRINT, GATES, data_of, upstream
from stagebook.track.place import cause_of

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_REFERENCE = re.compile(r"(?:models:/)?(?P<name>[^/:@]+)(?:@(?P<alias>[^/:@]+)|/(?P<version>\d+))?")
_FACTS = "run.json"


class AwayError(StagebookError):
    """MLflow does not answer."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a model version came from.

    Attributes:
        model: the registered model's name.
        version: the version's number.
        aliases: it has now.
        tags: the version's.
        stage: the stage that made it.
        facts: `run.json` of the run that it was registered in; empty where that is not to be had.
        stages: of them those that led to it, in the order in which they can run.
        data: the files that these read, with digests.
        missing: what of it is not known, in words; nothing where the lineage is complete.
    """

    model: str
    version: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    stage: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[Mapping[str, Any], ...] = ()
    data: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def gates(self) -> Mapping[str, Mapping[str, Any]]:
        """What the gates said of it when it was last evaluated, by stage."""
        found: Mapping[str, Mapping[str, Any]] = json.loads(self.tags.get(GATES, "{}"))
        return found


def version_named(client: MlflowClient, reference: str, *, alias: str = CHAMPION) -> ModelVersion:
    """The version that `models:/NAME@ALIAS`, `models:/NAME/3`, `NAME@ALIAS`, `NAME/3` or `NAME` names.

    A name alone is the version with `alias`, or where there is none the newest.

    Raises:
        UsageError: there is no such version.
        AwayError: MLflow cannot be asked.
    """
    from mlflow.exceptions import MlflowException

    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise UsageError(f"`{reference}` names no model version. Write NAME, NAME@ALIAS, NAME/3 or models:/NAME@ALIAS.")
    name = match["name"]
    with _asked(name):
        _check_known(client, name)
    if match["version"]:
        try:
            return client.get_model_version(name, match["version"])
        except MlflowException as error:
            raise UsageError(f"Model `{name}` has no version {match['version']} ({cause_of(error)}).") from error
    found = version_called(client, name, match["alias"] or alias)
    if found is not None:
        return found
    versions = client.search_model_versions(f"name = '{name}'")
    if match["alias"] or not versions:
        known = sorted(client.get_registered_model(name).aliases)
        raise UsageError(f"No version of model `{name}` is called @{match['alias'] or alias}.{_shown(known)}")
    return max(versions, key=lambda version: int(version.version))


def lineage_of(client: MlflowClient, version: ModelVersion) -> Lineage:
    """Where a version comes from, with what is missing of it.

    Raises:
        AwayError: MLflow cannot be asked.
    """
    with _asked(version.name):
        version = client.get_model_version(version.name, version.version)  # as it is now, with its aliases
    tags = dict(version.tags)
    stage, missing = tags.get("stagebook.stage", ""), []
    facts: Mapping[str, Any] = {}
    try:
        facts = json.loads(_artifact(client, version, _FACTS))
    except StagebookError as error:
        missing.append(str(error))
    if not tags.get(FINGERPRINT):
        missing.append("no run of a stage registered it")
    stages = {one["stage"]: one for one in facts.get("stages", ())}
    chain = {stage, *upstream(facts, stage)} if stage in stages else set()
    if facts and stage not in stages:
        missing.append(f"its run has no stage `{stage}`")
    missing += [f"stage `{one}` has no fingerprint" for one in sorted(chain) if not stages[one]["fingerprint"]]
    if facts and not facts["provenance"]["notebook"]:
        missing.append("the notebook's digest is not known")
    return Lineage(
        version.name,
        str(version.version),
        tuple(sorted(version.aliases)),
        tags,
        stage,
        facts,
        tuple(one for name, one in stages.items() if name in chain),
        data_of(facts, stage) if chain else {},
        tuple(missing),
    )


def compared(client: MlflowClient, before: ModelVersion, now: ModelVersion) -> Comparison:
    """What differs between the runs that two versions were registered in.

    Raises:
        StagebookError: one of them is not to be had.
    """
    with TemporaryDirectory(prefix="stagebook-") as folder:
        sides = [
            run_side(_downloaded(client, version, Path(folder, str(version.version)))) for version in (before, now)
        ]
        return compare(*sides)


def _downloaded(client: MlflowClient, version: ModelVersion, folder: Path) -> Path:
    """Its run's `run.json`, with the output notebook beside it."""
    text = _artifact(client, version, _FACTS)
    folder.mkdir()
    path = folder / _FACTS
    path.write_text(text, encoding="utf-8")
    facts = json.loads(text)
    notebook = Path(facts["output"] or facts["notebook"]).name
    (folder / notebook).write_text(_artifact(client, version, notebook), encoding="utf-8")
    return path


def _artifact(client: MlflowClient, version: ModelVersion, name: str) -> str:
    """A text file of the run that a version was registered in."""
    if not version.run_id:
        raise StagebookError("its run is not known")
    try:
        run = client.get_run(version.run_id)
        parent = run.data.tags.get("mlflow.parentRunId", version.run_id)
        with TemporaryDirectory(prefix="stagebook-") as folder:
            return Path(client.download_artifacts(parent, name, folder)).read_text(encoding="utf-8")
    except Exception as error:  # MLflow raises what it likes
        raise StagebookError(f"{name} of its run is not to be had ({cause_of(error)})") from error


@contextmanager
def _asked(model: str) -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except (MlflowException, OSError) as error:
        told = f"MLflow cannot be asked about model `{model}` ({cause_of(error)})."
        raise AwayError(f"{told} See that it runs, and that MLFLOW_TRACKING_URI names it.") from error


def _check_known(client: MlflowClient, name: str) -> None:
    known = [model.name for model in client.search_registered_models(max_results=1000)]
    if name not in known:
        raise UsageError(f"There is no registered model `{name}`.{did_you_mean(name, known)}")


def _shown(aliases: list[str]) -> str:
    return f" There is: {', '.join(f'@{alias}' for alias in aliases)}." if aliases else ""
