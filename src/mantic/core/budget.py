"""A budget in words ("60s", "5m", "8 trials", "60s, 1ms per row") and the deadline that it gives."""

import re
import time
from dataclasses import dataclass, field, replace

from mantic.core.errors import SettingsError

_DEFAULT = "60s"  # where only the time for one row is given
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_TRIALS = re.compile(r"(\d+)\s*trials?")
_PER_ROW = re.compile(r"(?:(.*),)?([^,]*)\bper row")


@dataclass(frozen=True)
class Budget:
    """How much work a search may do: seconds of wall clock, or a number of trials.

    A budget in trials is repeatable to the byte; one in seconds depends on the machine. So does `row_seconds`: how long
    the model that is kept may take to answer for one row.

    >>> Budget.parse("5m").seconds, Budget.parse("8 trials").trials
    (300.0, 8)
    >>> Budget.parse("60s, 1ms per row")
    Budget(seconds=60.0, trials=None, row_seconds=0.001)
    """

    seconds: float | None = None
    trials: int | None = None
    row_seconds: float | None = None

    @classmethod
    def parse(cls, words: "str | float | Budget") -> "Budget":
        """Read "90", "90s", "1.5m", "2h" or "8 trials", and ", 1ms per row" after it; a bare number is seconds.

        Raises
        ------
        SettingsError : if the words are none of these, or the amount is zero.
        """
        if isinstance(words, Budget):
            return words
        text = str(words).strip().lower()
        if (found := _PER_ROW.fullmatch(text)) and (one := _TIME.fullmatch(found[2].strip())) and float(one[1]) > 0:
            return replace(cls.parse(found[1] or _DEFAULT), row_seconds=float(one[1]) * _UNITS[one[2] or "s"])
        if (found := _TRIALS.fullmatch(text)) and int(found[1]) > 0:
            return cls(trials=int(found[1]))
        if (found := _TIME.fullmatch(text)) and float(found[1]) > 0:
            return cls(seconds=float(found[1]) * _UNITS[found[2] or "s"])
        raise SettingsError(
            f"'{words}' is no budget",
            where="budget",
            fix="write for instance 30s, 5m, 1h, '8 trials' or '60s, 1ms per row'",
        )


@dataclass(frozen=True)
class Deadline:
    """A moment on this machine's steady clock; `inf` means that nobody waits.

    >>> Deadline.after(60).left() <= 60
    True
    """

    at: float = field(default=float("inf"))

    @classmethod
    def after(cls, seconds: float | None, *, since: float | None = None) -> "Deadline":
        """Return the moment `seconds` after `since` (now, on `time.monotonic`)."""
        if seconds is None:
            return cls()
        return cls((time.monotonic() if since is None else since) + seconds)

    def left(self) -> float:
        """Return the seconds that remain, 0 or more."""
        return max(0.0, self.at - time.monotonic())

    def earlier(self, seconds: float) -> "Deadline":
        """Return the deadline that lies `seconds` before this one."""
        return Deadline(self.at - seconds)

    @property
    def passed(self) -> bool:
        """Whether the moment is gone."""
        return self.left() <= 0


_MOST_SLOWED = 4.0


class Pace:
    """How much longer things take here now than on an idle machine: wall clock over processor time since it was made.

    >>> 1.0 <= Pace().slowdown() <= 4.0
    True
    """

    def __init__(self, *, since: float | None = None) -> None:
        self._wall = time.monotonic() if since is None else since
        self._cpu = time.process_time() if since is None else 0.0

    def slowdown(self) -> float:
        """Return the factor, 1 (nobody else computes) to 4."""
        spent = time.process_time() - self._cpu
        waited = time.monotonic() - self._wall
        return min(_MOST_SLOWED, max(1.0, waited / spent)) if spent > 0.05 else 1.0
