"""Windows of time that a monitor looks at: which are over, and have not been looked at yet. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from stagebook.errors import UsageError

_EPOCH = datetime(1970, 1, 5, tzinfo=timezone.utc)
"""A Monday, so that windows of weeks begin on Mondays, and those of days at midnight."""


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """From `start` on, before `end`; both in UTC."""

    start: datetime
    end: datetime

    def __str__(self) -> str:
        day = timedelta(days=1)
        if self.start.time() == self.end.time() == datetime.min.time():
            last = self.end - day
            return f"{self.start:%Y-%m-%d}" if last == self.start else f"{self.start:%Y-%m-%d} to {last:%Y-%m-%d}"
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}"


def due_windows(
    *, first: datetime, now: datetime, length: timedelta, step: timedelta, done: datetime | None = None
) -> list[TimeWindow]:
    """The windows that are over and that nobody has looked at, the oldest first.

    Their ends are whole steps from a Monday's midnight, UTC.

    Args:
        first: the first moment of which there is data; a window that ends before is none.
        now: what the time is.
        length: of a window.
        step: from the end of one to the end of the next.
        done: the end of the last window that was looked at; None where there was none.

    Raises:
        UsageError: a step is longer than a window, so that some data would never be looked at.
    """
    if step > length:
        raise UsageError("--every is longer than --window, so that some requests would never be looked at.")
    start = done if done is not None else _floor(first, step)
    end = _floor(start, step) + step
    found = []
    while end <= now:
        found.append(TimeWindow(end - length, end))
        end += step
    return found


def next_end(now: datetime, step: timedelta) -> datetime:
    """When the window that `now` lies in is over."""
    return _floor(now, step) + step


def _floor(moment: datetime, step: timedelta) -> datetime:
    return _EPOCH + (moment - _EPOCH) // step * step
