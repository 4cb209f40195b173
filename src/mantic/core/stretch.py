"""A stretch of time in whole days, in words: "90d", "12w"."""

import re

from mantic.core.errors import SettingsError

_UNITS = {"d": 1, "w": 7}
_MOST_DAYS = 36_500


def days_of(words: str) -> int:
    """Return how many days "90", "90d" or "12w" are.

    Raises
    ------
    SettingsError : if it is none of these, or no days at all, or more than a hundred years.

    >>> days_of("12w"), days_of("90")
    (84, 90)
    """
    found = re.fullmatch(r"(\d{1,6})\s*([dw]?)", str(words).strip().lower())
    days = int(found[1]) * _UNITS[found[2] or "d"] if found else 0
    if not 1 <= days <= _MOST_DAYS:
        raise SettingsError(f"'{str(words)[:20]}' are no days", where="a stretch of time", fix="write 90d or 12w")
    return days
