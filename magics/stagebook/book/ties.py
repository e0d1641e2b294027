"""Names that share an object: an in-place change of one is a change of all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field


@dataclass(slots=True)
class Ties:
    """Which names share an object at one point of the notebook, and whose result holds these names together.

    `same = numbers` ties two names that come from different stages. As long as nobody changes the object, each may be
    taken from its own stage; who changes it, or looks at both, takes them together.
    """

    _tied: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)

    def tie(self, stage: str, names: Iterable[str]) -> None:
        """The result of `stage` holds these names with the objects that they share."""
        group = frozenset(names)
        self.untie(group)
        if len(group) > 1:
            self._tied.update(dict.fromkeys(group, (stage, group)))

    def untie(self, names: Iterable[str]) -> None:
        """These names stand for other objects now, or for none."""
        for name in names:
            stage, group = self._tied.pop(name, ("", frozenset()))
            left = group - {name}
            for other in left:
                if len(left) > 1:
                    self._tied[other] = (stage, left)
                else:
                    self._tied.pop(other, None)

    def held_together(self, changed: Iterable[str], wanted: Set[str], provided: Mapping[str, str]) -> dict[str, str]:
        """What a stage must take together, and from where: around what it changes, and where it looks at several.

        Several that one stage provides, as `provided` has it, share in its result what they share.
        """
        found: dict[str, str] = {}
        changed = set(changed)
        for stage, group in {self._tied[name] for name in changed | wanted if name in self._tied}:
            if group & changed:
                found |= dict.fromkeys(group, stage)
            elif len({provided.get(name) for name in group & wanted}) > 1:
                found |= dict.fromkeys(group & wanted, stage)
        return found

    def around(self, changed: Iterable[str]) -> frozenset[str]:
        """The names whose object changes where those of `changed` do."""
        return frozenset().union(*(self._tied[name][1] for name in changed if name in self._tied))
