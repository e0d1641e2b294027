"""What came of test cells, as text for a terminal, as JSON, and as JUnit's XML."""

from __future__ import annotations

import json
import re
from itertools import dropwhile
from typing import TYPE_CHECKING, Any

from stagebook.text import counted, seconds

if TYPE_CHECKING:
    from stagebook.run.testing import Tested, TestReport

_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML has no place for."""
_TOLD = ("stage", "cell", "title", "outcome", "duration", "reason", "stale")
_RAISED = ("name", "message", "cell", "line", "trail", "remedy")


def result_line(tested: Tested) -> str:
    """A test in a line: what came of it, its stage, its title, seconds, or why it was skipped."""
    told = tested.reason if tested.outcome == "skipped" else seconds(tested.duration)
    return f"{tested.outcome:7}  {tested.stage}: {tested.title} ({told})"


def failure_lines(tested: Tested) -> list[str]:
    """The cell up to the line that raised, `>` before that; then the exception, `E` before its lines.

    Where what the cell called raised, the way there stands between them. Where the cell was not run, only why.
    """
    failure = tested.failure
    if failure is None:
        return []
    lines = tested.source.splitlines()[: failure.line] if failure.cell == tested.cell else []
    shown = list(dropwhile(lambda line: not line.strip(), lines))
    marked = [f"    {line}".rstrip() for line in shown[:-1]] + [f">   {line}" for line in shown[-1:]]
    way = [f"    {step}" for step in failure.trail]
    place = f"cell {failure.cell}: " if failure.cell not in (0, tested.cell) else ""
    told = f"{place}{failure.name}: {failure.message}".rstrip(": ")
    told = f"{told} {failure.remedy}" if failure.remedy else told
    return [*marked, *(["", *way, ""] if way else []), *(f"E   {line}".rstrip() for line in told.splitlines())]


def failure_text(tested: Tested) -> str:
    """A test that failed: where, the cell and the exception, what the cell put out."""
    line = tested.failure.line if tested.failure is not None and tested.failure.cell == tested.cell else 0
    place = f"cell {tested.cell}" + (f", line {line}" if line else "")
    title = f"{tested.title}, {place}" if tested.title != f"cell {tested.cell}" else place
    parts = [f"{tested.stage}: {title}", *failure_lines(tested)]
    if tested.output:
        parts += ["Output of the cell:", *(f"    {line}".rstrip() for line in tested.output.splitlines())]
    return "\n".join(parts)


def report_sum(report: TestReport) -> str:
    """How many passed, failed, could not be run, were skipped, and how long it took."""
    told = [f"{report.count('passed')} passed"]
    if report.count("failed"):
        told.append(f"{report.count('failed')} failed")
    if report.count("error"):
        told.append(counted(report.count("error"), "error"))
    if report.count("skipped"):
        told.append(f"{report.count('skipped')} skipped")
    return f"{', '.join(told)} in {seconds(report.duration)}."


def report_json(report: TestReport) -> str:
    """All of it, for scripts."""
    tests = [_plain(tested) for tested in report.tested]
    return json.dumps({"notebook": str(report.notebook), "passed": report.passed, "tests": tests}, indent=2)


def _plain(tested: Tested) -> dict[str, Any]:
    failure = tested.failure
    told = {name: getattr(tested, name) for name in _TOLD}
    raised = {name: getattr(failure, name) for name in _RAISED} if failure is not None else None
    return {**told, "failure": raised, "output": tested.output}


def report_junit(report: TestReport) -> str:
    """The tests as JUnit writes them, for services that show test results: a class for each stage."""
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    counts = {"failures": "failed", "errors": "error", "skipped": "skipped"}
    numbers = {name: str(sum(one.outcome == outcome for one in report.tested)) for name, outcome in counts.items()}
    common = {"name": report.notebook.name, "tests": str(len(report.tested)), "time": f"{report.duration:.3f}"}
    root = Element("testsuites")
    suite = SubElement(root, "testsuite", {**common, **numbers})
    for tested in report.tested:
        stage = f"{report.notebook.stem}.{tested.stage}"
        named = {"classname": stage, "name": tested.title, "time": f"{tested.duration:.3f}"}
        case = SubElement(suite, "testcase", _printable(named))
        if tested.outcome == "skipped":
            SubElement(case, "skipped", _printable({"message": tested.reason}))
        elif tested.failure is not None:
            kind = "failure" if tested.outcome == "failed" else "error"
            message = f"{tested.failure.name}: {tested.failure.message}".rstrip(": ")
            told = SubElement(case, kind, _printable({"message": message, "type": tested.failure.name}))
            told.text = _UNPRINTABLE.sub("�", "\n".join(failure_lines(tested)))
        if tested.output:
            SubElement(case, "system-out").text = _UNPRINTABLE.sub("�", tested.output)
    indent(root)
    return f"<?xml version='1.0' encoding='utf-8'?>\n{tostring(root, encoding='unicode')}"


def _printable(attributes: dict[str, str]) -> dict[str, str]:
    return {name: _UNPRINTABLE.sub("�", value) for name, value in attributes.items()}
