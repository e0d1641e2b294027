"""The handlers are as `openapi.yaml` describes them: whatever is asked, and what is answered to what is in order."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from jsonschema import Draft202012Validator
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from tests.server.jupyter import TOKEN

from stagebook.lab.bodies import description

CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]
QUIETLY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), derandomize=True)
SLOW = ("GET /values", "GET /runs/{run}/page")
OPERATIONS = {
    f"{operation.method.upper()} {operation.path}": operation
    for operation in (result.ok() for result in schemathesis.openapi.from_dict(description()).get_all_operations())
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_whatever_is_asked_is_answered_as_described(server, ran, name):
    operation = OPERATIONS[name]
    known = {"run": ran.failed[2]["run"], "job": ran.failed[0]["job"], "path": ran.path, "stage": "load"}

    @settings(
        max_examples=4 if name in SLOW else 12,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(case=operation.as_strategy(), is_known=booleans())
    def ask(case, is_known):
        if is_known and name != "POST /jobs":  # of a notebook that is there, unless that would start runs
            for part in (case.query, case.path_parameters, case.body):
                if isinstance(part, dict):
                    part.update({key: known[key] for key in part.keys() & known.keys()})
        case.call_and_validate(
            base_url=f"{server.url}/stagebook/api",
            headers={"Authorization": f"token {TOKEN}"},
            checks=CHECKS,
        )

    ask()


def test_every_route_is_described():
    from stagebook.lab.handlers import ROUTES

    described = {path.strip("/") for path in description()["paths"]}
    named = {"{run}", "{job}", "{name}"}
    plain = {"/".join("([^/]+)" if part in named else part for part in path.split("/")) for path in described}
    assert plain == {pattern for pattern, _ in ROUTES}
    for path, methods in description()["paths"].items():
        handler = next(one for pattern, one in ROUTES if pattern.split("/")[0] == path.split("/")[1])
        assert all(hasattr(handler, method) or "{" in path for method in methods)


SCHEMAS = {
    "analyse": "Analysis",
    "analyse_wrong": "Analysis",
    "analyse_without_stages": "Analysis",
    "suggest": "Suggestion",
    "runs": "Runs",
    "run": "RunDetail",
    "compare": "Comparison",
    "job": "Job",
    "jobs": "Jobs",
    "end": "JobEnd",
    "values": "Values",
    "figures": "Figures",
    "monitors": "Monitors",
    "exporters": "Exporters",
    "written": "ExportWritten",
    "error": "Error",
}


def test_answers_to_what_is_in_order_are_as_described(answers):
    assert answers.keys() == {*SCHEMAS, "events"}
    described = [(SCHEMAS[name], answers[name]) for name in SCHEMAS]
    for kind, answer in [*described, *(("Event", event) for event in answers["events"])]:
        reference = {"$ref": f"#/components/schemas/{kind}"}
        Draft202012Validator({**reference, "components": description()["components"]}).validate(answer)
