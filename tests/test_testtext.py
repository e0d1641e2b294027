"""What came of test cells, as text, as JSON, as JUnit's XML."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from stagebook.run.job import Failure
from stagebook.run.testing import Tested, TestReport
from stagebook.testtext import failure_text, report_json, report_junit, report_sum, result_line

SOURCE = "\nlimit = 3\n\nassert limit == 4, 'no'\nprint(limit)"
FAILURE = Failure("AssertionError", "no\nassert 3 == 4", 7, line=4)
FAILED = Tested("a", 7, "cell 7", SOURCE, "failed", 0.26, FAILURE, output="so far\n<b>\x1b")
PASSED = Tested("a", 8, "No row is lost", "# No row is lost", "passed", 1.5)
STALE = Tested("b", 9, "cell 9", "assert x", "skipped", reason="stage `b` is stale", stale=True)
OFF = Tested("b", 9, "cell 9", "assert x", "skipped", reason="stage `b` was skipped")
ERROR = Tested("b", 10, "cell 10", "assert y", "error", failure=Failure("NameError", "no name", 2, "Mend it."))


def report(*tested):
    return TestReport(Path("notes/flights.ipynb"), tested, 2.04)


def test_a_line_for_each():
    assert result_line(PASSED) == "passed   a: No row is lost (1.5 s)"
    assert result_line(STALE) == "skipped  b: cell 9 (stage `b` is stale)"


def test_a_failure_shows_the_cell_up_to_its_line_the_exception_and_the_output():
    assert failure_text(FAILED).splitlines() == [
        "a: cell 7, line 4",
        "    limit = 3",
        "",
        ">   assert limit == 4, 'no'",
        "E   AssertionError: no",
        "E   assert 3 == 4",
        "Output of the cell:",
        "    so far",
        "    <b>\x1b",
    ]


def test_an_error_elsewhere_names_the_cell_and_what_to_do():
    assert failure_text(ERROR).splitlines() == ["b: cell 10", "E   cell 2: NameError: no name Mend it."]


@pytest.mark.parametrize(
    ("tested", "passed", "told"),
    [
        ((PASSED, OFF), True, "1 passed, 1 skipped in 2.0 s."),
        ((PASSED, STALE), False, "1 passed, 1 skipped in 2.0 s."),
        ((PASSED, FAILED), False, "1 passed, 1 failed in 2.0 s."),
        ((ERROR, ERROR), False, "0 passed, 2 errors in 2.0 s."),
    ],
)
def test_the_sum_and_whether_all_holds(tested, passed, told):
    assert (report(*tested).passed, report_sum(report(*tested))) == (passed, told)


def test_json_has_all_of_it():
    told = json.loads(report_json(report(FAILED, STALE)))
    assert (told["notebook"], told["passed"]) == ("notes/flights.ipynb", False)
    failed, stale = told["tests"]
    assert failed["failure"] == {
        "name": "AssertionError",
        "message": "no\nassert 3 == 4",
        "cell": 7,
        "line": 4,
        "trail": [],
        "remedy": "",
    }
    assert (stale["outcome"], stale["reason"], stale["stale"], stale["failure"]) == (
        "skipped",
        "stage `b` is stale",
        True,
        None,
    )


def test_junit_is_xml_with_a_class_for_each_stage():
    suite = ElementTree.fromstring(report_junit(report(PASSED, FAILED, STALE, ERROR)).encode())[0]
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
    assert [(case.get("classname"), case.get("name")) for case in suite] == [
        ("flights.a", "No row is lost"),
        ("flights.a", "cell 7"),
        ("flights.b", "cell 9"),
        ("flights.b", "cell 10"),
    ]
    failure = suite[1].find("failure")
    assert failure.get("message") == "AssertionError: no\nassert 3 == 4"
    assert ">   assert limit == 4" in failure.text
    assert suite[1].find("system-out").text == "so far\n<b>�", "what XML cannot hold is left out"
    assert suite[2].find("skipped").get("message") == "stage `b` is stale"
