"""The columns that a model takes, and values that are made to fit them, or refused by the column's name.

What MLflow converts without loss is converted: integers where numbers are asked for, 2.0 where an integer is. What it
converts with a loss, or guesses at, is refused: 1.5 for an integer, "1.5" or true for a number, 1 for a text.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from stagebook.serve.refusals import MalformedError, MismatchError

if TYPE_CHECKING:
    import numpy as np

    Values = np.ndarray[Any, Any] | list[Any]

NUMPY = {"double": "f8", "float": "f4", "long": "i8", "integer": "i4", "boolean": "?"}
"""The types that are kept as arrays; `string` and `datetime` are lists."""
_FEW = 256
TYPES = frozenset({*NUMPY, "string", "datetime"})
_TENSORS = {"float64": "double", "float32": "float", "int64": "long", "int32": "integer"}
_WANTED = {
    "double": "numbers",
    "float": "numbers",
    "long": "integers",
    "integer": "integers of 32 bits",
    "boolean": "true or false",
    "string": "text",
    "datetime": "times, as text",
}
_FOUND: dict[type, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "text",
    type(None): "null",
    list: "a list",
    dict: "an object",
    date: "a day",
    datetime: "a time",
}
_NAN_TEXTS = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
        *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)
"""What pandas takes for a missing value in a CSV file."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that the model takes.

    Attributes:
        name: of a tensor's columns and unnamed ones, their number.
        type: MLflow's name of the type.
        required: whether it has to be there.
        missing: whether the model takes missing values in it.
        limit: the largest number that the model takes in it, or infinity.
        zoned: whether times in it had a time zone where the model was made: it takes them in UTC.
    """

    name: str
    type: str
    required: bool = True
    missing: bool = True
    limit: float = math.inf
    zoned: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """What a model takes.

    Attributes:
        columns: in the model's order.
        named: whether they go by their names; else by their places.
        tensor: whether the model takes an array, not a table.
    """

    columns: tuple[Column, ...]
    named: bool = True
    tensor: bool = False

    @property
    def matrix(self) -> str:
        """The type that all columns have, if all are required floats: they are one array then. Else empty."""
        types = {column.type if column.required else "" for column in self.columns}
        return types.pop() if len(types) == 1 and types <= {"double", "float"} else ""


@dataclass(slots=True)
class Rows:
    """Rows as they came: columns of plain values, with names where there were any.

    Attributes:
        names: of the columns; None where they have none.
        columns: each as long as there are rows.
        count: of the rows.
        texts: whether all values came as text, as in CSV.
        lines: the same row by row, if they came so.
        first: the number of the first one, as messages count them.
    """

    names: list[str] | None
    columns: Sequence[Sequence[Any]]
    count: int
    texts: bool = False
    lines: Sequence[Sequence[Any]] | None = None
    first: int = 1


@dataclass(slots=True)
class Batch:
    """Rows that fit: the schema's columns that are there, in its order.

    Attributes:
        columns: the schema's.
        count: of the rows.
        listed: the values of each column; None where they are in `matrix`.
        matrix: all columns in one array, where the schema's types allow it.
        first: the number of the first row, as messages count them.
    """

    columns: tuple[Column, ...]
    count: int
    listed: list[Values] | None = None
    matrix: np.ndarray[Any, Any] | None = None
    first: int = 1

    @property
    def values(self) -> list[Values]:
        """The values of each column."""
        if self.listed is not None:
            return self.listed
        assert self.matrix is not None
        return list(self.matrix.T)


def schema_of(inputs: Sequence[Mapping[str, Any]] | None, *, zoned: Collection[str] = ()) -> Schema | None:
    """The schema that a signature's inputs (MLflow's JSON) describe; None where it is not one of plain columns.

    Args:
        inputs: the signature's.
        zoned: columns whose times had a time zone, of which MLflow's types know nothing.
    """
    if not inputs:
        return None
    if inputs[0].get("type") == "tensor":
        return _tensor(inputs)
    if any(one.get("type") not in TYPES for one in inputs):
        return None
    named = all("name" in one for one in inputs)
    return Schema(
        tuple(
            Column(name, str(one["type"]), bool(one.get("required", True)), zoned=name in zoned)
            for place, one in enumerate(inputs)
            for name in (str(one["name"]) if named else str(place),)
        ),
        named=named,
    )


def _tensor(inputs: Sequence[Mapping[str, Any]]) -> Schema | None:
    spec = inputs[0].get("tensor-spec", {})
    shape, kind = spec.get("shape", ()), _TENSORS.get(spec.get("dtype"))
    if len(inputs) > 1 or "name" in inputs[0] or kind is None or len(shape) != 2 or shape[0] != -1 or shape[1] < 1:
        return None
    return Schema(tuple(Column(str(place), kind) for place in range(shape[1])), named=False, tensor=True)


def fitted(rows: Rows, schema: Schema) -> Batch:
    """The rows as the schema asks for them; columns that it does not know are left out.

    Raises:
        RefusedError: they do not fit; the message names the column.
    """
    if rows.count == 0:
        raise MalformedError("There are no rows to score.")
    quick = _as_matrix(rows, schema)
    if quick is not None:
        return _within_limits(Batch(schema.columns, rows.count, matrix=quick))
    found = _placed(rows, schema)
    columns = tuple(column for column in schema.columns if column.name in found)
    values = [_converted(found[column.name], column, rows) for column in columns]
    if not schema.matrix:
        return _within_limits(Batch(columns, rows.count, values, first=rows.first))
    import numpy as np

    return _within_limits(Batch(columns, rows.count, matrix=np.column_stack(values)))


def _as_matrix(rows: Rows, schema: Schema) -> np.ndarray[Any, Any] | None:
    """The rows as one array, where they came as they are wanted; None where it takes a closer look."""
    kind = schema.matrix
    if not kind or rows.lines is None or rows.texts:
        return None
    if schema.named and rows.names != [column.name for column in schema.columns]:
        return None
    kinds: set[type] = set()
    for line in rows.lines:
        kinds.update(map(type, line))
    if not kinds <= {float, int, type(None)}:
        return None
    import numpy as np

    try:
        matrix = np.array(rows.lines, dtype=NUMPY[kind])
    except (ValueError, OverflowError):
        return None
    return matrix if matrix.shape == (rows.count, len(schema.columns)) else None


def _placed(rows: Rows, schema: Schema) -> dict[str, Sequence[Any]]:
    """The schema's columns among those that came."""
    if not schema.named:
        if len(rows.columns) < len(schema.columns) or (schema.tensor and len(rows.columns) > len(schema.columns)):
            told = f"The model takes {len(schema.columns)} columns, and there are {len(rows.columns)}."
            raise MismatchError(told)
        return {column.name: values for column, values in zip(schema.columns, rows.columns, strict=False)}
    if rows.names is None:
        if len(schema.columns) == 1 and len(rows.columns) == 1:
            return {schema.columns[0].name: rows.columns[0]}
        raise MismatchError(f"The columns have no names, and the model goes by them: {_listed(schema.columns)}.")
    found = dict(zip(rows.names, rows.columns, strict=True))
    if len(found) < len(rows.names):
        raise MismatchError("Several columns have the same name.")
    missing = [column for column in schema.columns if column.required and column.name not in found]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise MismatchError(f"Missing {verb} {_listed(missing)}: the model takes {_listed(schema.columns)}.")
    return {column.name: found[column.name] for column in schema.columns if column.name in found}


