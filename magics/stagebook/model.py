"""The frozen values that travel through Stagebook's rooms. Standard library only, no behaviour beyond derived properties.

Cells are numbered as a reader of the notebook sees them: `number` counts code cells from 1, which is what Jupyter shows in
`[ ]` after Restart & Run All; `index` is the position among all cells, from 0. Lines count from 1 within their cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

Role = Literal["parameters", "setup", "stage", "test", "exploration"]


def frozen_map(items: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """A read-only copy of `items`."""
    return MappingProxyType(dict(items or {}))


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands in a notebook: code cell `cell` (from 1), `line` of that cell (from 1)."""

    cell: int
    line: int

    def __str__(self) -> str:
        return f"cell {self.cell}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Names:
    """What a piece of code does with the notebook's global names.

    Attributes:
        reads: names whose value from before the code may be used by it, each with the first place. Builtins are
            included: whether `max` means the builtin is for the linker to say.
        binds: names the code binds, or may bind (assignment, import, def, class, for, with, except, walrus, match, global).
        maybe_binds: the part of `binds` that some way through the code leaves as it was (bound under an `if`, say).
        changes: names whose object, bound before the code, the code is sure to change in place if it runs through
            (`df["x"] = 1`, `items.append(1)`, `total += 1`, directly or through an alias).
        touches: names whose object the code may change in place, as far as one can see without running it (passed to
            an unknown function, an unknown method called). Disjoint from `changes`.
        deletes: names that are gone when the code has run (`del x`), each with the place.
        imports: modules imported, as dotted names (`sklearn.ensemble`).
    """

    reads: Mapping[str, Place] = field(default_factory=frozen_map)
    binds: Mapping[str, Place] = field(default_factory=frozen_map)
    maybe_binds: frozenset[str] = frozenset()
    changes: Mapping[str, Place] = field(default_factory=frozen_map)
    touches: Mapping[str, Place] = field(default_factory=frozen_map)
    deletes: Mapping[str, Place] = field(default_factory=frozen_map)
    imports: frozenset[str] = frozenset()
