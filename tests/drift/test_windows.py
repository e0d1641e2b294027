"""Which windows of time are due."""

from datetime import datetime, timedelta, timezone

import pytest

from stagebook.drift.times import length_of, moment_of
from stagebook.drift.windows import TimeWindow, due_windows, next_end
from stagebook.errors import UsageError

DAY, WEEK = timedelta(days=1), timedelta(days=7)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def due(first, now, length, step, done=None):
    return [str(one) for one in due_windows(first=at(first), now=at(now), length=length, step=step, done=done)]


def test_each_day_that_is_over_is_due_once():
    assert due("2026-11-01T10:00", "2026-11-04T09:00", DAY, DAY) == ["2026-11-01", "2026-11-02", "2026-11-03"]
    assert due("2026-11-01T10:00", "2026-11-04T09:00", DAY, DAY, at("2026-11-03")) == ["2026-11-03"]
    assert due("2026-11-01T10:00", "2026-11-04T09:00", DAY, DAY, at("2026-11-04")) == []


def test_a_day_that_is_not_over_is_not_due():
    assert due("2026-11-01T10:00", "2026-11-01T23:59", DAY, DAY) == []
    assert due("2026-11-01T10:00", "2026-11-02T00:00", DAY, DAY) == ["2026-11-01"]


def test_weeks_begin_on_mondays_and_may_overlap():
    assert due("2026-11-24", "2026-12-08", WEEK, WEEK) == ["2026-11-23 to 2026-11-29", "2026-11-30 to 2026-12-06"]
    assert due("2026-11-24", "2026-11-26", WEEK, DAY) == ["2026-11-18 to 2026-11-24", "2026-11-19 to 2026-11-25"]


def test_parts_of_a_day_are_told_with_their_times():
    hour = timedelta(hours=1)
    assert due("2026-11-01T10:20", "2026-11-01T11:05", hour, hour) == ["2026-11-01 10:00 to 2026-11-01 11:00"]


def test_a_gap_between_windows_is_refused():
    with pytest.raises(UsageError, match="--every is longer than --window"):
        due("2026-11-01", "2026-11-04", DAY, WEEK)


def test_the_next_end_is_when_the_window_of_now_is_over():
    assert next_end(at("2026-11-25T13:00"), WEEK) == at("2026-11-30")
    assert next_end(at("2026-11-30"), WEEK) == at("2026-12-07")


@pytest.mark.parametrize(
    ("text", "length"),
    [("30m", timedelta(minutes=30)), ("12h", timedelta(hours=12)), ("1.5d", timedelta(hours=36)), ("2w", WEEK * 2)],
)
def test_lengths(text, length):
    assert length_of(text) == length


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "7 moons"])
def test_what_is_no_length(text):
    with pytest.raises(UsageError, match="is no length of time. Write it as"):
        length_of(text)


def test_moments_are_in_utc_or_so_long_ago():
    assert moment_of("2026-11-30T08:00+01:00") == at("2026-11-30T07:00")
    assert moment_of("2026-11-30") == at("2026-11-30")
    assert moment_of("7d", now=at("2026-11-30")) == at("2026-11-23")
    assert moment_of(None) is None


def test_a_window_is_told_by_its_days():
    assert str(TimeWindow(at("2026-11-30"), at("2026-12-01"))) == "2026-11-30"
