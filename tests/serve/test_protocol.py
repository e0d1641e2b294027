"""The same requests are answered as MLflow's own scoring server answers them."""

from __future__ import annotations

import io
import json

import pytest
from tests.serve.conftest import MATRIX, NAMES
from tests.serve.services import asked

RECORDS = [dict(zip(NAMES, row, strict=True)) for row in MATRIX]
COLUMNS = {name: [row[place] for row in MATRIX] for place, name in enumerate(NAMES)}
MIXED = {"x": 1.0, "n": 2, "yes": True, "text": "u", "when": "2013-07-01T08:30:00"}
JSON = "application/json"
SCORED = {
    "split": {"dataframe_split": {"columns": NAMES, "data": MATRIX}},
    "split in another order": {"dataframe_split": {"columns": NAMES[::-1], "data": [row[::-1] for row in MATRIX]}},
    "split with an index": {"dataframe_split": {"columns": NAMES, "data": MATRIX, "index": [7, 8, 9]}},
    "integers for numbers": {"dataframe_split": {"columns": NAMES, "data": [[1, 2, 3, 4]]}},
    "another column": {"dataframe_split": {"columns": [*NAMES, "e"], "data": [[*row, "z"] for row in MATRIX]}},
    "records": {"dataframe_records": RECORDS},
    "instances": {"instances": RECORDS},
    "inputs": {"inputs": COLUMNS},
    "inputs as records": {"inputs": RECORDS},
}
REFUSED = {
    "a column is missing": {"dataframe_split": {"columns": NAMES[:3], "data": [row[:3] for row in MATRIX]}},
    "no names": {"dataframe_split": {"data": MATRIX}},
    "text for a number": {"dataframe_split": {"columns": NAMES, "data": [["x", 1.0, 2.0, 3.0]]}},
    "a list for a number": {"dataframe_split": {"columns": NAMES, "data": [[[1.0], 1.0, 2.0, 3.0]]}},
    "null": {"dataframe_split": {"columns": NAMES, "data": [[None, 1.0, 2.0, 3.0]]}},
    "no rows": {"dataframe_split": {"columns": NAMES, "data": []}},
    "rows of several lengths": {"dataframe_split": {"columns": NAMES, "data": [[1.0], [1.0, 2.0]]}},
    "no format": {"rows": MATRIX},
    "two formats": {"inputs": COLUMNS, "instances": RECORDS},
    "no object": [1, 2],
    "columns of several lengths": {"inputs": {**COLUMNS, "a": [1.0]}},
}


def both(services, peers, name, body, kind=JSON):
    """What we answer, and what MLflow does."""
    body = json.dumps(body) if not isinstance(body, bytes) else body
    headers = {"content-type": kind}
    ours = services[name].ask("POST", "/invocations", body, headers)
    return ours, asked(peers, "POST", f"/{name}/invocations", body, headers)


@pytest.mark.parametrize("body", SCORED.values(), ids=SCORED)
@pytest.mark.parametrize("name", ["linear", "forest"])
def test_predictions_are_mlflows(services, peers, name, body):
    ours, theirs = both(services, peers, name, body)
    assert (ours.status, ours.headers["content-type"]) == (theirs.status, theirs.headers["content-type"]) == (200, JSON)
    assert ours.json.keys() == theirs.json.keys()
    said, wanted = ours.json["predictions"], theirs.json["predictions"]
    assert len(said) == len(wanted)
    flat = [
        pair for one, other in zip(said, wanted, strict=True) for pair in zip(listed(one), listed(other), strict=True)
    ]
    assert all(one == pytest.approx(other, rel=1e-5, abs=1e-6) for one, other in flat)


def listed(value):
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_what_mlflow_refuses_is_refused_with_its_status_and_form(services, peers, body):
    ours, theirs = both(services, peers, "linear", body)
    assert ours.status == theirs.status == 400
    assert ours.headers["content-type"] == theirs.headers["content-type"] == JSON
    assert ours.json.keys() == {"error_code", "message"} <= theirs.json.keys()


