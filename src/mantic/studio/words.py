"""Figures and moments as a person says them."""

import time
from datetime import UTC, datetime

_STEPS = ((60, "second"), (60, "minute"), (24, "hour"), (7, "day"), (4.35, "week"), (12, "month"), (1e9, "year"))


def ago(moment: str | float, *, at: float | None = None) -> str:
    """Return how long ago a moment was.

    Parameters
    ----------
    moment : in ISO 8601, or in seconds since 1970.
    at : the present, in seconds since 1970; now when absent.

    >>> ago(0, at=7200), ago("1970-01-01T00:00:00Z", at=30)
    ('2 hours ago', 'just now')
    """
    then = moment if isinstance(moment, int | float) else _seconds(moment)
    passed = max(0.0, (time.time() if at is None else at) - then)
    if passed < 45:
        return "just now"
    for most, unit in _STEPS:
        if passed < most:
            return amount(round(passed), unit) + " ago"
        passed /= most
    raise AssertionError("no moment is so old")


def amount(number: int, unit: str, many: str = "") -> str:
    """Return a number with its unit in the right form.

    >>> amount(1, "row"), amount(1200, "row"), amount(2, "query", "queries")
    ('1 row', '1,200 rows', '2 queries')
    """
    return f"{number:,} {unit if number == 1 else many or unit + 's'}"


def size(n_bytes: float) -> str:
    """Return a number of bytes.

    >>> size(900), size(1_500_000)
    ('900 bytes', '1.5 MB')
    """
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if n_bytes >= factor:
            return f"{n_bytes / factor:,.1f} {unit}"
    return amount(int(n_bytes), "byte")


def _seconds(moment: str) -> float:
    found = datetime.fromisoformat(moment)
    return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).timestamp()
