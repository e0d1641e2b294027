"""Moving an alias to a model version, after its gates, and back; who did it, when and why stays with the version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from stagebook.errors import GateClosedError, UsageError
from stagebook.run.gating import Gate, judged_gate
from stagebook.run.provenance import user
from stagebook.track.champion import CHAMPION, metrics_of, version_called
from stagebook.track.lineage import Lineage, lineage_of
from stagebook.track.models import CHALLENGER

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

_HISTORY = "stagebook.history"
"""Tag of a registered model, followed by an alias: the versions that had it, as JSON, the last one now."""
_MOST = 100
PROMOTED = "stagebook.promoted"
"""Tag of a version, followed by an alias: who gave it that, when and why, as JSON."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """An alias that was moved: to which version, from which, and what the gates said."""

    model: str
    alias: str
    version: str
    before: str | None
    gates: Mapping[str, Gate]


def promote(client: MlflowClient, version: ModelVersion, *, alias: str = CHAMPION, why: str = "") -> Promotion:
    """Give a version an alias, if its gates hold and all is known of where it comes from.

    Gates are judged anew: the champion may be another by now.

    Raises:
        GateClosedError: a gate does not hold.
        UsageError: its lineage is incomplete.
    """
    lineage = lineage_of(client, version)
    called = f"Version {lineage.version} of model `{lineage.model}`"
    if lineage.missing:
        told = "; ".join(lineage.missing)
        remedy = "Register it by a run of its notebook."
        raise UsageError(f"{called} is not promoted: it cannot be told where it comes from ({told}). {remedy}")
    before = _number(client, lineage.model, alias)
    gates = _judged(client, version, lineage)
    if before == lineage.version:
        return Promotion(lineage.model, alias, lineage.version, before, gates)
    closed = {stage: gate for stage, gate in gates.items() if not gate.passed}
    if closed:
        told = "; ".join(f"`{stage}`: {gate.condition} ({gate.told})" for stage, gate in closed.items())
        kept = f"@{alias} stays with version {before}." if before else f"No version is called @{alias}."
        raise GateClosedError(f"{called} is not promoted, a gate is closed: {told}. {kept}")
    _note(client, lineage.model, lineage.version, alias, {"why": why, "before": before})
    history = _history(client, lineage.model, alias)
    if before is not None and history[-1:] != [before]:
        history.append(before)  # it was given the alias by somebody else's means
    _move(client, lineage.model, lineage.version, alias, [*history, lineage.version])
    if alias == CHAMPION and CHALLENGER in lineage.aliases:
        client.delete_registered_model_alias(lineage.model, CHALLENGER)
    return Promotion(lineage.model, alias, lineage.version, before, gates)


def roll_back(client: MlflowClient, model: str, *, alias: str = CHAMPION, why: str = "") -> Promotion:
    """Give the alias back to the version that had it before.

    Raises:
        UsageError: none had.
    """
    now, history = _number(client, model, alias), _history(client, model, alias)
    if history[-1:] == [now]:
        history.pop()
    if now is None or not history:
        which = f"version {now} is the first that has it" if now else "no version has it"
        raise UsageError(f"@{alias} of model `{model}` cannot be given back: {which}.")
    _note(client, model, now, f"rolled back.{alias}", {"why": why, "to": history[-1]})
    _move(client, model, history[-1], alias, history)
    return Promotion(model, alias, history[-1], now, {})


def _number(client: MlflowClient, model: str, alias: str) -> str | None:
    """The version that has an alias."""
    found = version_called(client, model, alias)
    return str(found.version) if found is not None else None


def _judged(client: MlflowClient, version: ModelVersion, lineage: Lineage) -> dict[str, Gate]:
    conditions = {stage: gate["condition"] for stage, gate in lineage.gates.items()}
    if not conditions:
        return {}
    champion = version_called(client, lineage.model, CHAMPION)
    of_champion = metrics_of(client, champion) if champion is not None else None
    metrics = metrics_of(client, version)
    return {stage: judged_gate(condition, metrics, of_champion) for stage, condition in conditions.items()}


def _note(client: MlflowClient, model: str, version: str, what: str, told: Mapping[str, Any]) -> None:
    note = {"by": user(), "at": datetime.now(timezone.utc).isoformat(timespec="seconds"), **told}
    client.set_model_version_tag(model, version, f"{PROMOTED}.{what}", json.dumps(note))


def _history(client: MlflowClient, model: str, alias: str) -> list[str]:
    tags = client.get_registered_model(model).tags
    return [str(version) for version in json.loads(tags.get(f"{_HISTORY}.{alias}", "[]"))]


def _move(client: MlflowClient, model: str, version: str, alias: str, history: list[str]) -> None:
    client.set_registered_model_tag(model, f"{_HISTORY}.{alias}", json.dumps(history[-_MOST:]))
    client.set_registered_model_alias(model, alias, version)
