"""A scikit-learn model for ONNX Runtime: converted, and kept only where its answers are the model's own.

Both are asked of the model's example and of rows drawn from it: columns mixed, numbers moved, unknown texts, missing
values, numbers beyond all bounds. What the model itself refuses of that is told to the schema, which then refuses it
before ONNX Runtime is asked, since that would answer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from stagebook.serve.onnxtrees import integers_for_flags, set_ways_of_missing, thresholds
from stagebook.serve.schema import Column, Schema

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]
    Frame = Any  # pandas's types know too little of `iloc` and of columns' values

RELATIVE, ABSOLUTE = 1e-5, 1e-6
"""How far numbers may be apart: what single precision, in which ONNX Runtime holds trees' values, cannot tell apart."""
ABSENT = "\0"
"""What stands for a missing text: ONNX has none."""
_DIFFERENT = "its answers in ONNX Runtime are not the model's"
_ROWS = 1024
_LARGEST = {"float32": 3.4028234e38, "float64": 1.7976931348623157e308}
_KINDS = {"double": "float64", "float": "float32", "long": "int64", "integer": "int64", "string": "string"}


class NotConvertibleError(Exception):
    """ONNX Runtime is not to serve this model; the message says why."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How ONNX Runtime is asked.

    Attributes:
        single: all columns are one input, `X`; else each is one.
        types: NumPy's type of each input, in the schema's order; `string` for texts.
        output: which output is the answer.
        flat: the answer is a column, and is given as a list.
        flags: the model says true or false, for which ONNX has 1 and 0.
    """

    single: bool
    types: tuple[str, ...]
    output: int
    flat: bool
    flags: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """A converted model whose answers are the model's own.

    Attributes:
        content: the ONNX file.
        layout: how it is asked.
        schema: with what the model refuses.
        rows: on which both were asked.
        difference: the largest between numbers.
    """

    content: bytes
    layout: Layout
    schema: Schema
    rows: int
    difference: float


def proved(model: Any, method: str, schema: Schema, example: Frame) -> Proof:
    """The model for ONNX Runtime.

    Args:
        model: of scikit-learn.
        method: what it is asked by.
        schema: what it takes.
        example: rows that it takes, with the schema's columns.

    Raises:
        NotConvertibleError: there is none whose answers are the model's own.
    """
    if method not in ("predict", "predict_proba"):
        raise NotConvertibleError(f"the model is asked for `{method}`, which is not converted")
    unfit = [column.name for column in schema.columns if column.type not in _KINDS or not column.required]
    if unfit:
        raise NotConvertibleError(f"column `{unfit[0]}` is of a kind that is not converted")
    schema, table = _probes(model, method, schema, example)
    expected = _asked(model, method, schema, table)
    behind = None  # where classes are asked for, what they are chosen by: classes may agree by chance
    if method == "predict" and hasattr(model, "predict_proba"):
        behind = _asked(model, "predict_proba", schema, table)
    reasons: list[str] = []
    for layout in _layouts(schema, method, expected):
        try:
            content = _converted(model, schema, layout)
            difference = _difference(content, layout, schema, table, expected)
            if behind is not None:
                _difference(content, replace(layout, output=1, flat=False, flags=False), schema, table, behind)
        except NotConvertibleError as error:
            reasons.append(str(error))
            continue
        return Proof(content, layout, schema, len(table), difference)
    differing = [reason for reason in reasons if _DIFFERENT in reason]
    raise NotConvertibleError((differing or reasons)[0])


def _layouts(schema: Schema, method: str, expected: Array) -> Iterator[Layout]:
    """Ways to convert, the most exact first."""
    kinds = [_KINDS[column.type] for column in schema.columns]
    flat, output, flags = expected.ndim == 1, int(method == "predict_proba"), expected.dtype.kind == "b"
    for number in ("float64", "float32"):
        types = tuple(number if kind.startswith("float") else kind for kind in kinds)
        if "string" not in kinds:
            yield Layout(single=True, types=(number,) * len(kinds), output=output, flat=flat, flags=flags)
        yield Layout(single=False, types=types, output=output, flat=flat, flags=flags)


