"""Where stages run: `--on` names a runner, and where that one finds its machines."""

from __future__ import annotations

from typing import Any

from stagebook.errors import UsageError
from stagebook.registry import names, plugin

HERE = "local"
_OF_ADDRESSES = ("tcp", "tls")


def check_place(on: str | None) -> None:
    """See that `--on` names a runner, also where nothing will run.

    Raises:
        UsageError: there is no such runner.
    """
    name = (on or HERE).partition("://")[0]
    if name == HERE or name in names("runner"):
        return
    if ":" in name or name in _OF_ADDRESSES:
        raise UsageError(f"`--on {on}` names no runner. Write RUNNER://HOST:PORT, as in dask://10.0.0.5:8786.")
    plugin("runner", name)  # says which there are


def runner_on(on: str | None, jobs: int | None) -> Any:
    """A runner.

    Args:
        on: `NAME` or `NAME://PLACE`, as `dask://HOST:PORT`; None for this machine.
        jobs: stages at work at once at the most; None for as many as there is room for.

    Raises:
        UsageError: there is no such runner, it takes no place, or it cannot be had.
    """
    name, _, place = (on or HERE).partition("://")
    make = plugin("runner", name)
    if name == HERE and place:
        raise UsageError(f"`--on {on}`: this machine has no other place. Leave out `://{place}`.")
    return make(jobs, place) if place else make(jobs)