@pytest.mark.parametrize("body", [{"inputs": MATRIX}, {"instances": MATRIX}, {"dataframe_split": {"data": MATRIX}}])
def test_arrays_are_answered_as_by_mlflow(services, peers, body):
    ours, theirs = both(services, peers, "array", body)
    assert ours.status == theirs.status == 200
    assert ours.json["predictions"] == pytest.approx(theirs.json["predictions"], rel=1e-6)


@pytest.mark.parametrize(
    "row",
    [
        MIXED,
        {**MIXED, "x": 3},
        {**MIXED, "x": None},
        {**MIXED, "text": None},
        {**MIXED, "n": 4.0},
        {**MIXED, "more": 1},
    ],
    ids=["all", "integer", "missing number", "missing text", "whole number", "more"],
)
@pytest.mark.parametrize("format_", ["dataframe_records", "dataframe_split"])
def test_a_model_of_ones_own_gets_the_very_table_that_mlflow_gives_it(services, peers, row, format_):
    rows = [row, {**row, "text": "w"}]
    split = {"columns": list(row), "data": [list(one.values()) for one in rows]}
    ours, theirs = both(services, peers, "code", {format_: rows if format_.endswith("records") else split})
    assert ours.body == theirs.body  # it says which values it got, and of which types


def test_csv_is_answered_as_by_mlflow(services, peers):
    lines = "\n".join([",".join(NAMES), *(",".join(map(str, row)) for row in MATRIX)]).encode()
    ours, theirs = both(services, peers, "linear", lines, "text/csv; charset=utf-8")
    assert ours.status == theirs.status == 200
    for said, wanted in zip(ours.json["predictions"], theirs.json["predictions"], strict=True):
        assert said == pytest.approx(wanted, rel=1e-6)


def test_parquet_is_answered_as_by_mlflow(services, peers):
    import pandas as pd

    file = io.BytesIO()
    pd.DataFrame(MATRIX, columns=NAMES).to_parquet(file)
    ours, theirs = both(services, peers, "linear", file.getvalue(), "application/vnd.apache.parquet")
    assert ours.status == theirs.status == 200
    for said, wanted in zip(ours.json["predictions"], theirs.json["predictions"], strict=True):
        assert said == pytest.approx(wanted, rel=1e-6)


def test_times_in_parquet_are_answered_as_by_mlflow(services, peers):
    import pandas as pd

    file = io.BytesIO()
    times = pd.to_datetime(["2013-07-01 08:30", "2013-07-01 08:30:00.25"], format="ISO8601")
    pd.DataFrame([MIXED, MIXED]).astype({"n": "int64"}).assign(when=times).to_parquet(file)
    ours, theirs = both(services, peers, "code", file.getvalue(), "application/vnd.apache.parquet")
    assert ours.status == theirs.status == 200
    assert ours.body == theirs.body


@pytest.mark.parametrize("kind", ["text/plain", "application/json; charset=latin-1", "application/json; speed=high"])
def test_a_content_type_that_is_not_taken_is_answered_as_by_mlflow(services, peers, kind):
    ours, theirs = both(services, peers, "linear", SCORED["split"], kind)
    assert ours.status == theirs.status == 415
    assert ours.headers["content-type"] == theirs.headers["content-type"]


@pytest.mark.parametrize("path", ["/ping", "/health", "/version"])
def test_other_routes_say_what_mlflows_say(services, peers, path):
    ours, theirs = services["linear"].ask("GET", path), asked(peers, "GET", f"/linear{path}")
    assert (ours.status, ours.body, ours.headers["content-type"]) == (200, theirs.body, theirs.headers["content-type"])


@pytest.mark.parametrize(("method", "path"), [("GET", "/invocations"), ("POST", "/ping"), ("GET", "/nothing")])
def test_a_wrong_method_or_path_is_answered_as_by_mlflow(services, peers, method, path):
    ours, theirs = services["linear"].ask(method, path), asked(peers, method, f"/linear{path}")
    assert (ours.status, ours.json) == (theirs.status, theirs.json)


def test_nan_and_infinity_may_be_written_as_python_does(services, peers):
    body = b'{"dataframe_records": [{"x": NaN, "n": 1, "yes": true, "text": "u", "when": "2013-07-01"}]}'
    ours, theirs = both(services, peers, "code", body)
    assert ours.status == 200
    assert ours.body == theirs.body
