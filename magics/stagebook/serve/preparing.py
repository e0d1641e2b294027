"""Making a model version ready to be served: a process of its own, which imports MLflow so that the service need not.

It is told a reference and, on standard input, the registry's address. It finds the version, downloads it, reads its
signature and example, and converts it where that can be. Its last line on standard output is JSON: `key`, or `failed`
with `kind`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stagebook.errors import StagebookError, UsageError
from stagebook.serve.packages import MODEL, ONNX, Package, cache, folder_of, package_in, put, write_package
from stagebook.serve.schema import Schema, schema_of
from stagebook.serve.versions import (
    Reference,
    UnreachableError,
    Version,
    no_registry,
    reference_named,
    shown_address,
)

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import Model

    from stagebook.serve.bare import Bare

Backend = Literal["auto", "pyfunc", "onnx"]
_FLAVOR = "sklearn"


_under_way: set[subprocess.Popen[str]] = set()


def stop_preparing() -> None:
    """End what is being prepared in this process: nobody will ask it any more. What is written half is no package."""
    for process in [*_under_way]:
        process.kill()


def prepare(registry: str, reference: Reference) -> str:
    """The key of the version that is meant now, which is prepared if it was not yet.

    Raises:
        UsageError: there is no such version; the message says what there is.
        UnreachableError: the registry does not answer.
        StagebookError: the version cannot be had.
    """
    command = [sys.executable, "-m", "stagebook.serve.preparing", str(reference)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        _under_way.add(process)
        try:
            # the address may hold a password, and everybody can read a command line
            out, err = process.communicate(registry)
        finally:
            _under_way.discard(process)
    lines = out.strip().splitlines()
    try:
        told = json.loads(lines[-1])
    except (IndexError, ValueError):
        cause = (err.strip().splitlines() or [f"status {process.returncode}"])[-1]
        raise StagebookError(f"{reference} could not be prepared: {cause}") from None
    if "key" in told:
        return str(told["key"])
    raise _KINDS[told["kind"]](told["failed"])


_KINDS: dict[str, type[StagebookError]] = {
    "usage": UsageError,
    "unreachable": UnreachableError,
    "failed": StagebookError,
}


def main() -> None:
    """Do it, and say so."""
    registry, text = sys.stdin.read(), sys.argv[1]
    said, sys.stdout = sys.stdout, sys.stderr  # models' own code may print
    try:
        told = {"key": _prepared(registry, reference_named(text))}
    except UsageError as error:
        told = {"kind": "usage", "failed": str(error)}
    except UnreachableError as error:
        told = {"kind": "unreachable", "failed": str(error)}
    except Exception as error:  # MLflow, and models' own code, raise what they like
        from stagebook.track.place import cause_of

        cause = cause_of(error).replace(registry, shown_address(registry))
        told = {"kind": "failed", "failed": f"{text} could not be prepared: {cause}"}
    print(json.dumps(told), file=said, flush=True)


def _prepared(registry: str, reference: Reference) -> str:
    version = _version(registry, reference)
    if package_in(folder_of(version.key)) is not None:
        return version.key
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="making-", dir=cache()) as making:
        folder = Path(making, version.key)
        folder.mkdir()
        _download(version, folder / MODEL)
        write_package(_package(version, folder))
        put(folder, version.key)
    return version.key


def _version(registry: str, reference: Reference) -> Version:
    """The version, as MLflow knows it.

    Raises:
        UsageError: there is none.
        UnreachableError: MLflow cannot be asked.
    """
    from stagebook.track.place import DEFAULTS, cause_of

    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    path = Path(registry.partition(":///")[2])
    if registry.startswith("sqlite:///") and "?" not in registry and not path.exists():
        raise UnreachableError(no_registry(path))  # MLflow would make one
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    from stagebook.track.lineage import AwayError, version_named

    try:
        client = MlflowClient(tracking_uri=registry, registry_uri=registry)
        found = version_named(client, str(reference))
    except (MlflowException, OSError, AwayError) as error:
        cause = cause_of(error.__cause__ or error).replace(registry, shown_address(registry))
        raise UnreachableError(f"The registry does not answer ({cause}).") from error
    created = int(found.creation_timestamp or 0)
    return Version(registry, found.name, str(found.version), found.source or "", created)


def _download(version: Version, target: Path) -> None:
    from mlflow.artifacts import download_artifacts

    from stagebook.track.place import recording_at

    with recording_at(version.registry):
        found = Path(
            download_artifacts(
                f"models:/{version.name}/{version.number}",
                dst_path=str(target.parent / "got"),
                tracking_uri=version.registry,
                registry_uri=version.registry,
            )
        )
    shutil.move(str(found), target)
    shutil.rmtree(target.parent / "got", ignore_errors=True)


def _package(version: Version, folder: Path) -> Package:
    """What the version is, and how it is best served."""
    from mlflow.models import Model

    from stagebook.track.scorer import ZONED

    about = Model.load(str(folder / MODEL))
    signature = about.signature.to_dict() if about.signature is not None else {}
    inputs, zoned = json.loads(signature.get("inputs") or "null"), (about.metadata or {}).get(ZONED, [])
    schema = None if signature.get("params") else schema_of(inputs, zoned=zoned)
    if "python_function" not in about.flavors:
        raise StagebookError(f"{version.name} version {version.number} is no model that MLflow can score with.")
    package = Package(folder, version.name, version.number, "", schema, _example(about, folder / MODEL))
    from stagebook.serve.onnx import NotConvertibleError

    try:
        return _converted(package, about)
    except NotConvertibleError as error:
        return _with(package, why=f"since {error}", bare=_bare(package, about))


def _bare(package: Package, about: Model) -> Bare | None:
    """How the model is asked without MLflow, where it then says what it says with it."""
    from stagebook.serve.backends import is_alike
    from stagebook.serve.bare import KEPT, kept

    try:
        found = kept(about, package.folder / MODEL)
        if found is not None and is_alike(found, package):
            return found
    except Exception:  # a model's own code raises what it likes; MLflow's way is there
        found = None
    (package.folder / KEPT).unlink(missing_ok=True)
    return None


def _converted(package: Package, about: Model) -> Package:
    """The package with the model for ONNX Runtime in it.

    Raises:
        NotConvertibleError: there is none.
    """
    from stagebook.serve.onnx import NotConvertibleError, proved

    if _FLAVOR not in about.flavors or about.flavors["python_function"].get("loader_module") != "mlflow.sklearn":
        raise NotConvertibleError(_what(about))
    if package.schema is None:
        raise NotConvertibleError("it has no signature of plain columns")
    try:
        import onnxruntime  # noqa: F401 - whether it is there
        import skl2onnx  # noqa: F401 - as above
    except ImportError:
        remedy = "`pip install 'stagebook[onnx]'` installs what ONNX Runtime takes"
        raise NotConvertibleError(f"onnxruntime or skl2onnx is not installed: {remedy}") from None
    example = _example_table(about, package.folder / MODEL, package.schema)
    if example is None:
        raise NotConvertibleError("it was logged without an input example, on which answers could be compared")
    import mlflow.sklearn

    model = mlflow.sklearn.load_model(str(package.folder / MODEL))
    method = str(about.flavors["python_function"].get("predict_fn", "predict"))
    proof = proved(model, method, package.schema, example)
    (package.folder / ONNX).write_bytes(proof.content)
    apart = f" but for {proof.difference:.0e}" if proof.difference else ""
    why = f"its answers to {proof.rows} rows are the model's{apart}"
    return _with(package, why=f"since {why}", schema=proof.schema, layout=proof.layout)


def _what(about: Model) -> str:
    """Why the model is none of scikit-learn alone."""
    others = sorted(about.flavors.keys() - {"python_function"})
    if others and _FLAVOR not in others:
        return f"a model of {others[0]} is not converted"
    return "it is code of its own (feature stages, or a model class), of which ONNX knows nothing"


def _with(package: Package, **changed: Any) -> Package:
    from dataclasses import replace

    return replace(package, **changed)


def _example(about: Model, folder: Path) -> Mapping[str, Any] | None:
    """A request's body, of the rows that the model was logged with."""
    told = about.get_serving_input(str(folder)) if about.saved_input_example_info else None
    try:
        found = json.loads(told) if told else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _example_table(about: Model, folder: Path, schema: Schema) -> pd.DataFrame | None:
    """The rows that the model was logged with, in the schema's columns and types."""
    import numpy as np
    import pandas as pd

    from stagebook.serve.schema import NUMPY

    found = about.load_input_example(str(folder)) if about.saved_input_example_info else None
    if found is None:
        return None
    names = [column.name for column in schema.columns]
    table = found if isinstance(found, pd.DataFrame) else pd.DataFrame(np.atleast_2d(np.asarray(found)))
    if not schema.named:
        table = table.set_axis(names, axis=1) if len(names) == table.shape[1] else table
    if not set(names) <= set(table.columns) or not len(table):
        return None
    kinds = {column.name: NUMPY[column.type] for column in schema.columns if column.type in NUMPY}
    typed: pd.DataFrame = table[names].astype(kinds)
    return typed


if __name__ == "__main__":
    main()
