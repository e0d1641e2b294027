"""What is wrong with a request is said by the column's name, and nothing else is given away."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import suppress

import pytest
from tests.serve.conftest import MATRIX, NAMES
from tests.serve.services import until

ROW = {"x": 1.0, "n": 2, "yes": True, "text": "u", "when": "2013-07-01T08:30:00"}
GOOD = {"dataframe_split": {"columns": NAMES, "data": MATRIX}}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"x": "1.5"}, "`x` holds text in row 1: it takes numbers"),
        ({"x": True}, "`x` holds true or false"),
        ({"n": 1.5}, "`n` holds a number that is no integer"),
        ({"n": None}, "`n` holds null"),
        ({"n": 2**70}, "`n` holds an integer that is too large"),
        ({"yes": 1}, "`yes` holds an integer"),
        ({"text": 7}, "`text` holds an integer"),
        ({"text": {"a": 1}}, "`text` holds an object"),
        ({"when": "soon"}, "`when` holds what is no time in row 1: write 2013-07-01T08:30:00."),
        ({"when": "2013-07-01T08:30:00Z"}, "`when` holds times with a time zone, and takes none"),
    ],
)
def test_the_column_is_named(services, changed, told):
    answer = services["code"].score({"dataframe_records": [{**ROW, **changed}]})
    assert answer.status == 400
    assert told in answer.json["message"]


def test_missing_columns_are_named(services):
    answer = services["linear"].score({"dataframe_records": [{"a": 1.0, "d": 2.0}]})
    assert "Missing are `b`, `c`: the model takes `a`, `b`, `c`, `d`." in answer.json["message"]


def test_two_columns_of_one_name_are_refused(services):
    answer = services["linear"].score({"dataframe_split": {"columns": [*NAMES, "a"], "data": [[1, 2, 3, 4, 5]]}})
    assert answer.status == 400
    assert "same name" in answer.json["message"]


@pytest.mark.parametrize("value", ["null", "NaN", "Infinity", "-Infinity", "1e999"])
def test_what_the_model_itself_refuses_is_refused_before_onnx_runtime_answers(services, value):
    assert "ONNX Runtime" in services["linear"].line
    body = f'{{"dataframe_records": [{{"a": 1.0, "b": 2.0, "c": {value}, "d": 0.0}}]}}'
    answer = services["linear"].score(body)
    assert answer.status == 400
    assert "Column `c` has a" in answer.json["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"inputs": ' * 5000,
        b"null",
        b'{"dataframe_split": 7}',
        b'{"dataframe_split": {"columns": [["a"]], "data": [[1]]}}',
        b'{"dataframe_records": [1]}',
        b'{"inputs": "Zx8k2QwPv7"}',
        b'{"instances": [{"a": 1}, {"b": 1}]}',
    ],
)
@pytest.mark.parametrize("name", ["linear", "code", "array"])
def test_malformed_bodies_are_told_so_and_nothing_of_them_is_echoed(services, name, body):
    answer = services[name].score(body)
    assert answer.status == 400
    assert answer.json.keys() == {"error_code", "message"}
    assert "Zx8k2QwPv7" not in answer.body.decode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/csv", b"a,b\n1"), ("text/csv", b"\xff"), ("text/csv", b""), ("application/vnd.apache.parquet", b"PAR1 no")],
)
def test_malformed_files_are_told_so(services, kind, body):
    answer = services["linear"].ask("POST", "/invocations", body, {"content-type": kind})
    assert answer.status == 400
    assert answer.json["message"]


def test_a_parquet_file_of_few_bytes_and_many_rows_is_too_large(services):
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pa.table(dict.fromkeys(NAMES, pa.array([0.0] * 1_000_000))), file)
    assert len(file.getvalue()) < 1 << 20
    answer = services["linear"].ask(
        "POST", "/invocations", file.getvalue(), {"content-type": "application/vnd.apache.parquet"}
    )
    assert answer.status == 413


def test_an_error_of_the_models_gives_away_neither_rows_nor_paths(services):
    answer = services["code"].score({"dataframe_records": [{**ROW, "text": "fail", "x": None}]})
    assert answer.status == 400
    assert "missing values in `x`" in answer.json["message"]
    assert "secret" not in answer.body.decode()
    told = services["code"].told.read_text(encoding="utf-8")
    assert "secret" not in told
    assert "Traceback" not in told


def test_a_request_without_a_content_type_is_told_which_there_are(services):
    answer = services["linear"].ask("POST", "/invocations", json.dumps(GOOD))
    assert answer.status == 415
    assert b"application/json" in answer.body


def test_limits_and_token(serving, tmp_path):
    """One service for all that a service can be told not to take."""
    service = serving(
        "code", "--no-log", "--max-body", "0.01", "--concurrency", "1", STAGEBOOK_SERVE_TOKEN="Zx8k2QwPv7"
    )
    key = {"authorization": "Bearer Zx8k2QwPv7"}
    good = {"dataframe_records": [ROW]}

    assert service.score(good).status == 401
    assert service.score(good, headers={"authorization": "Bearer Zx8k2QwPv"}).status == 401
    assert service.ask("GET", "/metrics").status == 401
    assert service.ask("GET", "/openapi.json").status == 401
    assert service.ask("GET", "/ping").status == 200
    assert service.score(good, headers=key).status == 200

    large = {"dataframe_records": [ROW] * 200}
    assert service.score(large, headers=key).status == 413
    assert in_pieces(service, json.dumps(large).encode(), key) == 413

    gate = tmp_path / "gate"
    gate.touch()
    answers = []
    waiting = {"dataframe_records": [{**ROW, "text": str(gate)}]}

    def taken():  # those that ask whether it is full may be in its way: then it is told to ask again
        status = service.score(waiting, headers=key).status
        return status if status != 429 else None

    thread = threading.Thread(target=lambda: answers.append(until(taken)))
    thread.start()
    full = until(lambda: (one := service.score(good, headers=key)).status == 429 and one)
    assert full.headers["retry-after"] == "1"
    assert service.ask("GET", "/ping").status == 200
    gate.unlink()
    thread.join()
    assert answers == [200]
    assert service.score(good, headers=key).status == 200

    service.stop()
    assert "Zx8k2QwPv7" not in service.told.read_text(encoding="utf-8") + service.line


def in_pieces(service, body, headers):
    """The status that a body gets whose length is not said before."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    try:
        parts = (body[start : start + 4096] for start in range(0, len(body), 4096))
        headers = {**headers, "content-type": "application/json"}
        with suppress(BrokenPipeError):  # it is refused before all of it is there
            connection.request("POST", "/invocations", parts, headers, encode_chunked=True)
        return connection.getresponse().status
    finally:
        connection.close()
