"""References to stored values: what deciding and running need to know of them, without what writes and loads them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ValueRef:
    """A stored value: the bundle it is in, and what to tell a person of it.

    Attributes:
        bundle: digest of the bundle's pickle.
        name: the value's name in the bundle.
        members: all names in the bundle.
        type: the value's type, as it is called in Python.
        modules: top-level modules in which what the bundle is made of is found again: classes, functions.
    """

    bundle: str
    name: str
    members: tuple[str, ...]
    type: str
    modules: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """For a record."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> ValueRef:
        """From a record."""
        return cls(record["bundle"], record["name"], tuple(record["members"]), record["type"], tuple(record["modules"]))

    @property
    def content(self) -> str:
        """What identifies the value: equal for equal content."""
        return f"{self.bundle}#{self.name}"


def entangled(shared: Mapping[str, Iterable[Hashable]]) -> list[list[str]]:
    """The names in groups that have something in common (objects, by their ids), directly or through a third."""
    groups: list[tuple[list[str], set[Hashable]]] = []
    for name, objects in shared.items():
        members, ids = [name], set(objects)
        apart = []
        for others, other_ids in groups:
            if ids & other_ids:
                members, ids = others + members, other_ids | ids
            else:
                apart.append((others, other_ids))
        groups = [*apart, (members, ids)]
    return [sorted(members) for members, _ in groups]
