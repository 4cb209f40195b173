"""Which stretch of time is looked at, and the quarter within which false alarms are counted."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mantic.core.errors import SettingsError

_UNITS = {"h": 1.0, "d": 24.0, "w": 168.0}  # hours
_LONGEST_DAYS = 400
_BY_HOUR = timedelta(days=2)  # up to here, rows are counted by the hour
_STORED = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d"}  # how a moment in the store begins
_LENGTH = {"hour": 13, "day": 10}


@dataclass(frozen=True)
class Period:
    """From `since` to before `until`, both in UTC."""

    since: datetime
    until: datetime

    @property
    def by(self) -> str:
        """Return by what rows are counted: "hour" or "day"."""
        return "hour" if self.until - self.since <= _BY_HOUR else "day"

    def slots(self) -> list[str]:
        """Return every hour or day that the period touches, as the store's moments begin.

        >>> last("3h", now=datetime(2026, 5, 1, 12, 30, tzinfo=UTC)).slots()
        ['2026-05-01T09', '2026-05-01T10', '2026-05-01T11', '2026-05-01T12']
        """
        step = timedelta(hours=1) if self.by == "hour" else timedelta(days=1)
        at = self.since.replace(minute=0, second=0, microsecond=0)
        at = at if self.by == "hour" else at.replace(hour=0)
        found = []
        while at < self.until:
            found.append(at.strftime(_STORED[self.by]))
            at += step
        return found

    def slot_of(self, moment: str) -> str:
        """Return the hour or day of a moment of the store."""
        return moment[: _LENGTH[self.by]]


def last(words: str, *, now: datetime | None = None) -> Period:
    """Return the stretch that "24h", "7d" or "4w" means, up to now.

    Raises
    ------
    SettingsError : if it is none of these, or longer than 400 days.

    >>> last("7d", now=datetime(2026, 5, 8, tzinfo=UTC)).since.isoformat()
    '2026-05-01T00:00:00+00:00'
    """
    found = re.fullmatch(r"(\d{1,5})\s*([hdw])", words.strip())
    hours = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not 0 < hours <= 24 * _LONGEST_DAYS:
        raise SettingsError(
            f"'{words[:20]}' is no stretch of time up to {_LONGEST_DAYS} days",
            where="--since",
            fix="write 24h, 7d or 4w",
        )
    until = datetime.now(UTC) if now is None else now
    return Period(until - timedelta(hours=hours), until)


def weeks(now: datetime) -> list[Period]:
    """Return the weeks of the calendar's quarter up to now; the last one is not over yet.

    They are counted from the quarter's first day, so that a week stays the same week until the quarter ends.

    >>> [one.since.day for one in weeks(datetime(2026, 4, 16, tzinfo=UTC))]
    [1, 8, 15]
    """
    start = datetime(now.year, 1 + 3 * ((now.month - 1) // 3), 1, tzinfo=UTC)
    found = []
    while start < now:
        end = start + timedelta(days=7)
        found.append(Period(start, min(end, now)))
        start = end
    return found or [Period(start, start)]
