"""Which distributions a target needs: those that its code imports, that its model names, and Stagebook's own.

Stagebook itself is installed without its dependencies: a service needs a tenth of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from stagebook.errors import StagebookError, did_you_mean
from stagebook.image.materials import Target

_ALWAYS = ("blake3", "click")
_SERVICE = ("httptools", "msgspec", "numpy", "platformdirs", "prometheus-client", "uvicorn", "uvloop")
_BARE = ("cloudpickle", "pandas")
_MLFLOW = (*_BARE, "mlflow-skinny")
_RUN = (
    *("cloudpickle", "filelock", "fsspec", "ipykernel", "ipython", "jinja2", "jupyter-client", "jupyter-core"),
    *("msgspec", "nbclient", "nbconvert", "nbformat", "pandas", "papermill", "platformdirs", "psutil", "pyarrow"),
    *("requests", "rich", "wrapt"),
)
_RECORD = ("alembic", "mlflow-skinny", "skops", "sqlalchemy")
"""What MLflow takes to record runs and register models, in a file as at a server: a fifth of what all of it takes."""
_MONITOR = ("filelock", "fsspec", "jinja2", "mlflow", "msgspec", "platformdirs", "psutil", "requests", "scipy")
_LOG = ("pyarrow",)

OWN: Mapping[str, tuple[str, ...]] = {
    "train": (*_ALWAYS, *_RUN, *_RECORD),
    "serve": (*_ALWAYS, *_SERVICE),
    "score": (*_ALWAYS, "msgspec", "numpy", "pyarrow"),
    "monitor": (*_ALWAYS, *_MONITOR, *_MLFLOW, "pyarrow"),
}
"""What Stagebook imports for each target, beyond what answers."""

_LEAN = {"mlflow": "mlflow-skinny"}
"""What MLflow's models name, and what is enough of it to load them."""
_READS = ("mlflow", "mlflow-skinny", "skops")
_NAME = re.compile(r"^\s*(?P<name>[A-Za-z0-9][\w.-]*)\s*(?P<rest>[^#]*)")


@dataclass(frozen=True, slots=True)
class Needed:
    """A distribution that is needed.

    Attributes:
        name: the distribution's, in its normal form.
        version: what `==` or the like demands of it; empty for the environment's.
        why: who needs it, in words, for messages.
    """

    name: str
    version: str
    why: str


def normal(name: str) -> str:
    """A distribution's name in its normal form (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def own_needs(target: Target, backend: str, *, bare: bool, log: bool) -> list[Needed]:
    """What Stagebook needs in an image.

    Args:
        target: what the image does.
        backend: what answers, where a model does.
        bare: whether that takes no MLflow.
        log: whether requests are logged.
    """
    names = list(OWN[target])
    if target in ("serve", "score"):
        names += ["onnxruntime"] if backend == "ONNX Runtime" else _BARE if bare else _MLFLOW
        names += _LOG if log else ()
    return [Needed(name, "", "Stagebook") for name in dict.fromkeys(names)]


def needs_of_imports(imported: Mapping[str, str], distributions: Mapping[str, Iterable[str]]) -> list[Needed]:
    """The distributions that imported modules come from.

    Args:
        imported: top-level names, each with the file that imports it, or nothing for the notebook.
        distributions: of all that is installed, by top-level name.

    Raises:
        StagebookError: a module comes from no distribution.
    """
    found = []
    for module, importer in sorted(imported.items()):
        names = distributions.get(module)
        where = importer or "a stage or setup cell"
        if not names:
            raise StagebookError(
                f"{where} imports `{module}`, which no installed distribution provides, so that it cannot be put into "
                f"an image.{did_you_mean(module, distributions)} Install its package, put the module beside the "
                "notebook, or remove the import."
            )
        found += [Needed(normal(name), "", f"`import {module}` in {where}") for name in sorted(set(names))]
    return found


def needs_of_model(requirements: str, *, called: str, bare: bool = False) -> list[Needed]:
    """What a model's `requirements.txt` names.

    Args:
        requirements: the file's text.
        called: what the model is called, for messages.
        bare: whether it answers without MLflow, and without what MLflow reads it by.

    Raises:
        StagebookError: it holds what is no requirement of an index.
    """
    found = []
    for line in requirements.splitlines():
        text = line.partition("#")[0].partition(";")[0].strip()
        if not text:
            continue
        match = _NAME.match(text)
        if match is None or "://" in text or text.startswith(("-", ".")):
            raise StagebookError(
                f"{called} names the requirement `{text}`, which an image cannot be locked to. Register the model with "
                "requirements that an index has."
            )
        name = normal(match["name"])
        if bare and name in _READS:
            continue
        found.append(Needed(_LEAN.get(name, name), match["rest"].strip(), called))
    return found