def _listed(columns: Sequence[Column]) -> str:
    return ", ".join(f"`{column.name}`" for column in columns)


def _converted(values: Sequence[Any], column: Column, rows: Rows) -> Values:
    if rows.texts:
        values = [_read(value, column, row) for row, value in enumerate(values, rows.first)]
    kinds = set(map(type, values))
    if column.type in ("double", "float"):
        fits = kinds <= {float, int, type(None)}
    elif column.type in ("long", "integer"):
        fits = kinds <= {int} or (kinds <= {int, float} and all(float(one).is_integer() for one in values))
    elif column.type == "boolean":
        fits = kinds <= {bool}
    else:
        if column.type == "datetime" and any(issubclass(kind, date) for kind in kinds):  # of a Parquet file
            values = [one.isoformat() if isinstance(one, date) else one for one in values]
            kinds = set(map(type, values))
        fits = kinds <= {str, type(None)}
    if not fits:
        _refuse(values, column, rows.first)
    return _array(values, column) if column.type in NUMPY else list(values)


def _array(values: Sequence[Any], column: Column) -> np.ndarray[Any, Any]:
    import numpy as np

    try:
        if column.type in ("long", "integer"):
            return np.array([int(one) for one in values], dtype=NUMPY[column.type])
        return np.array(values, dtype=NUMPY[column.type])
    except (OverflowError, ValueError):
        told = f"Column `{column.name}` holds an integer that is too large for its type, {column.type}."
        raise MismatchError(told) from None


