"""Versions of installed packages, remembered as long as what is installed stays the same."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from stagebook.signing import is_signed, signed
from stagebook.store.digests import digest_of_json
from stagebook.store.folders import LocalFolder

_NAME = "installed.json"
_INFO = (".dist-info", ".egg-info", ".egg", ".egg-link")
_SETTLED = 2_000_000_000
"""Nanoseconds that what is installed must have been left alone: a change within a clock's last tick does not show."""

_found_here: dict[str, dict[str, dict[str, Any]]] = {}
"""What this process has found, by the state of what is installed, for folders that are not there to remember it."""


class Installed:
    """What is installed for this interpreter.

    To read it takes long: each distribution says which files it has in a file of its own. So answers are remembered
    with the names of the distributions' folders, and the times of their last changes.

    Args:
        folder: where answers are remembered from run to run; None to remember none.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = LocalFolder(folder) if folder is not None else None
        self._state: str | None = None
        self._known: dict[str, dict[str, Any]] = {"packages": {}, "versions": {}}
        self._is_new = False
        self._is_read = False

    def packages(self, tops: Iterable[str]) -> dict[str, list[str]]:
        """By top-level package, `package:NAME=VERSION` of every distribution that has files in it.

        Several share `google`.
        """
        wanted = set(tops)
        self._read()
        known = self._known["packages"]
        missing = wanted - known.keys()
        if missing:
            known.update(_packages(missing))
            self._is_new = True
        return {top: list(known[top]) for top in wanted}

    def versions(self, names: Iterable[str]) -> dict[str, str]:
        """The versions of those of these distributions that are installed."""
        wanted = list(names)
        self._read()
        known = self._known["versions"]
        for name in wanted:
            if name not in known:
                known[name] = _version(name)
                self._is_new = True
        return {name: known[name] for name in wanted if known[name] is not None}

    def save(self) -> None:
        """Remember for later runs. Where that cannot be done, they look again."""
        if self._folder is None or not self._is_new or self._state is None:
            return
        record = signed(_NAME, {"state": self._state, **self._known})
        with suppress(OSError), self._folder.new_file() as file:
            file.write_text(json.dumps(record), encoding="utf-8")
            self._folder.place(file, _NAME)
            self._is_new = False

    def _read(self) -> None:
        """Recall what is remembered, if it is of what is installed now."""
        if self._folder is None or self._is_read:
            return
        self._is_read = True
        self._state = _state()
        with suppress(OSError, ValueError):
            record = json.loads(self._folder.read(_NAME))
            if is_signed(_NAME, record) and record["state"] == self._state:
                self._known = {"packages": record["packages"], "versions": record["versions"]}
        if self._state is not None and not self._folder.root.exists():
            self._known = _found_here.setdefault(self._state, self._known)


def _state() -> str | None:
    """A digest that changes with what is installed; None where it has changed just now."""
    found: list[Any] = [sys.version, *(f"{type(finder)}" for finder in sys.meta_path)]
    newest = 0
    for entry in sys.path:
        place = os.path.abspath(entry)  # noqa: PTH100 - an entry may be empty, or a file
        try:
            with os.scandir(place) as inside:
                infos = sorted((one.name, one.stat().st_mtime_ns) for one in inside if one.name.endswith(_INFO))
        except OSError:  # an archive, or nothing
            infos = [(place, os.stat(place).st_mtime_ns)] if os.path.isfile(place) else []  # noqa: PTH113, PTH116
        newest = max([newest, *(changed for _, changed in infos)])
        found.append([place, infos])
    return digest_of_json(found) if time.time_ns() - newest > _SETTLED else None


def _packages(tops: set[str]) -> dict[str, list[str]]:
    """The lists of installed files are searched as text: `packages_distributions` parses them, which takes seconds."""
    from importlib.metadata import distributions

    found: dict[str, dict[str, str]] = {top: {} for top in tops}
    line = re.compile(rf"^({'|'.join(re.escape(top) for top in sorted(tops))})(?=[/\\.,\n])", re.MULTILINE)
    for distribution in distributions():
        listed = distribution.read_text("RECORD") or distribution.read_text("top_level.txt") or ""
        for top in set(line.findall(listed + "\n")):
            found[top].setdefault(distribution.metadata["Name"], distribution.version)
    return {top: [f"package:{name}={version}" for name, version in sorted(of.items())] for top, of in found.items()}


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None
