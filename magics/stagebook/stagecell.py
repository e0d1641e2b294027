"""A stage cell with `when=` or `foreach=`, run in the notebook as a run would have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stagebook.model import Foreach, StageOptions


class CellStoppedError(Exception):
    """An element's code failed, which has been shown already."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def run_controlled(source: str, options: StageOptions, shell: Any) -> None:
    """Run the cell if its condition is true, and once for each element of its list.

    What the cell binds is gathered in lists, in the order of the elements.

    Args:
        source: the cell without its magic.
        options: the stage's.
        shell: the IPython to run it in.
    """
    names = shell.user_ns
    if options.when is not None and not eval(options.when, names):
        print(f"skipped: `{options.when}` is false")
    elif options.foreach is None:
        _run(source, shell, "The cell failed.")
    else:
        _map(source, options.foreach, names, lambda told: _run(source, shell, told))


def _map(source: str, mapping: Foreach, names: dict[str, Any], run: Callable[[str], None]) -> None:
    bound = _bound(source) - ({mapping.item} if mapping.item != mapping.source else set())
    elements = list(names[mapping.source])
    gathered: dict[str, list[Any]] = {name: [] for name in bound}
    before = names.get(mapping.item)
    had = mapping.item in names
    try:
        for position, element in enumerate(elements):
            names[mapping.item] = element
            run(f"Element {position} of `{mapping.source}` failed.")
            for name in bound & names.keys():
                gathered[name].append(names[name])
    finally:
        if had:
            names[mapping.item] = before
        else:
            names.pop(mapping.item, None)
    names.update({name: values for name, values in gathered.items() if len(values) == len(elements)})


def _run(source: str, shell: Any, told: str) -> None:
    result = shell.run_cell(source, store_history=False)
    if not result.success:
        raise CellStoppedError(told)


def _bound(source: str) -> set[str]:
    """The names that the cell binds."""
    from stagebook.book.hidden import is_hidden
    from stagebook.book.names import analyse
    from stagebook.book.syntax import CellSyntaxError, parse

    try:
        names = analyse([(1, parse(source))]).names
    except CellSyntaxError:  # running it will say so
        return set()
    return {name for name in names.binds if not is_hidden(name)}