def _converted(model: Any, schema: Schema, layout: Layout) -> bytes:
    from skl2onnx import convert_sklearn
    from skl2onnx.common import data_types

    kinds = {
        "float64": data_types.DoubleTensorType,
        "float32": data_types.FloatTensorType,
        "int64": data_types.Int64TensorType,
        "string": data_types.StringTensorType,
    }
    if layout.single:
        types = [("X", kinds[layout.types[0]]([None, len(schema.columns)]))]
    else:
        pairs = zip(schema.columns, layout.types, strict=True)
        types = [(column.name, kinds[kind]([None, 1])) for column, kind in pairs]
    options = {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None
    try:
        with integers_for_flags():
            made = convert_sklearn(model, initial_types=types, options=options)
        set_ways_of_missing(made, model)
    except Exception as error:  # the converters raise what they like
        raise NotConvertibleError(f"skl2onnx does not convert it ({_first_line(error)})") from error
    content: bytes = made.SerializeToString()
    return content


def _difference(content: bytes, layout: Layout, schema: Schema, table: Frame, expected: Array) -> float:
    """How far the answers are apart at most: all at once, and of single rows.

    Raises:
        NotConvertibleError: they are not the same.
    """
    import numpy as np
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
        got = _answers(session, layout, schema, table)
        singles = [_answers(session, layout, schema, table.iloc[[row]]) for row in range(min(8, len(table)))]
    except Exception as error:  # of many classes, which are not Python's
        raise NotConvertibleError(f"ONNX Runtime does not run it ({_first_line(error)})") from error
    alone = np.concatenate(singles)
    for answers, model_says in ((got, expected), (alone, expected[: len(alone)])):
        if answers.shape != model_says.shape:
            raise NotConvertibleError("its answers in ONNX Runtime are not of the model's shape")
        if model_says.dtype.kind != "f":
            same = bool((answers.astype(str) == model_says.astype(str)).all())
        else:
            same = np.allclose(answers, model_says, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
        if not same:
            raise NotConvertibleError(f"{_DIFFERENT}, on {len(table)} rows")
    if expected.dtype.kind != "f":
        return 0.0
    return float(np.nanmax(np.abs(got - expected), initial=0.0))


def _answers(session: Any, layout: Layout, schema: Schema, table: Frame) -> Array:
    import numpy as np

    frames = {column.name: table[column.name].to_numpy() for column in schema.columns}
    feed = feed_of([frames[column.name] for column in schema.columns], layout, schema)
    answers = np.asarray(session.run(None, feed)[layout.output])
    answers = answers.astype(bool) if layout.flags else answers
    return answers.reshape(-1) if layout.flat else answers


def feed_of(values: list[Any], layout: Layout, schema: Schema) -> dict[str, Array]:
    """What ONNX Runtime takes of these columns."""
    import numpy as np

    if layout.single:
        return {"X": np.column_stack(values).astype(layout.types[0], copy=False)}
    feed = {}
    for column, kind, given in zip(schema.columns, layout.types, values, strict=True):
        if kind == "string":
            texts = [one if isinstance(one, str) else ABSENT for one in given]
            feed[column.name] = np.array(texts, dtype=object).reshape(-1, 1)
        else:
            feed[column.name] = np.asarray(given).astype(kind, copy=False).reshape(-1, 1)
    return feed


def _probes(model: Any, method: str, schema: Schema, example: Frame) -> tuple[Schema, Frame]:
    """The schema with what the model refuses, and rows that it takes.

    Raises:
        NotConvertibleError: it refuses what no schema can say.
    """
    table = _drawn(model, schema, example)
    try:
        _asked(model, method, schema, table)
    except Exception as error:  # the model's own
        told = f"of rows that its signature allows, it refuses some ({type(error).__name__})"
        raise NotConvertibleError(f"{told}, and ONNX Runtime would answer") from error
    columns = []
    for column in schema.columns:
        if column.type in ("double", "float"):
            column = replace(column, limit=_limit(model, method, schema, table, column))
        if column.type in ("double", "float", "string"):
            column = replace(column, missing=_takes(model, method, schema, table, column.name, None))
        columns.append(column)
        if column.missing and column.type in ("double", "float", "string"):
            table.iloc[5::11, table.columns.get_loc(column.name)] = None
    return replace(schema, columns=tuple(columns)), table


def _limit(model: Any, method: str, schema: Schema, table: Frame, column: Column) -> float:
    if column.type == "double" and not _takes(model, method, schema, table, column.name, 1e39):
        return _LARGEST["float32"]
    return math.inf if _takes(model, method, schema, table, column.name, math.inf) else _LARGEST["float64"]


def _takes(model: Any, method: str, schema: Schema, table: Frame, name: str, value: Any) -> bool:
    """Whether the model takes this value in one row of the column."""
    probe = table.head(3).copy()
    probe.iloc[0, probe.columns.get_loc(name)] = value
    try:
        _asked(model, method, schema, probe)
    except Exception:  # as above
        return False
    return True


def _asked(model: Any, method: str, schema: Schema, table: Frame) -> Array:
    import warnings

    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of overflow, of names: it is the answer that counts
        return np.asarray(getattr(model, method)(table.to_numpy() if schema.tensor else table))


def _drawn(model: Any, schema: Schema, example: Frame) -> Frame:
    """The example, and rows drawn from it and from where the model's trees part, always the same."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    partings = thresholds(model)
    pooled = np.concatenate([*partings.values(), np.zeros(1)])
    is_bare = hasattr(model, "n_features_in_") and not hasattr(model, "steps")
    drawn = {}
    for place, column in enumerate(schema.columns):
        near = partings.get(place, pooled) if is_bare else pooled
        drawn[column.name] = _column(column, example[column.name], near, random)
    return pd.concat([example[list(drawn)], pd.DataFrame(drawn)], ignore_index=True)


def _column(column: Column, values: Any, near: Array, random: Any) -> Any:
    """Values of a column: its own, and for numbers others around and between and far from them, and those given.

    Of those given, which decide a tree's way, there are also single precision's and what people would write for them:
    there, a conversion to the other precision goes the other way.
    """
    import numpy as np
    import pandas as pd

    known = values.dropna()
    if column.type == "string":
        texts = [*dict.fromkeys(known), "stagebook: unknown"]
        return pd.Series(random.choice(np.array(texts, dtype=object), _ROWS), dtype=values.dtype)
    numbers = known.to_numpy() if len(known) else np.zeros(1, dtype=values.dtype)
    drawn, chance = random.choice(numbers, _ROWS), random.random(_ROWS)
    if column.type in ("double", "float"):
        spread = float(np.std(numbers)) or abs(float(numbers[0])) / 10 or 1.0
        wide = np.where(random.random(_ROWS) < 0.1, 10.0, 1.0)
        drawn = np.where(chance < 0.5, drawn + random.normal(0, 1, _ROWS) * spread * wide, drawn)
        exact = random.choice(near, _ROWS)
        forms = [exact, exact.astype("f4").astype("f8"), *(exact.round(digits) for digits in (1, 2, 3))]
        drawn = np.where(chance > 0.7, np.choose(random.integers(0, len(forms), _ROWS), forms), drawn)
    else:
        drawn = np.where(chance < 0.5, random.integers(numbers.min() - 1, numbers.max() + 2, _ROWS), drawn)
    return pd.Series(drawn.astype(values.dtype))


def _first_line(error: Exception) -> str:
    """The error in a line that can be shown: some converters' messages hold the whole model."""
    line = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {line[:120]}" if line else type(error).__name__
