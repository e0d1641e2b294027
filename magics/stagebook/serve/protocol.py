"""MLflow's scoring protocol: from a request's body to rows, from predictions to an answer's body."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from stagebook.serve.refusals import MalformedError, MediaTypeError
from stagebook.serve.schema import Rows

CSV, JSON, PARQUET = "text/csv", "application/json", "application/vnd.apache.parquet"
FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")


def media_type_of(header: str) -> str:
    """The media type that a `content-type` header names.

    Raises:
        MediaTypeError: it is none of those that are taken.
    """
    if header == JSON:  # nearly always
        return JSON
    kind, *parameters = (part.strip() for part in header.split(";"))
    for parameter in filter(None, parameters):
        name, _, value = parameter.partition("=")
        if name.strip().lower() != "charset":
            raise MediaTypeError("Unrecognized content type parameters: only charset is taken.")
        if value.strip(' "').lower() != "utf-8":
            raise MediaTypeError("The scoring server only supports UTF-8")
    if kind.lower() not in (CSV, JSON, PARQUET):
        taken = f"{CSV}, {JSON}, {PARQUET}"
        raise MediaTypeError(f"This predictor only supports the following content types: {taken}.")
    return kind.lower()


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in a body. As MLflow's does, it may hold NaN and Infinity.

    Raises:
        MalformedError: there is none.
    """
    import msgspec

    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            raise MalformedError("The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise MalformedError(f"The body is to be a JSON object with one of {', '.join(FORMATS)}.")
    return found


def rows_in(message: Mapping[str, Any]) -> Rows:
    """The rows of a message.

    Raises:
        MalformedError: it is not in one of the formats.
    """
    given = [name for name in FORMATS if name in message]
    if len(given) != 1:
        told = "none of them" if not given else f"{len(given)} of them"
        raise MalformedError(f"The body is to have exactly one of {', '.join(FORMATS)}, and has {told}.")
    return _READERS[given[0]](message[given[0]])


def _split(value: Any) -> Rows:
    if not isinstance(value, dict) or not isinstance(value.get("data"), list):
        raise MalformedError("dataframe_split is to be an object with a list `data`, and the list `columns`.")
    if not value.keys() <= {"columns", "data", "index"}:
        raise MalformedError("dataframe_split takes `columns`, `data` and `index`, and nothing else.")
    names = value.get("columns")
    if names is not None and not (isinstance(names, list) and all(type(name) in (str, int) for name in names)):
        raise MalformedError("dataframe_split's `columns` is to be a list of names.")
    lines = value["data"]
    rows = _lines(lines, "dataframe_split", None if names is None else len(names))
    if value.get("index") is not None and (type(value["index"]) is not list or len(value["index"]) != len(lines)):
        raise MalformedError("dataframe_split's `index` is not as long as its `data`.")
    rows.names = None if names is None else [str(name) for name in names]
    return rows


def _lines(lines: Any, where: str, width: int | None = None) -> Rows:
    """Rows without names."""
    if not all(type(line) is list for line in lines):
        raise MalformedError(f"Each row in {where} is to be a list.")
    width = width if width is not None else (len(lines[0]) if lines else 0)
    if any(len(line) != width for line in lines):
        raise MalformedError(f"The rows in {where} are not all of {width} values.")
    return Rows(None, list(zip(*lines, strict=True)) if lines else [], len(lines), lines=lines)


def _records(value: Any) -> Rows:
    if not isinstance(value, list) or not all(type(record) is dict for record in value):
        raise MalformedError("dataframe_records is to be a list of objects.")
    return _of_records(value)


def _of_records(records: Sequence[Mapping[str, Any]]) -> Rows:
    names = list(dict.fromkeys(name for record in records for name in record))
    lines = [[record.get(name) for name in names] for record in records]
    return Rows(names, list(zip(*lines, strict=True)), len(records), lines=lines)


def _instances(value: Any) -> Rows:
    if isinstance(value, list) and value and type(value[0]) is dict:
        names = value[0].keys()
        if not all(type(record) is dict and record.keys() == names for record in value):
            raise MalformedError("The objects in instances do not all have the same columns.")
        return _of_records(value)
    return _array(value, "instances")


def _inputs(value: Any) -> Rows:
    if isinstance(value, list) and value and all(type(record) is dict for record in value):
        return _of_records(value)
    if not isinstance(value, dict):
        return _array(value, "inputs")
    if value and not any(type(column) is list for column in value.values()):
        return Rows(list(value), [[one] for one in value.values()], 1)
    if not all(type(column) is list for column in value.values()):
        raise MalformedError("The columns in inputs are to be lists.")
    counts = {len(column) for column in value.values()}
    if len(counts) > 1:
        raise MalformedError("The columns in inputs are not of the same length.")
    return Rows(list(value), list(value.values()), counts.pop() if counts else 0)


def _array(value: Any, where: str) -> Rows:
    if not isinstance(value, list):
        raise MalformedError(f"{where} is to be a list of rows, or columns by their names.")
    if value and not any(type(line) is list for line in value):  # of a single column
        return Rows(None, [value], len(value))
    return _lines(value, where)


_READERS = {"dataframe_split": _split, "dataframe_records": _records, "instances": _instances, "inputs": _inputs}


def rendered(predictions: Any) -> bytes:
    """The answer to a request, byte for byte as MLflow writes it."""
    return b'{"predictions": ' + json.dumps(predictions).encode() + b"}"
