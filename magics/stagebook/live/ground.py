"""What parameters and setup have left in the notebook's kernel, and whether a stage would find the same in a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stagebook.book.hidden import WATCHED, is_hidden
from stagebook.book.slices import preamble_statements
from stagebook.model import Pipeline
from stagebook.run.carried import Carried
from stagebook.run.job import CellRecord, JobCell
from stagebook.run.opened import content_digest
from stagebook.run.own_modules import OwnModules, module_name
from stagebook.store.values import value_digest

_RESTART = "restart the kernel and run the setup cells first"


@dataclass(frozen=True, slots=True)
class _Ran:
    order: int
    record: CellRecord


class Ground:
    """What stages stand on, in this kernel.

    Args:
        carried: the hidden state of the kernel.
        clean: whether nothing has run in the kernel yet that a run would not run.

    Attributes:
        records: of the cells of parameters and setup, in order, once all have run.
    """

    def __init__(self, carried: Carried, *, clean: bool) -> None:
        self.records: tuple[CellRecord, ...] = ()
        self._carried = carried
        self._clean = clean
        self._order = 0
        self._ran: dict[str, _Ran] = {}
        self._names: dict[str, Any] = {}
        self._states: dict[str, Any] | None = None
        self._known: set[str] = set()
        self._modules: dict[str, tuple[str | None, Any]] = {}
        self._looked = OwnModules(_digest)
        self._versions: dict[str, str] = {}

    def note_other(self) -> None:
        """A cell was run that is none of parameters and setup: all that comes before them has to be theirs."""
        if self._states is None:
            self._clean = False

    def note(self, cell: JobCell, record: CellRecord, pipeline: Pipeline, codes: Sequence[str], names: Any) -> None:
        """A cell of parameters or setup was run.

        Args:
            cell: the cell.
            record: what came of it.
            pipeline: the notebook's.
            codes: of all cells of parameters and setup, in order.
            names: the kernel's namespace.
        """
        self._order += 1
        self._ran[cell.code] = _Ran(self._order, record)
        if not self._lacking(codes):
            self.records = tuple(self._ran[code].record for code in codes)
            self._names = {name: _mark(names[name], names) for name in _bound(pipeline) if name in names}
            if self._states is None:
                self._states = self._carried.values()

    def look(self, folder: Path) -> None:
        """After a cell: look at states and own modules that it has loaded, as they are then.

        Args:
            folder: the notebook's; modules below it are the user's own.
        """
        if self._states is not None:
            self._states = {**self._carried.seen(), **self._states}
        new = sys.modules.keys() - self._known
        self._known |= new
        for name in new - {"__main__"}:
            module = sys.modules[name]
            file = str(getattr(module, "__file__", None) or "")
            if file.startswith(f"{folder}{os.sep}") and "site-packages" not in file:
                self._modules[name] = (content_digest(Path(file)), self._looked.state(module))

    @property
    def names(self) -> Set[str]:
        """The names that parameters and setup have bound."""
        return self._names.keys()

    def lacks(self, codes: Sequence[str], names: Mapping[str, Any]) -> str:
        """Why a stage would find something else in a run; nothing where it would not."""
        lacking = self._lacking(codes)
        if lacking:
            return lacking
        if not self._clean:
            return f"cells ran before the setup cells: {_RESTART}"
        for name, mark in self._names.items():
            if name not in names or not _same(mark, _mark(names[name], names)):
                return f"`{name}` is not as setup made it"
        return ""

    def changed_states(self, expected: Mapping[str, Any]) -> list[str]:
        """The hidden state that is not as a stage would find it in a run.

        Args:
            expected: what stages before it have left.
        """
        known = {**(self._states or {}), **expected}
        now = self._carried.values()
        found = (name for name in now if name in known and not self._carried.is_same(now[name], known[name]))
        return sorted(name for name in found if name not in WATCHED)

    def changed_module(self, paths: Iterable[str]) -> str:
        """The first of the user's own modules that is not as it was imported; nothing where all are."""
        for path in paths:
            name = module_name(path)
            module, seen = sys.modules.get(name), self._modules.get(name)
            if module is None or seen is None:
                continue
            now = content_digest(Path(str(module.__file__)))
            if (now, self._looked.state(module)) != seen:
                return name
        return ""

    def changed_package(self, versions: Mapping[str, str]) -> str:
        """The first package that was installed anew since it was first used here; nothing where none was."""
        for name, version in versions.items():
            loaded = getattr(sys.modules.get(name), "__version__", version)
            differs = isinstance(loaded, str) and loaded.partition("+")[0] != version.partition("+")[0]
            if differs or self._versions.setdefault(name, version) != version:
                return name
        return ""

    def _lacking(self, codes: Sequence[str]) -> str:
        """Why setup does not stand; nothing where it does."""
        orders = [self._ran[code].order for code in codes if code in self._ran]
        if len(orders) < len(codes):
            return "the cells of parameters and setup have not all run as they are now, since the cache is on"
        return (
            ""
            if orders == sorted(orders)
            else "parameters and setup have not run in their order: run them again, from the first"
        )


def _bound(pipeline: Pipeline) -> list[str]:
    """The names that parameters and setup bind."""
    found = {name for statement in preamble_statements(pipeline) for name in statement.names.binds}
    return sorted(name for name in found if not is_hidden(name))


def _mark(value: Any, names: Any) -> Any:
    """What tells a value from another: its content, or the object where that cannot be told."""
    digest = None if isinstance(value, type(sys)) else value_digest(value, namespace=names, setup={})
    return value if digest is None else digest


def _same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, str) and isinstance(other, str) and one == other)


def _digest(value: Any) -> str | None:
    return value_digest(value, namespace={}, setup={})
