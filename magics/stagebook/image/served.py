"""A registered version as files that a service can be started from anywhere with, sealed by their manifest's digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from stagebook.errors import StagebookError
from stagebook.image.materials import SealedModel
from stagebook.serve.bare import KEPT
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


@dataclass(frozen=True, slots=True)
class Version:
    """A version, and what it takes to answer with it.

    Attributes:
        model: its files.
        requirements: what its authors say that it takes.
        python: the Python that it was made with, as `3.11`; empty where it does not say.
        python_patch: the same as `3.11.7`.
        pickles_arrow: whether what is pickled in it holds Arrow's columns.
        is_bare: whether it answers without MLflow.
    """

    model: SealedModel
    requirements: str = ""
    python: str = ""
    python_patch: str = ""
    pickles_arrow: bool = False
    is_bare: bool = False


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
        package.bare is not None,
    )


def _files(package: Package) -> dict[str, bytes]:
    """What answers needs of the version's files: where it takes no MLflow, not the form that MLflow reads."""
    found: dict[str, bytes] = {}
    for path in sorted(package.files):
        if not _answers(path, package):
            continue
        content = (package.folder / path).read_bytes()
        found[path] = _without_places(content) if path.endswith(f"/{_MLMODEL}") else content
    return found


def _answers(path: str, package: Package) -> bool:
    """Whether a file has a part in answering."""
    if package.layout is not None:
        return path in (ONNX, f"{MODEL}/{_MLMODEL}")
    if package.bare is None:
        return True
    bare = package.bare
    named = (KEPT, *(f"{MODEL}/{name}" for name in (_MLMODEL, bare.features, bare.taken) if name))
    return path in named or any(path.startswith(f"{MODEL}/{folder}/") for folder in bare.code)


def _without_places(content: bytes) -> bytes:
    return _PLACE.sub(r"\g<key>\g<name>", content.decode("utf-8")).encode("utf-8")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
