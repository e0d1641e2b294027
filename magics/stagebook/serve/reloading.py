"""Following an alias: what it means now is loaded beside what it meant before, and then takes its place."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stagebook.errors import StagebookError
from stagebook.serve.backends import Backend, loaded
from stagebook.serve.packages import Package, folder_of, forget_old, package_in, remember, remembered
from stagebook.serve.preparing import prepare, stop_preparing
from stagebook.serve.sealing import sealed_in
from stagebook.serve.versions import Reference, UnknownError, UnreachableError, find, is_asked_directly

_LONGEST = 60.0
"""Seconds between two looks while something is in the way that took a process that imports MLflow, at most."""


@dataclass(frozen=True, slots=True)
class Current:
    """What answers now.

    Attributes:
        key: the version's digest.
        package: the version.
        backend: it, loaded.
        stale: why it is not known to be the version meant; empty where it is.
    """

    key: str
    package: Package
    backend: Backend
    stale: str = ""


def meant(registry: str, reference: Reference, known: str = "") -> str:
    """The key of the version that is meant now, prepared if need be.

    Args:
        registry: the registry's address.
        reference: what is meant.
        known: the key of a version that is prepared.

    Raises:
        UsageError: there is none; the message says what there is.
        UnreachableError: the registry does not answer.
        StagebookError: it cannot be prepared.
    """
    if is_asked_directly(registry):
        try:
            key = find(registry, reference).key
            if key == known or package_in(folder_of(key)) is not None:
                return key
        except UnknownError:
            pass  # MLflow says what there is
    return prepare(registry, reference)


def first(registry: str, reference: Reference) -> Current:
    """What is meant now; where the registry does not answer, what was when it last did.

    Raises:
        UsageError: there is none.
        UnreachableError: the registry does not answer, and has not before.
        StagebookError: it cannot be loaded.
    """
    try:
        key = meant(registry, reference)
    except UnreachableError as error:
        package = remembered(registry, reference)
        if package is None:
            told = f"{error} {reference} was not served before on this machine, so there is nothing to fall back on."
            raise UnreachableError(told) from error
        return Current(package.folder.name, package, loaded(package), str(error))
    current = _loaded(key)
    remember(registry, reference, key)
    forget_old(current.package.model, key)
    return current


def sealed(folder: Path, digest: str) -> Current:
    """What is in a sealed folder, whatever a registry says.

    Raises:
        StagebookError: it is not what was sealed, or cannot be loaded.
    """
    package = sealed_in(folder, digest)
    return Current(digest, package, loaded(package))


def _loaded(key: str) -> Current:
    package = package_in(folder_of(key))
    if package is None:
        raise StagebookError(f"The prepared version in {folder_of(key)} has changed on disk. Start again.")
    return Current(key, package, loaded(package))


async def follow(
    registry: str,
    reference: Reference,
    *,
    every: float,
    current: Callable[[], Current],
    changed: Callable[[Current, str], Any],
) -> None:
    """Look every few seconds whether another version is meant, and say so; whatever is in the way is said, too.

    Args:
        registry: the registry's address.
        reference: with an alias.
        every: seconds between two looks.
        current: what answers now.
        changed: told what answers from now on, and `done`, `failed` or, where only `stale` has changed, nothing.
    """
    failures = 0
    try:
        while True:
            await asyncio.sleep(min(every * 2**failures, max(every, _LONGEST)))
            now = current()
            try:
                key = await asyncio.to_thread(meant, registry, reference, now.key)
                if key != now.key:
                    new = await asyncio.to_thread(_loaded, key)
                    await asyncio.to_thread(remember, registry, reference, key)
                    changed(new, "done")
                elif now.stale:
                    changed(replace(now, stale=""), "")
                failures = 0
            except StagebookError as error:
                unreachable = isinstance(error, UnreachableError)
                if not (unreachable and is_asked_directly(registry)):
                    failures = min(failures + 1, 16)
                outcome = "" if unreachable else "failed"
                if now.stale != str(error):
                    changed(replace(now, stale=str(error)), outcome)
    finally:
        stop_preparing()
