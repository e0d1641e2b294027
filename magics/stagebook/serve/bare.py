"""Models of scikit-learn, and feature stages before one, asked without MLflow, whose import costs more than they do.

When a version is prepared, its parts are found and the model is kept as a pickle of our own (`kept`), which loads in a
fraction of the time that skops takes; the package's signature vouches for it. The service loads it (`asked_of`), if
what it says was seen to be what MLflow's model says.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.models import Model

KEPT = "model.pkl"
"""The model's file, beside the version's folder."""
_LOADER = "mlflow.sklearn"


@dataclass(frozen=True, slots=True)
class Bare:
    """How a version is asked; paths are those in its folder.

    Attributes:
        method: what the model is asked by.
        code: folders with modules of the user's own.
        features: the module that makes what the model takes; empty where it takes rows as they come.
        taken: the values that the module takes beside the rows.
    """

    method: str
    code: tuple[str, ...] = ()
    features: str = ""
    taken: str = ""


def kept(about: Model, folder: Path) -> Bare | None:
    """Keep the model of a version, whose own modules can be imported, beside its folder.

    Args:
        about: what MLflow says of it.
        folder: where it is, in MLflow's format.

    Returns:
        How it is asked; None where it is of another kind.
    """
    import cloudpickle
    import mlflow.sklearn
    from mlflow.models import Model

    from stagebook.track.scorer import SCORER

    outer, place, inner = about.flavors.get("python_function", {}), folder, about
    paths: dict[str, str] = {}
    if (about.metadata or {}).get(SCORER):
        paths = {name: str(told["path"]) for name, told in outer["artifacts"].items()}
        place = folder / paths["model"]
        inner = Model.load(str(place))
    own = inner.flavors.get("python_function", {})
    if own.get("loader_module") != _LOADER:
        return None
    model = mlflow.sklearn.load_model(str(place))
    (folder.parent / KEPT).write_bytes(cloudpickle.dumps(model))
    code = _code(own, place.relative_to(folder)) + (_code(outer, Path()) if paths else ())
    return Bare(str(own.get("predict_fn") or "predict"), code, paths.get("features", ""), paths.get("taken", ""))


def _code(flavor: Mapping[str, Any], below: Path) -> tuple[str, ...]:
    return ((below / str(flavor["code"])).as_posix(),) if flavor.get("code") else ()


def may_load() -> bool:
    """Whether models may be unpickled, which MLflow has a variable to forbid."""
    return os.environ.get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true").lower() in ("true", "1")


def asked_of(bare: Bare, folder: Path) -> Callable[[Any], Any]:
    """What answers frames or arrays, loaded.

    Args:
        bare: how.
        folder: the version's, in MLflow's format.
    """
    import pickle

    for code in bare.code:
        sys.path.insert(0, str(folder / code))
    make = _module(folder / bare.features).features if bare.features else None
    model = pickle.loads((folder.parent / KEPT).read_bytes())
    ask: Callable[[Any], Any] = getattr(model, bare.method)
    if make is None:
        return ask
    taken = pickle.loads((folder / bare.taken).read_bytes())
    return lambda rows: ask(make(rows, taken))


def _module(path: Path) -> Any:
    """The module in a file, by a name of its own: another version's may be there too."""
    import importlib.util
    import uuid

    name = f"features_{uuid.uuid4().hex}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
