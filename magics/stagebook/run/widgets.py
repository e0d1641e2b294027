"""What the widgets in cells' outputs looked like, for whoever opens the notebook without their kernel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"

_MODEL = re.compile(r'IPY_MODEL_([\w-]+)|"model_id": "([^"]+)"')
"""How a widget's state names the models it is made of, and how an output, also one in an Output widget, names its."""


def shown(models: Mapping[str, Any], outputs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Those of the models that the outputs show, and what they are made of.

    Args:
        models: states by model id, as a notebook's metadata have them.
        outputs: nbformat outputs.
    """
    found: dict[str, Any] = {}
    views = [output["data"][VIEW] for output in outputs if VIEW in output.get("data", {})]
    wanted = _named(views)
    while wanted:
        name = wanted.pop()
        if name in models and name not in found:
            found[name] = models[name]
            wanted |= _named(models[name])
    return {name: found[name] for name in models if name in found}


def as_metadata(models: Mapping[str, Any]) -> dict[str, Any]:
    """The models as a notebook's metadata have them, under `widgets`."""
    return {STATE: {"state": dict(models), "version_major": 2, "version_minor": 0}}


def _named(state: Any) -> set[str]:
    return {one or other for one, other in _MODEL.findall(json.dumps(state))}
