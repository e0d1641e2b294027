"""In a kernel with the notebook's setup: a stored model as a folder in MLflow's format.

What it is, its flavor, is known by the library that its class comes from. Its signature and its example come from the
data that the notebook's stages read: the nearest table that the model takes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from stagebook.store.blobs import Store
from stagebook.store.references import ValueRef
from stagebook.store.values import load
from stagebook.track.scorer import save_scorer
from stagebook.track.tables import mlflow_version

REPORT = "report.json"
"""File beside the model's folder: `flavor`, `serialization`, `example`, `notes`."""
MODEL = "model"
"""The model's folder."""

_FLAVORS = {
    "sklearn": "sklearn",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "torch": "pytorch",
    "keras": "keras",
    "tensorflow": "tensorflow",
    "statsmodels": "statsmodels",
    "prophet": "prophet",
    "spacy": "spacy",
    "onnx": "onnx",
}
"""MLflow's flavors, by the library that a class, or one that it inherits from, comes from."""
_TRUSTED = ("sklearn.", "numpy.", "scipy.", "functools.partial")
"""How the types begin that are trusted beyond those that skops lists. A partial's function is looked at by itself."""
_ROWS = 5
_TABLES = frozenset({"DataFrame", "ndarray"})


def pack(order: str) -> None:
    """Write the model and a report into a folder.

    Args:
        order: JSON: `folder`, where to; `store`, where values are; `model`, its content; `method`, what predicts;
            `candidates`, names and contents of what it may take, the nearest first; `packages`, versions by name;
            `features`, what `slices.feature_slice` gives, or null.

    Raises:
        ValueError: the value is no model.
    """
    told = json.loads(order)
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    namespace: dict[str, Any] = shell.user_ns
    store = Store.at(told["store"])
    model = _loaded(told["model"], store, namespace)
    method = told["method"]
    if not callable(getattr(model, method, None)) and not (method == "predict" and callable(model)):
        raise ValueError(f"it is a {type(model).__qualname__}, and has no method `{method}`")
    example = None
    for name, content in told["candidates"]:
        example = _example(model, method, name, content, store, namespace)
        if example is not None:
            break
    folder = Path(told["folder"])
    report = _saved(model, method, example, folder, told["packages"])
    if told["features"]:
        report |= _as_scorer(
            model, method, told["features"], folder, report, lambda one: _loaded(one, store, namespace)
        )
    if not report["example"]:
        report["notes"].append("no signature: none of the tables that its stages read is one it takes")
    (folder / REPORT).write_text(json.dumps(report), encoding="utf-8")


def _loaded(content: str, store: Store, namespace: dict[str, Any]) -> Any:
    bundle, _, name = content.partition("#")
    return load([ValueRef(bundle, name, (name,), "")], store, namespace=namespace)[name]


class _Example:
    """A table that the model takes: what it is called, all of it, its first rows, what the model says of these."""

    def __init__(self, name: str, table: Any, rows: Any, predicted: Any) -> None:
        self.name = name
        self.table = table
        self.rows = rows
        self.predicted = predicted


def _example(
    model: Any, method: str, name: str, content: str, store: Store, namespace: dict[str, Any]
) -> _Example | None:
    """The first rows of a value, if it is a table that the model takes."""
    try:
        table = _table(model, _loaded(content, store, namespace))
        if table is None:
            return None
        rows = table[:_ROWS]
        predicted = _predict(model, method, rows)
    except Exception:  # models refuse what they do not take in ways of their own
        return None
    plain = _with_floats(rows)
    with suppress(Exception):  # as above
        if _are_equal(_predict(model, method, plain), predicted):
            return _Example(name, _with_floats(table), plain, predicted)
    return _Example(name, table, rows, predicted)


def _table(model: Any, value: Any) -> Any:
    """The value with the columns that the model knows, by name or number; None where it is no such table."""
    if type(value).__name__ not in _TABLES or not len(value):
        return None
    names, number = getattr(model, "feature_names_in_", None), getattr(model, "n_features_in_", None)
    if hasattr(value, "columns"):
        if names is not None:
            return value[list(names)] if set(names) <= set(value.columns) else None
        return value if number in (None, value.shape[1]) else None
    if names is not None or value.ndim < 2 or number not in (None, value.shape[1]):
        return None
    return value


def _predict(model: Any, method: str, rows: Any) -> Any:
    return getattr(model, method, model)(rows)


def _with_floats(rows: Any) -> Any:
    """The rows with floats in place of integers, which then may be missing, too, when the model is asked."""
    if not hasattr(rows, "columns"):
        return rows.astype("float64") if rows.dtype.kind in "iu" else rows
    integers = {name: "float64" for name, kind in rows.dtypes.items() if getattr(kind, "kind", "") in ("i", "u")}
    return rows.astype(integers)


def _are_equal(one: Any, other: Any) -> bool:
    import numpy as np

    return bool(np.array_equal(np.asarray(one), np.asarray(other)))


