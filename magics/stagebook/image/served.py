"""A registered version as files that a service can be started from anywhere with, sealed by their manifest's digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stagebook.errors import StagebookError
from stagebook.image.materials import SealedModel
from stagebook.serve.packages import ABOUT, MODEL, ONNX, Package, folder_of, package_in
from stagebook.serve.reloading import meant
from stagebook.serve.sealing import manifest_of
from stagebook.serve.versions import reference_named, registry_address
from stagebook.store.digests import digest_of

_MLMODEL = "MLmodel"
_REQUIREMENTS = "requirements.txt"
_PLACE = re.compile(
    r"^(?P<key> *(?:uri|model_code_path|path): )['\"]?(?:file://)?/.*?(?P<name>[^/\n'\"]+)['\"]?$", re.MULTILINE
)
"""In a model's description: where on the machine that registered it its parts once lay. Nothing is found by it."""
_KEPT_BY_ONNX = frozenset({f"{MODEL}/{_MLMODEL}"})


@dataclass(frozen=True, slots=True)
class Version:
    """A version, and what it takes to answer with it.

    Attributes:
        model: its files.
        requirements: what its authors say that it takes.
        python: the Python that it was made with, as `3.11`; empty where it does not say.
        python_patch: the same as `3.11.7`.
        pickles_arrow: whether what is pickled in it holds Arrow's columns.
    """

    model: SealedModel
    requirements: str = ""
    python: str = ""
    python_patch: str = ""
    pickles_arrow: bool = False


def version_of(reference: str, home: Path) -> Version:
    """The version that a reference means now, prepared as for a service on this machine.

    Args:
        reference: `models:/NAME@ALIAS` or the like.
        home: the folder in which runs are recorded.

    Raises:
        UsageError: there is no such version.
        StagebookError: it is not to be had.
    """
    registry = registry_address(home)
    key = meant(registry, reference_named(reference))
    package = package_in(folder_of(key))
    if package is None:
        raise StagebookError(f"The prepared version in {folder_of(key)} has changed on disk. Export it again.")
    described = _read(package.folder / MODEL / _REQUIREMENTS)
    python = re.search(r"^python: *['\"]?((\d+\.\d+)[.\d]*)", _read(package.folder / MODEL / "python_env.yaml"), re.M)
    files = _files(package)
    manifest = manifest_of(package, files)
    return Version(
        SealedModel(package.model, package.version, package.backend, digest_of(manifest), {**files, ABOUT: manifest}),
        described,
        python[2] if python else "",
        python[1] if python else "",
        any(b"pyarrow" in content for path, content in files.items() if path.endswith((".pkl", ".pickle", ".joblib"))),
    )


def _files(package: Package) -> dict[str, bytes]:
    """What answers needs of the version's files; of what ONNX Runtime answers for, the model itself is left out."""
    found: dict[str, bytes] = {}
    for path in sorted(package.files):
        if package.layout is not None and path != ONNX and path not in _KEPT_BY_ONNX:
            continue
        content = (package.folder / path).read_bytes()
        found[path] = _without_places(content) if path.endswith(f"/{_MLMODEL}") else content
    return found


def _without_places(content: bytes) -> bytes:
    return _PLACE.sub(r"\g<key>\g<name>", content.decode("utf-8")).encode("utf-8")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
