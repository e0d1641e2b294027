"""The side of verification that is in the process that has the values: a kernel, or one that runs exported code.

In a kernel, cells call `answer`: nothing of that is bound to a name there.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stagebook.book.hidden import is_hidden
from stagebook.run.metrics import numbers_of
from stagebook.verify.results import StageTold, ValueTold, stage_to_json
from stagebook.verify.telling import value_told


class _Mapped:
    """A mapped stage under way: what was bound before, copies for each element, what came of them."""

    def __init__(self, before: dict[str, Any], elements: list[tuple[Any, dict[str, Any]]]) -> None:
        self.before = before
        self.elements = elements
        self.made: dict[str, list[Any]] = {}


_mapped: list[_Mapped] = []


def answer(question: str) -> None:
    """Do what is asked, and write what there is to say into the file that it names."""
    asked = json.loads(question)
    found = _ANSWERS[asked["do"]](asked, vars(sys.modules["__main__"]))
    if asked.get("out"):
        with Path(asked["out"]).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(found) + "\n")


def told_of(
    values: Mapping[str, Any],
    names: Iterable[str],
    metrics: Iterable[str],
    own: Iterable[str] = ("__main__",),
    *,
    mapped: Iterable[str] = (),
) -> StageTold:
    """What is told of a stage that is done.

    Args:
        values: by name.
        names: the values to tell of, as far as they are bound.
        metrics: those that are metrics, as far as they are bound.
        own: the modules that the notebook's code is in.
        mapped: the metrics that are lists, with one for each element of a mapped stage.
    """
    told = {name: value_told(values[name], own) for name in names if name in values and not is_hidden(name)}
    lists = {name: values[name] for name in mapped if isinstance(values.get(name), list)}
    numbers, _ = numbers_of({name: values[name] for name in metrics if name in values and name not in lists})
    for name, elements in lists.items():
        for position, element in enumerate(elements):
            found, _ = numbers_of({name: element})
            numbers |= {f"{one}.{position}": number for one, number in found.items()}
    return StageTold("done", values=told, metrics=numbers)


def _tell(asked: Mapping[str, Any], namespace: dict[str, Any]) -> dict[str, Any]:
    told = told_of(namespace, asked["names"], asked["metrics"], mapped=asked["mapped"])
    return {"stage": asked["stage"], **stage_to_json(told)}


def _decide(asked: Mapping[str, Any], namespace: dict[str, Any]) -> bool:
    return bool(eval(asked["when"], namespace))


def _take_apart(asked: Mapping[str, Any], namespace: dict[str, Any]) -> int:
    """Make ready for the elements of a list: each has copies of its own of what the stage takes."""
    names = [name for name in asked["takes"] if name in namespace]
    elements = []
    for element in list(namespace[asked["source"]]):
        taken = (element, {name: namespace[name] for name in names})
        elements.append(_copied(taken))
    touched = {*names, *asked["makes"], asked["item"]}
    _mapped.append(_Mapped({name: namespace[name] for name in touched if name in namespace}, elements))
    return len(elements)


def _copied(taken: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    try:
        return copy.deepcopy(taken)
    except Exception:  # of what cannot be copied, there is one
        return taken


def _begin_element(asked: Mapping[str, Any], namespace: dict[str, Any]) -> None:
    element, taken = _mapped[-1].elements[asked["position"]]
    for name in asked["makes"]:
        namespace.pop(name, None)
    namespace.update(taken)
    namespace[asked["item"]] = element


def _end_element(asked: Mapping[str, Any], namespace: dict[str, Any]) -> None:
    for name in asked["makes"]:
        if name in namespace:
            _mapped[-1].made.setdefault(name, []).append(namespace[name])


def _gather(asked: Mapping[str, Any], namespace: dict[str, Any]) -> None:
    done = _mapped.pop()
    for name in {*asked["makes"], asked["item"]}:
        namespace.pop(name, None)
    namespace.update(done.before)
    namespace.update({name: done.made.get(name, []) for name in asked["makes"]})


def _load(asked: Mapping[str, Any], namespace: dict[str, Any]) -> list[dict[str, Any]]:
    """What is told of stored values; what several stores hold of one content is loaded once."""
    from dataclasses import asdict

    from stagebook.store.blobs import Store
    from stagebook.store.references import ValueRef
    from stagebook.store.values import load

    known: dict[tuple[str, str], ValueTold] = {}
    found = []
    for item in asked["items"]:
        ref = ValueRef.from_json(item["ref"])
        key = (ref.bundle, ref.name)
        if key not in known:
            try:
                value = load([ref], Store.at(item["store"]), namespace=namespace)[ref.name]
                known[key] = value_told(value)
            except Exception as error:  # loading runs code of the values' classes
                known[key] = ValueTold("", why=f"it cannot be loaded ({type(error).__name__}: {error})")
        found.append({**{name: item[name] for name in ("target", "stage", "name")}, "told": asdict(known[key])})
    return found


_ANSWERS: Mapping[str, Any] = {
    "tell": _tell,
    "decide": _decide,
    "take apart": _take_apart,
    "begin element": _begin_element,
    "end element": _end_element,
    "gather": _gather,
    "load": _load,
}