def _refuse(values: Sequence[Any], column: Column, first: int) -> None:
    """Say which value is not of the column's type, without saying what it is."""
    for row, value in enumerate(values, first):
        found = _FOUND.get(type(value), "something else")
        if column.type in ("long", "integer") and isinstance(value, float):
            if value.is_integer():
                continue
            found = "a missing value" if math.isnan(value) else "a number that is no integer"
        if not _fits(value, column.type):
            told = (
                f"Column `{column.name}` holds {found} in row {row}: it takes {_WANTED[column.type]} ({column.type})."
            )
            raise MismatchError(told)
    raise MismatchError(f"Column `{column.name}` takes {_WANTED[column.type]} ({column.type}).")


def _fits(value: Any, kind: str) -> bool:
    if kind in ("double", "float"):
        return value is None or type(value) in (int, float)
    if kind in ("long", "integer"):
        return type(value) is int
    if kind == "boolean":
        return type(value) is bool
    return value is None or type(value) is str


def _read(text: Any, column: Column, row: int) -> Any:
    """A value of a CSV file."""
    if type(text) is not str:
        return text
    if text in _NAN_TEXTS:
        return None
    try:
        if column.type in ("double", "float"):
            return float(text)
        if column.type in ("long", "integer"):
            return int(text)
    except ValueError:
        told = f"Column `{column.name}` holds text in row {row}: it takes {_WANTED[column.type]} ({column.type})."
        raise MismatchError(told) from None
    if column.type == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def _within_limits(batch: Batch) -> Batch:
    """The batch, if the model takes what is missing in it, and how large it is.

    Raises:
        MismatchError: it does not.
    """
    if batch.matrix is not None and _is_plain(batch.matrix, min(column.limit for column in batch.columns)):
        return batch
    for column, values in zip(batch.columns, batch.values, strict=True):
        if column.missing and column.limit == math.inf:
            continue
        if isinstance(values, list):
            if None in values:
                raise MismatchError(f"Column `{column.name}` has a missing value: the model takes none in it.")
        elif values.dtype.kind == "f":
            _check_numbers(column, values)
    return batch


def _is_plain(matrix: np.ndarray[Any, Any], limit: float) -> bool:
    """Whether all is there and within the limit: for a few values, told quicker without NumPy."""
    if matrix.size <= _FEW:
        return all(-limit <= number <= limit for number in matrix.ravel().tolist())
    return bool(abs(matrix).max() <= limit)


def _check_numbers(column: Column, values: np.ndarray[Any, Any]) -> None:
    import numpy as np

    if not column.missing and np.isnan(values).any():
        raise MismatchError(f"Column `{column.name}` has a missing value: the model takes none in it.")
    if (np.abs(values) > column.limit).any():
        raise MismatchError(f"Column `{column.name}` has a number that is too large for the model.")
