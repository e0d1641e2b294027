"""Targets are judged by medians, against the better peer; the report says so. Rows in, verdicts and text out."""

from __future__ import annotations

import pytest
from benchmarks.report import Contender, report
from benchmarks.rows import Cell, Round, Row, Table
from benchmarks.targets import TARGETS, Target, judge

OURS, FIRST, SECOND = (Cell("s", "cold", name) for name in ("stagebook", "first", "second"))
TARGET = Target("a against b", OURS, (FIRST, SECOND), 0.5)
PAPERMILL = "two-branch notebook, cold, against Papermill"


def rows(cell, *values):
    """Rounds 1, 2, ... of a cell."""
    return tuple(
        Row(cell.session, cell.situation, cell.contender, number, value) for number, value in enumerate(values, 1)
    )


CASES = [
    # ours, first, second, ratio, better peer, outcome
    ((1.0,), (4.0,), (2.0,), 0.5, "second", "met"),
    ((1.0,), (4.0,), (), 0.25, "first", "met"),
    ((3.0, 1.0, 2.0), (4.0, 4.0, 4.0), (), 0.5, "first", "met"),
    ((2.1, 2.1), (4.0, 4.0), (9.0, 9.0), 0.525, "first", "missed"),
    ((1.0,), (), (), None, "", "not measured"),
    ((), (1.0,), (), None, "", "not measured"),
]


@pytest.mark.parametrize(("ours", "first", "second", "ratio", "peer", "outcome"), CASES)
def test_medians_are_compared_with_the_better_peer(ours, first, second, ratio, peer, outcome):
    verdict = judge(TARGET, Table(rows(OURS, *ours) + rows(FIRST, *first) + rows(SECOND, *second)))
    assert verdict.ratio == pytest.approx(ratio)
    assert (verdict.peer, verdict.outcome) == (peer, outcome)


def test_the_spread_is_of_ratios_within_one_round():
    verdict = judge(TARGET, Table(rows(OURS, 1.0, 2.0, 9.0) + rows(FIRST, 4.0, 2.0)))
    assert (verdict.lowest, verdict.highest, verdict.rounds) == (0.25, 1.0, 2)


def test_rehearsals_do_not_count():
    rehearsal = Row("s", "cold", "stagebook", 0, 100.0)
    table = Table.of([Round((rehearsal,)), Round(rows(OURS, 1.0))])
    assert table.median(OURS) == 1.0


def test_every_target_has_a_title_of_its_own_and_names_peers():
    assert len({target.title for target in TARGETS}) == len(TARGETS)
    assert all(target.peers for target in TARGETS)


def branches(ours, papermill):
    """A round of each, of the notebook with two branches."""
    return Round(
        rows(Cell("branches", "cold", "stagebook"), *ours) + rows(Cell("branches", "cold", "papermill"), *papermill)
    )


def told(*rounds, notes=""):
    """The report of these rounds."""
    who = {
        "stagebook": Contender("Stagebook", "1.0, commit abc"),
        "papermill": Contender("Papermill", "2.7.0"),
        "dagster": Contender("Dagster", "", "it does not install: no wheel"),
    }
    return report(rounds, who, {"processor": "x"}, notes)


def line_of(text, title):
    """The cells of the table's line that begins with this."""
    line = next(line for line in text.splitlines() if line.startswith(f"| {title} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_report_names_ratio_spread_and_outcome():
    text = told(branches((6.0, 5.0, 9.0), (10.0, 10.0, 12.0)))
    assert line_of(text, PAPERMILL) == [PAPERMILL, "0.60", "0.60", "0.50 to 0.75 (3)", "papermill", "met"]
    assert "Missed" not in text


def test_a_missed_target_is_told_by_how_much_and_with_what_is_written_on_it():
    text = told(branches((9.0,), (10.0,)), notes=f"# Notes\n\n## {PAPERMILL}\n\nImports take it.\n\n## other\n\nNo.\n")
    assert f"### Missed: {PAPERMILL}\n\n0.90 where 0.60 is aimed at: 1.5 times as much. Imports take it." in text


def test_a_missed_target_without_a_note_says_so():
    assert "No note on it yet." in told(branches((9.0,), (10.0,)))


def test_what_was_not_measured_is_told_and_not_left_out():
    text = told(branches((5.0,), (10.0,)))
    for target in TARGETS:
        assert line_of(text, target.title)[-1] == ("met" if target.title == PAPERMILL else "not measured")


def test_who_did_not_take_part_or_failed_is_named_with_the_reason():
    failed = Round((), {"papermill": "cold: it printed no result\nand more"})
    text = told(branches((5.0,), (10.0,)), failed).partition("## Who took part")[2]
    assert line_of(text, "Dagster")[2] == "not installed: it does not install: no wheel"
    assert line_of(text, "Papermill")[2] == "failed: cold: it printed no result"


def test_a_measurement_that_failed_is_named_with_the_reason():
    text = told(
        branches((5.0,), (10.0,)),
        Round((), {"handoff": "`python x` ended with status 1: Traceback\nNo file /a/b/c.txt."}),
    )
    assert "## Not measured\n\n- handoff: No file c.txt.\n" in text


def test_rounds_are_kept_as_they_were(tmp_path):
    one = Round((Row("s", "cold", "stagebook", 1, 0.25, ('{"a": 1}',)),), {"peer": "why"})
    one.save(tmp_path / "new" / "s-1.json")
    assert Round.load(tmp_path / "new" / "s-1.json") == one
