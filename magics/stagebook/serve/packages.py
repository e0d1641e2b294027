"""Model versions as they lie on this machine, ready to be served: a folder each in the user's cache.

```
CACHE/serve/models/KEY/     KEY: the version's digest
  about.json                what `Package` says, with digests of all other files; signed with the user's key
  model/                    the version's files, in MLflow's format
  model.onnx                where ONNX Runtime serves it
  model.pkl                 where scikit-learn does, without MLflow
CACHE/serve/last/KEY.json   the version that a reference last meant; signed
```

What is not signed, or not as it was signed, is not loaded: it is prepared anew.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stagebook.serve.bare import Bare
from stagebook.serve.onnx import Layout
from stagebook.serve.schema import Column, Schema
from stagebook.serve.versions import Reference
from stagebook.signing import is_signed, signed
from stagebook.store.digests import digest_of_file, digest_of_json

ABOUT = "about.json"
MODEL = "model"
ONNX = "model.onnx"
_KEPT = 4
"""Versions of a model that are kept, the ones last prepared."""


@dataclass(frozen=True, slots=True)
class Package:
    """A version, ready to be served.

    Attributes:
        folder: where it is.
        model: the registered model's name.
        version: its number.
        why: why it is served as it is, in words.
        schema: what it takes; None where MLflow alone can say.
        example: a request's body, or None.
        layout: how ONNX Runtime is asked; None where the model itself answers.
        bare: how the model is asked without MLflow, where it then says what it says with it; else None.
        files: digests of its files, by their paths in the folder.
    """

    folder: Path
    model: str
    version: str
    why: str
    schema: Schema | None = None
    example: Mapping[str, Any] | None = None
    layout: Layout | None = None
    bare: Bare | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def backend(self) -> str:
        """What answers."""
        return "pyfunc" if self.layout is None else "ONNX Runtime"


def cache() -> Path:
    """The folder for all that is kept for services."""
    from stagebook.store.remote import cache_folder

    return cache_folder() / "serve"


def folder_of(key: str) -> Path:
    """Where the version with this digest is, or is to be."""
    return cache() / "models" / key


def write_package(package: Package) -> None:
    """Write what is known of the files in the package's folder, into it."""
    files = {
        path.relative_to(package.folder).as_posix(): digest_of_file(path)
        for path in sorted(package.folder.rglob("*"))
        if path.is_file() and path.name != ABOUT
    }
    record = signed(_name(package.folder.name), told_of(package, files))
    (package.folder / ABOUT).write_text(json.dumps(record, indent=1), encoding="utf-8")


def told_of(package: Package, files: Mapping[str, str]) -> dict[str, Any]:
    """What is known of a package, as JSON has it, with these files' digests."""
    told = asdict(package) | {"files": dict(files)}
    del told["folder"]
    if package.schema is not None:
        for column in told["schema"]["columns"]:
            column["limit"] = None if column["limit"] == math.inf else column["limit"]
    return told


def package_in(folder: Path) -> Package | None:
    """What is in the folder; None where nothing is, or not what was signed."""
    try:
        record = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if not is_signed(_name(folder.name), record) or "bare" not in record:  # one of before
            return None
        for name, digest in record["files"].items():
            if digest_of_file(folder / name) != digest:
                return None
    except (OSError, ValueError):
        return None
    return package_of(folder, record)


def package_of(folder: Path, record: Mapping[str, Any]) -> Package:
    """The package in a folder that is as `told_of` told."""
    schema, layout, bare = record["schema"], record["layout"], record["bare"]
    return Package(
        folder,
        record["model"],
        record["version"],
        record["why"],
        None if schema is None else _schema(schema),
        record["example"],
        None if layout is None else Layout(**{**layout, "types": tuple(layout["types"])}),
        None if bare is None else Bare(**{**bare, "code": tuple(bare["code"])}),
        record["files"],
    )


def _schema(told: Mapping[str, Any]) -> Schema:
    columns = (
        Column(**{**column, "limit": math.inf if column["limit"] is None else column["limit"]})
        for column in told["columns"]
    )
    return Schema(tuple(columns), told["named"], told["tensor"])


def put(made: Path, key: str) -> Path:
    """Move a folder that was made elsewhere in the cache to where it belongs, and remove the oldest of its model."""
    target = folder_of(key)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    try:
        made.rename(target)
    except OSError:  # another process was as quick
        shutil.rmtree(made, ignore_errors=True)
    return target


def remember(registry: str, reference: Reference, key: str) -> None:
    """Keep that this is what the reference meant, for when the registry does not answer."""
    from stagebook.run.files import write_text

    path = _last(registry, reference)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(signed(path.stem, {"key": key, "reference": str(reference)})))


def remembered(registry: str, reference: Reference) -> Package | None:
    """What the reference meant when the registry last answered."""
    path = _last(registry, reference)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return package_in(folder_of(str(record["key"]))) if is_signed(path.stem, record) else None
    except (OSError, ValueError):
        return None


def forget_old(model: str, keep: str) -> None:
    """Remove all but the last few versions of a model, and never the one that is to be kept."""
    found = []
    for about in (cache() / "models").glob(f"*/{ABOUT}"):
        try:
            if json.loads(about.read_text(encoding="utf-8"))["model"] == model and about.parent.name != keep:
                found.append((about.stat().st_mtime, about.parent))
        except (OSError, ValueError, KeyError):
            continue
    named = {path.name for path in _named_by_references()}
    for _, folder in sorted(found, reverse=True)[_KEPT - 1 :]:
        if folder.name not in named:
            shutil.rmtree(folder, ignore_errors=True)


def _named_by_references() -> list[Path]:
    found = []
    for path in (cache() / "last").glob("*.json"):
        try:
            found.append(folder_of(str(json.loads(path.read_text(encoding="utf-8"))["key"])))
        except (OSError, ValueError, KeyError):
            continue
    return found


def _last(registry: str, reference: Reference) -> Path:
    return cache() / "last" / f"{digest_of_json([registry, str(reference)])}.json"


def _name(key: str) -> str:
    return f"serve/{key}"
