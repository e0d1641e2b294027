"""What a run of Stagebook's has left in its store, told as the plain run is: in one plain kernel, for all such runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stagebook.book.hidden import is_hidden
from stagebook.errors import StagebookError
from stagebook.run.kept import result_in
from stagebook.store.blobs import Store
from stagebook.verify.results import StageTold, State, Told, ValueTold, value_from_json
from stagebook.verify.work import TargetError

_STATES: Mapping[str, State] = {"done": "done", "reused": "done", "skipped": "skipped", "failed": "failed"}
Item = dict[str, Any]


def run_in(store: Path) -> Mapping[str, Any]:
    """What `run.json` says of the one run in a store.

    Raises:
        TargetError: there is none.
    """
    found = sorted(store.glob("runs/*/run.json"))
    if not found:
        raise TargetError("It has left no run.")
    facts: Mapping[str, Any] = json.loads(found[-1].read_text(encoding="utf-8"))
    return facts


def stages_told(facts: Mapping[str, Any]) -> dict[str, StageTold]:
    """The stages of a run, without their values."""
    return {one["stage"]: StageTold(_state(one), _error(one), {}, dict(one["metrics"])) for one in facts["stages"]}


def items_of(target: str, store: Path, facts: Mapping[str, Any]) -> list[Item]:
    """The stored values of a run, as a kernel is asked to load them.

    Raises:
        TargetError: the store has lost a result.
    """
    items: list[Item] = []
    for one in facts["stages"]:
        if _state(one) != "done" or not one["fingerprint"]:
            continue
        try:
            result = result_in(Store.at(store), facts, one["stage"]) if one["outputs"] else None
        except StagebookError as error:
            raise TargetError(str(error)) from error
        for name, ref in result.outputs.items() if result is not None else ():
            if not is_hidden(name):
                items.append(
                    {"target": target, "stage": one["stage"], "name": name, "store": str(store), "ref": ref.to_json()}
                )
    return items


def unkept(facts: Mapping[str, Any]) -> Iterable[tuple[str, str, ValueTold]]:
    """Values that could not be stored: stage, name, and what is told of them."""
    for one in facts["stages"]:
        for name, why in one["unstorable"].items():
            if _state(one) == "done" and not is_hidden(name):
                yield one["stage"], name, ValueTold("", why=why)


def with_values(told: Mapping[str, StageTold], found: Iterable[tuple[str, str, ValueTold]]) -> Told:
    """The stages with their values: stage, name, and what is told of it."""
    values: dict[str, dict[str, ValueTold]] = {name: dict(one.values) for name, one in told.items()}
    for stage, name, value in found:
        values[stage][name] = value
    return {name: StageTold(one.state, one.error, values[name], one.metrics) for name, one in told.items()}


def loaded(lines: Iterable[str], target: str) -> Iterable[tuple[str, str, ValueTold]]:
    """Of what the kernel has answered, the values of one target."""
    for line in lines:
        for one in json.loads(line):
            if one["target"] == target:
                yield one["stage"], one["name"], value_from_json(one["told"])


def _state(stage: Mapping[str, Any]) -> State:
    closed = bool(stage["gate"]) and not stage["gate"]["passed"]
    return "done" if closed else _STATES.get(stage["state"], "not run")


def _error(stage: Mapping[str, Any]) -> str:
    return str(stage["reason"]) if _state(stage) == "failed" else ""
