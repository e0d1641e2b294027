"""Finding plug-ins by name: ours are modules in their rooms, third parties' are entry points `stagebook.<kind>`."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING, Any, Literal

from stagebook.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

Kind = Literal["codec", "runner", "recorder", "state", "exporter", "target"]

_ROOMS: dict[str, tuple[str, ...]] = {
    "codec": ("stagebook.store.codecs",),
    "runner": ("stagebook.run.runners",),
    "recorder": ("stagebook.track.recorders",),
    "state": ("stagebook.run.states",),
    "exporter": ("stagebook.export.exporters", "stagebook.image.exporters"),
    "target": ("stagebook.verify.targets",),
}
"""Where ours are. Exporters that look at more than the pipeline stand in a room above."""


def plugin(kind: Kind, name: str) -> Any:
    """The plug-in `name` of this kind: the attribute called `kind` of its module, or what its entry point names.

    Raises:
        UsageError: there is none of that name.
    """
    builtin = _builtin(kind)
    if name in builtin:
        return getattr(importlib.import_module(f"{builtin[name]}.{name}"), kind)
    others = _others(kind)
    if name in others:
        return others[name].load()
    raise UsageError(f"There is no {kind} `{name}`.{did_you_mean(name, names(kind))}")


def names(kind: Kind) -> list[str]:
    """The plug-ins of this kind that there are: third parties' first, since they know more special things than ours."""
    builtin = _builtin(kind)
    return [*sorted(_others(kind).keys() - set(builtin)), *builtin]


def make_ready(kind: Kind) -> None:
    """Import our plug-ins of this kind and find third parties' names, so that it need not be done later."""
    for name in names(kind):
        if name in _builtin(kind):
            plugin(kind, name)


@functools.cache
def _builtin(kind: Kind) -> dict[str, str]:
    """Our plug-ins' names, sorted, with the room that each is in."""
    rooms = {room: importlib.import_module(room).__path__ for room in _ROOMS[kind]}
    found = {module.name: room for room, path in rooms.items() for module in pkgutil.iter_modules(path)}
    return dict(sorted(found.items()))


@functools.cache
def _others(kind: Kind) -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # it takes 20 ms to import

    return {point.name: point for point in entry_points(group=f"stagebook.{kind}")}
