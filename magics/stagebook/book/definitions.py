"""What is known of the functions, classes and modules that earlier code gave names to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from stagebook.book.objects import Class, Function, Module, Object, Value
from stagebook.model import Names, frozen_map


def _empty() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Definition:
    """What a global name stands for after a piece of code.

    Attributes:
        objects: the functions, classes and modules that it may stand for.
        certain: whether it is surely one of them.
    """

    objects: frozenset[Object]
    certain: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """What a call of a known function or class does, through all that it calls.

    Attributes:
        names: what it does to global names; `binds` are those under `global`.
        changes: the parameters that it changes in place.
        touches: the parameters that it may change in place.
        returns: the parameters and global names that its result may be, or be a part of, or hold.
    """

    names: Names
    changes: frozenset[str]
    touches: frozenset[str]
    returns: frozenset[str]


@dataclass(frozen=True, slots=True)
class Definitions(Mapping[str, Summary]):
    """Global names that stand for functions, classes and modules.

    As a mapping: the summaries of the functions and classes, by name.

    Attributes:
        definitions: what each name stands for.
        forgotten: names that earlier code may have known, and that stand for something else now.
        cells: what functions keep from where they were made (closures and defaults), as global names hold it.
        held: functions and classes inside other objects (a dict of functions), by the object's global name; and what
            classes keep as attributes, as global names hold it.
        annotations_wait: `from __future__ import annotations` is in force.
        keeping: those of `cells` in which there is something.
        with_classes: whether there may be classes among all these.
    """

    definitions: Mapping[str, Definition] = field(default_factory=frozen_map)
    forgotten: frozenset[str] = frozenset()
    cells: Mapping[tuple[Function, str], Value] = field(default_factory=_empty)
    held: Mapping[Object, frozenset[Object]] = field(default_factory=_empty)
    annotations_wait: bool = False
    keeping: frozenset[tuple[Function, str]] = frozenset()
    with_classes: bool = False

    def __getitem__(self, name: str) -> Summary:
        from stagebook.book.names import summary  # a summary is an analysis of a call, and that stands on this file

        definition = self.definitions.get(name)
        if definition is None or all(isinstance(thing, Module) for thing in definition.objects):
            raise KeyError(name)
        return summary(name, self)

    def __iter__(self) -> Iterator[str]:
        for name, definition in self.definitions.items():
            if any(isinstance(thing, (Function, Class)) for thing in definition.objects):
                yield name

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def classes(self) -> set[Class]:
        """Every class whose body is known."""
        if not self.with_classes:
            return set()
        found = {t for d in self.definitions.values() for t in d.objects if isinstance(t, Class)}
        found |= {t for held in self.held.values() for t in held if isinstance(t, Class)}
        waiting = list(found)
        while waiting:
            new = waiting.pop().bases - found
            found |= new
            waiting.extend(new)
        return found

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to know."""
        return not (self.definitions or self.cells or self.held or self.annotations_wait)

    def _knows_any(self, names: frozenset[str]) -> bool:
        return not (self.definitions.keys().isdisjoint(names) and self.held.keys().isdisjoint(names))

    def merged(self, later: Definitions) -> Definitions:
        """What is known after code that left `later` has run, too; there it is of no use what was `forgotten`."""
        if later.is_nothing and not self._knows_any(later.forgotten):
            return self
        definitions, held, cells = dict(self.definitions), dict(self.held), dict(self.cells)
        for name in later.forgotten:
            definitions.pop(name, None)
            held.pop(name, None)
        for thing, found in later.held.items():
            held[thing] = held.get(thing, frozenset()) | found
        definitions.update(later.definitions)
        cells.update(later.cells)
        return Definitions(
            MappingProxyType(definitions),
            frozenset(),
            MappingProxyType(cells),
            MappingProxyType(held),
            self.annotations_wait or later.annotations_wait,
            (self.keeping - later.cells.keys()) | {key for key, value in later.cells.items() if value.objects},
            self.with_classes or later.with_classes,
        )


NOTHING_KNOWN = Definitions()
