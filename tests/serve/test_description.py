"""The service answers as its OpenAPI says, whatever is asked."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.mark.parametrize("name", ["linear", "array", "code"])
def test_whatever_is_asked_is_answered_as_described(services, name):
    service = services[name]
    document = service.ask("GET", "/openapi.json").json
    for found in schemathesis.openapi.from_dict(document).get_all_operations():
        check(found.ok(), service.port)


def check(operation, port):
    from hypothesis import given

    @settings(
        max_examples=25 if operation.path == "/invocations" else 3,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(case=operation.as_strategy())
    def ask(case):
        case.call_and_validate(base_url=f"http://127.0.0.1:{port}", checks=CHECKS)

    ask()


@pytest.mark.parametrize("name", ["linear", "array", "code", "forest"])
def test_the_example_is_scored(services, name):
    document = services[name].ask("GET", "/openapi.json").json
    body = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]
    answer = services[name].score(body["example"])
    assert answer.status == 200
    assert answer.json["predictions"]


def test_the_columns_are_described(services):
    document = services["linear"].ask("GET", "/openapi.json").json
    body = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    records = next(one for one in body["oneOf"] if "dataframe_records" in one["properties"])
    assert records["properties"]["dataframe_records"]["items"]["properties"].keys() == {"a", "b", "c", "d"}


def test_metrics_count_what_was_answered(services):
    service = services["forest"]
    before = service.metric('stagebook_requests_total{status="200"}'), service.metric("stagebook_rows_total")
    row = dict.fromkeys("abcd", 1.0)
    service.score({"dataframe_records": [row, row]})
    service.score({"dataframe_records": [{"a": 1.0}]})
    assert service.metric('stagebook_requests_total{status="200"}') == before[0] + 1
    assert service.metric("stagebook_rows_total") == before[1] + 2
    assert service.metric('stagebook_requests_total{status="400"}') >= 1
    assert service.metric('stagebook_model_info{backend="ONNX Runtime",model="forest",version="1"}') == 1