def _saved(
    model: Any, method: str, example: _Example | None, folder: Path, packages: Mapping[str, str]
) -> dict[str, Any]:
    """Write the model's folder; the report."""
    from mlflow.models import infer_signature

    notes = []
    library = _library(model)
    arguments: dict[str, Any] = {"path": str(folder / MODEL), "code_paths": _own_code() or None}
    if example is not None:
        arguments |= {"signature": infer_signature(example.table, example.predicted), "input_example": example.rows}
    if library == "sklearn":
        form, others = _sklearn_form(model)
        if others:
            notes.append(f"saved with cloudpickle, which can run code when loaded: skops does not know {others[0]}")
        kind, serialization = "sklearn", form["serialization_format"]
        arguments |= {**form, "pyfunc_predict_fn": method}
    else:
        kind, serialization = _FLAVORS.get(library, "pyfunc"), "cloudpickle" if library not in _FLAVORS else ""
    arguments["pip_requirements"] = _requirements(packages, ["mlflow", *([serialization] if serialization else [])])
    _save(kind, model, method, arguments)
    return {
        "flavor": kind,
        "serialization": serialization,
        "example": example.name if example else "",
        "notes": notes,
        "requirements": arguments["pip_requirements"],
    }


def _as_scorer(
    model: Any,
    method: str,
    features: Mapping[str, Any],
    folder: Path,
    report: Mapping[str, Any],
    load_value: Callable[[str], Any],
) -> dict[str, Any]:
    """Put the feature stages before the model that is in the folder; what is to be told of it instead."""
    made = ((name, load_value(content)) for name, content in features["made"].items())
    tables = ((name, value) for name, value in made if _table(model, value) is not None)
    name, table = next(tables, ("", None))
    if table is None:
        raise ValueError("none of the tables that its `features` make is one it takes")
    known = getattr(model, "feature_names_in_", None)
    (folder / MODEL).rename(folder / "inner")
    rows = save_scorer(
        folder / MODEL,
        features=features,
        taken={name: load_value(content) for name, content in features["taken"].items()},
        table=(name, table, None if known is None else [str(one) for one in known]),
        predict=lambda rows: _predict(model, method, rows),
        model=folder / "inner",
        requirements=sorted({*report["requirements"], *_requirements({}, ["cloudpickle"])}),
        code=_own_code(),
    )
    return {"flavor": f"pyfunc, features before {report['flavor']}", "example": rows}


def _library(model: Any) -> str:
    """The library that the model's class, or the nearest one that it inherits from and MLflow knows, comes from."""
    tops = (kind.__module__.partition(".")[0] for kind in type(model).__mro__)
    return next((top for top in tops if top in _FLAVORS), "")


def _sklearn_form(model: Any) -> tuple[dict[str, Any], list[str]]:
    """How to serialize: by skops, which loads nothing that it does not know; else why not."""
    try:
        import skops.io

        untrusted = skops.io.get_untrusted_types(data=skops.io.dumps(model))
    except Exception as error:  # it says so in many ways
        return {"serialization_format": "cloudpickle"}, [f"{type(error).__name__}: {error}".splitlines()[0]]
    others = [name for name in untrusted if not name.startswith(_TRUSTED)]
    if others:
        return {"serialization_format": "cloudpickle"}, others
    return {"serialization_format": "skops", "skops_trusted_types": untrusted}, []


def _save(kind: str, model: Any, method: str, arguments: dict[str, Any]) -> None:
    import importlib

    flavor = importlib.import_module(f"mlflow.{kind}")
    if kind != "pyfunc":
        first = next(iter(_parameters(flavor.save_model)))
        known = {name: value for name, value in arguments.items() if name in _parameters(flavor.save_model)}
        flavor.save_model(**{first: model, **known})
        return
    import cloudpickle

    from stagebook.track import predictor

    cloudpickle.register_pickle_by_value(predictor)  # so that whoever loads it does not need us
    try:
        flavor.save_model(python_model=predictor.Predictor(model, method), **arguments)
    finally:
        cloudpickle.unregister_pickle_by_value(predictor)


def _parameters(function: Any) -> Iterable[str]:
    import inspect

    return inspect.signature(function).parameters


def _requirements(packages: Mapping[str, str], others: Iterable[str]) -> list[str]:
    """Pinned requirements: the packages that the stage stands on, and those that loading it takes."""
    pinned = dict(packages)
    for name in others:
        with suppress(PackageNotFoundError):
            pinned.setdefault(name, mlflow_version() if name == "mlflow" else version(name))
    return [f"{name}=={pinned[name]}" for name in sorted(pinned)]


def _own_code() -> list[str]:
    """Modules of the user's own, beside the notebook, that are loaded: a pickle refers to them by name."""
    here = Path.cwd()
    found = set()
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(here) and "site-packages" not in Path(file).parts:
            found.add(here / Path(file).relative_to(here).parts[0])
    return sorted(map(str, found))
