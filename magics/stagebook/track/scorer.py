"""A model and the feature stages before it as one: it takes raw rows, as they come when it is asked.

It is code that needs nothing of ours (`scorer.py`, `features.py`), with the values that the stages take beside the
rows. Before it is kept, it is loaded as a service would, and must say of the notebook's own rows what the notebook's
model says; of some of them by themselves, too, since what a stage computes from all rows (a mean, a rank) is another
thing for a few.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_FEATURES = '''\
"""Makes what the model takes of raw rows, as a notebook does. Written by Stagebook."""

import copy

import pandas

{setup}

FEATURES = compile({code}, "<features>", "exec")
ROWS, TABLE = {rows!r}, {table!r}
COLUMNS = {columns!r}
TIMES = {times!r}  # with a time zone in the notebook; here they come as UTC, without one
SHARED = {shared!r} and int(pandas.__version__.partition(".")[0]) >= 3  # frames are copied where they are written to


def features(rows, taken):
    """What the model takes, made of raw rows as the notebook's stages do."""
    rows = rows.copy()
    for name in TIMES.keys() & set(rows.columns):
        rows[name] = pandas.to_datetime(rows[name], utc=True).astype(TIMES[name])
    frames = [one for one in taken.values() if SHARED and type(one) in (pandas.DataFrame, pandas.Series)]
    known = {{id(one): one.copy(deep=False) for one in frames}}
    names = {{**globals(), **copy.deepcopy(taken, known), ROWS: rows}}
    exec(FEATURES, names)
    return names[TABLE] if COLUMNS is None else names[TABLE][COLUMNS]
'''
_SOURCE = '''\
"""Scores rows with the features and the model of a notebook. Written by Stagebook."""

import importlib.util
import sys
import uuid

import cloudpickle
import mlflow.pyfunc
import pandas
from mlflow.models import set_model


class Scorer(mlflow.pyfunc.PythonModel):
    """Makes features of the rows it is given, and asks the model."""

    def load_context(self, context):
        name = "features_" + uuid.uuid4().hex
        spec = importlib.util.spec_from_file_location(name, context.artifacts["features"])
        self._features = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self._features)
        with open(context.artifacts["taken"], "rb") as file:
            self._taken = cloudpickle.load(file)
        self._model = mlflow.pyfunc.load_model(context.artifacts["model"])

    def predict(self, context, model_input: pandas.DataFrame, params=None):
        return self._model.predict(self._features.features(model_input, self._taken))


