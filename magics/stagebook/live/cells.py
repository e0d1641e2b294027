"""What is said of a stage cell: what is wrong with its options before it runs, and one quiet line afterwards."""

from __future__ import annotations

import time
import types
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from stagebook.errors import StagebookError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult, InteractiveShell

    from stagebook.live.session import Session
    from stagebook.model import Finding, Names

_CELLS = "_stagebook_cells"
"""Attribute of the shell that holds its listener."""
_MOST = 6
"""Names that are told of what a cell reads, and of what it makes."""


class Cells:
    """Listens to the cells that a shell runs.

    Args:
        shell: the running IPython.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._started = 0.0
        self._session: Session | None = None
        setattr(shell, _CELLS, self)

    def keep(self, notebook: Path | None) -> None:
        """From the next cell on, keep results of this notebook's stages, and take what there is; None: no longer.

        Raises:
            UsageError: this is no notebook's kernel, so that nobody can tell what cells put out.
        """
        if notebook is not None and not hasattr(self._shell, "kernel"):
            raise UsageError("The cache is for notebooks: a terminal does not tell what cells put out.")
        if self._session is not None and notebook is not None and self._session.notebook == notebook.resolve():
            return  # what it knows of the cells that have run is not to be lost
        if self._session is not None:
            self._session.close()
            self._session = None
        if notebook is not None:
            from stagebook.live.session import Session

            self._session = Session(self._shell, notebook)

    def before(self, info: ExecutionInfo) -> None:
        """Note the time, and tell of options that a run would refuse."""
        self._started = time.perf_counter()
        name, options, findings = magic_line(str(info.raw_cell))
        if name is not None:
            from stagebook.book.options import checked_options
            from stagebook.model import Place

            _, more = checked_options(options, Place(0, 1), stage=name)
            for found in (*findings, *more):
                print(f"%%stage: {found.message} {found.remedy}".rstrip())
        if self._session is not None:
            self._session.before(info)

    def after(self, result: ExecutionResult) -> None:
        """One quiet line: what the cell read and made, how long it took."""
        took = time.perf_counter() - self._started
        source = str(result.info.raw_cell) if result.info is not None else ""
        state = self._session.after(result) if self._session is not None else ""
        name, options, _ = magic_line(source)
        if name is not None and result.success and "drift" in options:
            self._compare(options)
        if name is not None and result.success:
            print(quiet_line(name, source, self._shell.user_ns, seconds=took, state=state))
        elif state:
            print(f"[{state}]")

    def _compare(self, options: Mapping[str, Any]) -> None:
        """What `drift=` asks for; what keeps it from being done is said in a line."""
        from stagebook.book.options import checked_options
        from stagebook.drift.watching import show
        from stagebook.model import Place

        good, _ = checked_options({"drift": options["drift"]}, Place(0, 1), stage=None)
        if "drift" in good:
            try:
                show(good["drift"], self._shell.user_ns)
            except StagebookError as error:
                print(f"drift: {error}")


def cells_of(shell: Any) -> Cells:
    """The listener of a shell in which the magics are registered."""
    found: Cells = getattr(shell, _CELLS)
    return found


def quiet_line(stage: str, source: str, namespace: Mapping[str, Any], *, seconds: float, state: str = "") -> str:
    """What is said of a cell that has run: `[stage clean] reads raw · makes tidy, n · 0.4 s`.

    Args:
        stage: the stage's name.
        source: the cell's text.
        namespace: the shell's, after the cell has run: modules, functions and classes that were read are not named.
        seconds: that it took.
        state: what has become of its result, where that is known.
    """
    names = _names(source)
    reads = [name for name in names.reads if name in namespace and not _is_definition(namespace[name])] if names else []
    changes = {*names.changes} if names else set()
    binds = [name for name in names.binds if name in namespace and not name.startswith("_")] if names else []
    parts = [
        *_told("reads", (name for name in reads if name not in changes)),
        *_told("changes", (name for name in changes if name in namespace and name not in binds)),
        *_told("makes", (name for name in binds if not isinstance(namespace[name], types.ModuleType))),
        f"{seconds:.1f} s",
        *([state] if state else []),
    ]
    return f"[stage {stage}] {' · '.join(parts)}"


def magic_line(source: str) -> tuple[str | None, dict[str, Any], list[Finding]]:
    """Stage name, options and findings of a cell's `%%stage` line; no name for a cell without one."""
    from stagebook.book.cells import MAGIC
    from stagebook.book.options import magic_options
    from stagebook.model import Place

    match = MAGIC.match(source)
    return magic_options(match["line"], Place(0, 1)) if match else (None, {}, [])


def _names(source: str) -> Names | None:
    from stagebook.book.cells import without_magic
    from stagebook.book.names import analyse
    from stagebook.book.syntax import CellSyntaxError, parse

    try:
        return analyse([(1, parse(without_magic(source)))]).names
    except CellSyntaxError:  # a cell magic of another language, say
        return None


def _is_definition(value: Any) -> bool:
    return isinstance(value, (types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type))


def _told(verb: str, names: Iterable[str]) -> Iterable[str]:
    from stagebook.book.hidden import is_hidden

    found = sorted(name for name in names if not is_hidden(name))
    more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
    if found:
        yield f"{verb} {', '.join([*found[:_MOST], *more])}"
