"""What is installed in this environment, and where it came from."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from stagebook.image.requirements import normal

OURS = "stagebook"


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution.

    Attributes:
        name: in its normal form.
        version: its version.
        source: for one that came from no index, where from; else empty.
        editable: for one that is edited where it is: its project's folder.
        requires: what it requires, as its metadata says.
        found: where its files are listed.
    """

    name: str
    version: str
    source: str = ""
    editable: Path | None = None
    requires: tuple[str, ...] = ()
    found: Distribution | None = field(default=None, repr=False, compare=False)


def all_installed() -> dict[str, Installed]:
    """All that is installed for this interpreter, by name: what stands first on the path counts."""
    found: dict[str, Installed] = {}
    for one in distributions():
        name = one.metadata["Name"]
        if name and normal(name) not in found:
            found[normal(name)] = _installed(one)
    return found


def _installed(one: Distribution) -> Installed:
    origin = _origin(one)
    url = str(origin.get("url", ""))
    editable = bool((origin.get("dir_info") or {}).get("editable"))
    return Installed(
        normal(one.metadata["Name"]),
        one.version,
        url,
        Path(unquote(urlsplit(url).path)) if editable else None,
        tuple(one.requires or ()),
        one,
    )


def _origin(one: Distribution) -> Mapping[str, Any]:
    try:
        found = json.loads(one.read_text("direct_url.json") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def by_module(installed: Iterable[Installed]) -> dict[str, list[str]]:
    """The distributions that have files in each top-level module."""
    from importlib.metadata import packages_distributions

    known = {one.name for one in installed}
    return {
        module: [normal(name) for name in names if normal(name) in known]
        for module, names in packages_distributions().items()
    }


def closure_of(names: Iterable[str], installed: Mapping[str, Installed]) -> set[str]:
    """These distributions and those that they require here, directly and through one another."""
    from packaging.requirements import InvalidRequirement, Requirement

    seen: set[tuple[str, str]] = set()
    queue = [(name, "") for name in names]
    while queue:
        name, extra = queue.pop()
        if (name, extra) in seen or name not in installed:
            continue
        seen.add((name, extra))
        for text in installed[name].requires:
            try:
                required = Requirement(text)
            except InvalidRequirement:
                continue
            if required.marker is None or required.marker.evaluate({"extra": extra}):
                queue += [(normal(required.name), one) for one in ("", *required.extras)]
    return {name for name, _ in seen}