set_model(Scorer())
'''
SCORER = "stagebook_scorer"
"""The name under which MLflow's metadata say that a model is a scorer."""
ZONED = "stagebook_zoned"
"""The name under which they say which columns hold times with a time zone, of which MLflow's schema knows nothing."""
_SOME = 50
"""Rows that are scored by themselves, to see whether they depend on others."""

Predict = Callable[[Any], Any]


def save_scorer(
    folder: Path,
    *,
    features: Mapping[str, Any],
    taken: Mapping[str, Any],
    table: tuple[str, Any, list[str] | None],
    predict: Predict,
    model: Path,
    requirements: list[str],
    code: list[str] | None = None,
) -> str:
    """Write a scorer into a folder, in MLflow's format; the name of the table whose rows it takes.

    Args:
        folder: where to, not there yet.
        features: `setup`, `code` and `rows`, as `slices.feature_slice` gives them.
        taken: the values that the stages take from others, by name.
        table: what the model takes: its name, the notebook's own, the columns of it that count (None: all).
        predict: asks the notebook's model.
        model: the model, in MLflow's format.
        requirements: pinned.
        code: files and folders of the user's own modules, which go with it.

    Raises:
        ValueError: no scorer says what the notebook does.
    """
    frames = {name: value for name, value in taken.items() if type(value).__name__ == "DataFrame"}
    names = [features["rows"]] if features["rows"] else [name for name in frames if len(frames[name]) == len(table[1])]
    if len(names) != 1 or names[0] not in frames:
        told = ", ".join(f"`{name}`" for name in sorted(frames)) or "none"
        raise ValueError(f"it is not clear which table holds the rows to score: name one in `rows` ({told})")
    rows, columns = names[0], table[2]
    expected = predict(table[1] if columns is None else table[1][columns])
    others = {name: value for name, value in taken.items() if name != rows}
    times = {name: str(kind) for name, kind in frames[rows].dtypes.items() if getattr(kind, "tz", None) is not None}
    source = _FEATURES.format(
        setup=features["setup"],
        code=_quoted(features["code"]),
        rows=rows,
        table=table[0],
        columns=columns,
        shared="array" not in _mentioned(features["setup"]) | _mentioned(features["code"]),  # it goes around the copies
        times=times,
    )
    parts = {"source": source, "taken": others, "model": model, "requirements": requirements, "code": code}
    parts["zoned"] = [str(name) for name in times]
    wanted = [name for name in frames[rows].columns if name in _mentioned(features["code"]) | set(columns or ())]
    for kept in ([wanted] if wanted else []) + [list(frames[rows].columns)]:
        why = _saved(folder, _without_zones(frames[rows][kept]), expected, parts)
        if not why:
            return rows
    raise ValueError(why)


def _saved(folder: Path, rows: Any, expected: Any, parts: Mapping[str, Any]) -> str:
    """Write it, with this table's columns as what it takes; why it does not say what it should, or nothing."""
    import shutil

    import cloudpickle
    import mlflow.pyfunc
    import numpy as np
    from mlflow.models import infer_signature

    beside = folder.with_name("parts")
    for place in (folder, beside):
        shutil.rmtree(place, ignore_errors=True)
    beside.mkdir(parents=True)
    (beside / "scorer.py").write_text(_SOURCE, encoding="utf-8")
    (beside / "features.py").write_text(parts["source"], encoding="utf-8")
    (beside / "taken.pkl").write_bytes(cloudpickle.dumps(parts["taken"]))
    mlflow.pyfunc.save_model(
        str(folder),
        python_model=str(beside / "scorer.py"),
        artifacts={
            "features": str(beside / "features.py"),
            "taken": str(beside / "taken.pkl"),
            "model": str(parts["model"]),
        },
        metadata={SCORER: True, ZONED: parts["zoned"]},
        signature=infer_signature(rows, expected[:5]),
        input_example=rows[:5],
        pip_requirements=parts["requirements"],
        code_paths=parts["code"] or None,
    )
    loaded = mlflow.pyfunc.load_model(str(folder))
    try:
        said = np.asarray(loaded.predict(rows))
        if len(said) != len(rows):
            return f"the feature stages make {len(said)} rows of {len(rows)}: there is to be one answer for each row"
        if not np.array_equal(said, np.asarray(expected)):
            return "it does not say what the notebook's model says of the notebook's own rows"
        some = np.random.default_rng(0).permutation(len(rows))[:_SOME]
        few = rows.iloc[some].reset_index(drop=True)  # as a service makes a table of what it gets
        if not np.allclose(np.asarray(loaded.predict(few)), said[some]):
            remedy = "compute what is from all rows in a stage before, and take it from there"
            return f"what it says of a row depends on the other rows that it is given: {remedy}"
    except Exception as error:  # the notebook's code can raise anything
        return f"{type(error).__name__}: {error}"
    return ""


def _without_zones(rows: Any) -> Any:
    """The rows with times in UTC that do not say so: MLflow's schema knows of no time zones."""
    zoned = [name for name, kind in rows.dtypes.items() if getattr(kind, "tz", None) is not None]
    return rows.assign(**{name: rows[name].dt.tz_convert("UTC").dt.tz_localize(None) for name in zoned})


def _quoted(code: str) -> str:
    """The code as a text in code, to be read where that can be."""
    plain = "\\" not in code and '"""' not in code and not code.endswith('"')
    return f'"""{code}"""' if plain else repr(code)


def _mentioned(code: str) -> set[str]:
    """The texts and attributes in code: among them the names of columns that it uses."""
    nodes = list(ast.walk(ast.parse(code)))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return texts | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
