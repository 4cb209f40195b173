"""Figures and moments as a person says them."""

import time
from datetime import UTC, datetime

from mantic.report.numbers import amount

_STEPS = ((60, "second"), (60, "minute"), (24, "hour"), (7, "day"), (4.35, "week"), (12, "month"), (1e9, "year"))
# The first that is found counts: all say that they are Mozilla, most that they are Safari.
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


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


def until(moment: float, *, at: float | None = None) -> str:
    """Return how long it is to a moment, or that it is past; both in seconds since 1970.

    >>> until(90 * 86_400, at=0), until(10, at=20)
    ('3 months', 'past')
    """
    left = moment - (time.time() if at is None else at)
    return ago(0, at=left).removesuffix(" ago").replace("just now", "some seconds") if left > 0 else "past"


def browser(agent: str) -> str:
    """Return what a browser is, from the long name that it gives itself; the name itself where it is another's.

    >>> browser("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"), browser("curl/8")
    ('Firefox on Linux', 'curl/8')
    """
    kind = next((words for sign, words in _BROWSERS if sign in agent), "")
    system = next((words for sign, words in _SYSTEMS if sign in agent), "")
    return f"{kind} on {system}" if kind and system else agent[:60] or "unknown"


def size(n_bytes: float) -> str:
    """Return a number of bytes.

    >>> size(900), size(1_500_000)
    ('900 bytes', '1.5 MB')
    """
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if n_bytes >= factor:
            return f"{n_bytes / factor:,.1f} {unit}"
    return amount(int(n_bytes), "byte")


def clock(seconds: float) -> str:
    """Return a length of time, rounded down.

    >>> clock(7.9), clock(90), clock(7_500)
    ('7 s', '1 min 30 s', '2 h 5 min')
    """
    whole = int(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if whole < 60:
        return f"{whole} s"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"


def _seconds(moment: str) -> float:
    found = datetime.fromisoformat(moment)
    return (found.replace(tzinfo=UTC) if found.tzinfo is None else found).timestamp()
