"""In a stage's kernel, when its cells are done: the comparison that its option `drift` asks for."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Any

from stagebook.book.drifting import option_from
from stagebook.drift.result import Drift
from stagebook.model import DriftOption


def watch(order: str) -> None:
    """Compare two tables, bind the result to its name, and show it.

    Args:
        order: the option, as `book.drifting.drift_code` writes it.

    Raises:
        StagebookError: one of them is no table, or there is no such column.
    """
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    show(option_from(order), shell.user_ns)


def show(option: DriftOption, namespace: MutableMapping[str, Any]) -> Drift:
    """The same, of an option and a namespace."""
    from IPython.display import display

    found = drift_of(option, namespace)
    namespace[option.name] = found
    display(found)  # type: ignore[no-untyped-call] # IPython's
    return found


def drift_of(option: DriftOption, values: Mapping[str, Any]) -> Drift:
    """What the option's comparison comes to.

    Args:
        option: the option.
        values: what names stand for.
    """
    from stagebook.drift.api import HOME, drift
    from stagebook.drift.sources import source_named

    also = [name for name in (option.target, option.prediction) if name]
    sides = [source_named(side, home=Path(HOME), also=also, values=values) for side in option.sides]
    return drift(
        *sides,
        columns=option.columns,
        target=option.target,
        prediction=option.prediction,
        threshold=option.threshold,
        limit=option.share,
    )
