"""What of a store can go: a pure function from what is there, and from what is to be kept, to what is removed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stagebook.store.folders import StoredFile


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run that is over: its notebook, and what its `run.json` names.

    Attributes:
        id: sorts by time.
        notebook: the notebook's name.
        keys: fingerprints of its stages.
        bundles: the bundles that its outputs are in.
        size: bytes of its folder.
    """

    id: str
    notebook: str
    keys: frozenset[str] = frozenset()
    bundles: frozenset[str] = frozenset()
    size: int = 0


@dataclass(frozen=True, slots=True)
class StoredResult:
    """A stage's stored result: its record, its fingerprint, and the blobs it names."""

    file: StoredFile
    key: str
    blobs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a store.

    Attributes:
        runs: those that are over.
        results: all results.
        needs: per bundle, the blobs and bundles that its manifest names.
        manifests: per bundle, its manifest's file.
        blobs: by digest.
        unfinished: files that nobody has finished writing.
    """

    runs: tuple[PastRun, ...] = ()
    results: tuple[StoredResult, ...] = ()
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    manifests: Mapping[str, StoredFile] = field(default_factory=dict)
    blobs: Mapping[str, StoredFile] = field(default_factory=dict)
    unfinished: tuple[StoredFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be kept.

    Attributes:
        last: keep this many runs of each notebook, the newest; None for all, or for as many as `size` has room for.
        size: bytes that the store may take; runs beyond `last` go, the oldest first, until it does.
        notebook: drop runs of this notebook only.
        runs: runs that are kept in any case: a registered model comes from them.
        keys: fingerprints of results that are kept in any case.
        bundles: bundles that are kept in any case.
        since: what was written after this moment (POSIX seconds) stays: a run that goes on may need it.
    """

    last: int | None = None
    size: int | None = None
    notebook: str | None = None
    runs: frozenset[str] = frozenset()
    keys: frozenset[str] = frozenset()
    bundles: frozenset[str] = frozenset()
    since: float = float("inf")


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes, in the order in which it must, and how many bytes stay.

    A crash in between leaves blobs that nothing names, never a name without its blob.
    """

    runs: tuple[PastRun, ...]
    results: tuple[StoredFile, ...]
    manifests: tuple[StoredFile, ...]
    blobs: tuple[StoredFile, ...]
    unfinished: tuple[StoredFile, ...]
    kept: int


def plan_removal(contents: Contents, wanted: Wanted) -> Removal:
    """What can go."""
    candidates = _droppable(contents.runs, wanted)
    if wanted.size is None:
        return _without(contents, wanted, candidates if wanted.last is not None else [])
    least, most = 0, len(candidates)
    while least < most:  # how many of the oldest must go; what stays shrinks with their number
        middle = (least + most) // 2
        if _without(contents, wanted, candidates[:middle]).kept <= wanted.size:
            most = middle
        else:
            least = middle + 1
    return _without(contents, wanted, candidates[:least])


def _droppable(runs: Iterable[PastRun], wanted: Wanted) -> list[PastRun]:
    """The runs that may be dropped, the oldest first."""
    newer: dict[str, int] = {}
    found = []
    floor = 1 if wanted.last is None else wanted.last
    for run in sorted(runs, key=lambda one: one.id, reverse=True):
        newer[run.notebook] = newer.get(run.notebook, 0) + 1
        other = wanted.notebook is not None and run.notebook != wanted.notebook
        nameless = not run.notebook  # it was killed before it could say whose it is
        if (newer[run.notebook] > floor or nameless) and run.id not in wanted.runs and not other:
            found.append(run)
    return found[::-1]


def _without(contents: Contents, wanted: Wanted, dropped: Iterable[PastRun]) -> Removal:
    """What goes if these runs do."""
    gone = {run.id for run in dropped}
    kept = [run for run in contents.runs if run.id not in gone]
    keys = wanted.keys.union(*(run.keys for run in kept))
    results = {one.file.name for one in contents.results if one.key in keys or one.file.modified >= wanted.since}
    named = wanted.bundles.union(*(run.bundles for run in kept))
    named = named.union(*(one.blobs for one in contents.results if one.file.name in results))
    needed = _closure(named, contents.needs)

    def old(files: Iterable[StoredFile]) -> tuple[StoredFile, ...]:
        return tuple(file for file in files if file.modified < wanted.since)

    blobs = old(file for digest, file in contents.blobs.items() if digest not in needed)
    total = sum(file.size for file in contents.blobs.values()) + sum(run.size for run in kept)
    return Removal(
        runs=tuple(run for run in contents.runs if run.id in gone),
        results=tuple(one.file for one in contents.results if one.file.name not in results),
        manifests=old(file for bundle, file in contents.manifests.items() if bundle not in needed),
        blobs=blobs,
        unfinished=old(contents.unfinished),
        kept=total - sum(file.size for file in blobs),
    )


def _closure(named: Iterable[str], needs: Mapping[str, frozenset[str]]) -> set[str]:
    """The blobs and all that they need, directly or through others."""
    found: set[str] = set()
    waiting = list(named)
    while waiting:
        digest = waiting.pop()
        if digest not in found:
            found.add(digest)
            waiting.extend(needs.get(digest, ()))
    return found
