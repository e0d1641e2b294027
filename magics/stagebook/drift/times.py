"""Points in time and lengths of time as people write them: `7d`, `12h`, `2026-11-30`, `2026-11-30T08:00`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from stagebook.errors import UsageError

_LENGTH = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def length_of(text: str) -> timedelta:
    """A length of time: a number and `s`, `m`, `h`, `d` or `w`.

    Raises:
        UsageError: it is none.
    """
    match = _LENGTH.fullmatch(text.strip())
    if match is None or not float(match["number"]):
        raise UsageError(f"`{text}` is no length of time. Write it as 30m, 12h, 7d or 2w.")
    return timedelta(**{_UNITS[match["unit"]]: float(match["number"])})


def moment_of(text: str | None, *, now: datetime | None = None) -> datetime | None:
    """A point in time, in UTC: a date, a date and a time, or how long ago it was; None for none.

    Args:
        text: what was written; without a time zone, UTC is meant.
        now: from when on `7d` is counted back.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    if _LENGTH.fullmatch(text.strip()):
        return (now or datetime.now(timezone.utc)) - length_of(text)
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise UsageError(f"`{text}` is no time. Write 2026-11-30, 2026-11-30T08:00, or 7d for a week ago.") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
