"""The calendar of a series: which moments follow each other, as whole steps."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import numpy as np
import polars as pl

from mantic.core.errors import SettingsError
from mantic.core.table import Array

_SECOND = 1_000_000  # microseconds
_MINUTE, _HOUR, _DAY = 60 * _SECOND, 3600 * _SECOND, 86_400 * _SECOND
_WEEK, _MONDAY = 7 * _DAY, 4 * _DAY  # 1970 began on a Thursday
_LAST_DAY = 31  # the anchor of a month that is named by its last day
_EVEN = 0.9  # share of gaps of the same length from which they may be days: of months it is about 7 of 12


class Unit(StrEnum):
    """What a step is counted in."""

    STEP = "step"  # plain whole numbers
    SPAN = "span"  # equal spans of time, in microseconds
    MONTH = "month"
    BUSINESS = "business"  # Monday to Friday


_NAMES: dict[str, tuple[Unit, int]] = {
    "s": (Unit.SPAN, _SECOND), "min": (Unit.SPAN, _MINUTE), "h": (Unit.SPAN, _HOUR), "d": (Unit.SPAN, _DAY),
    "w": (Unit.SPAN, 7 * _DAY), "m": (Unit.MONTH, 1), "q": (Unit.MONTH, 3), "y": (Unit.MONTH, 12),
    "b": (Unit.BUSINESS, 1),
}  # fmt: skip
_LONGEST = {Unit.SPAN: 36_525 * _DAY, Unit.MONTH: 1_200, Unit.BUSINESS: 1, Unit.STEP: 10**9}  # a century
_ALIASES = {"ms": "m", "me": "m", "qs": "q", "qe": "q", "ys": "y", "ye": "y", "a": "y", "t": "min", "1": "step"}
_SEASONS: dict[tuple[Unit, int], tuple[int, ...]] = {
    (Unit.SPAN, _HOUR): (24, 168), (Unit.SPAN, _DAY): (7, 365), (Unit.SPAN, 7 * _DAY): (52,),
    (Unit.MONTH, 1): (12,), (Unit.MONTH, 2): (6,), (Unit.MONTH, 3): (4,), (Unit.MONTH, 6): (2,),
    (Unit.BUSINESS, 1): (5, 261),
}  # fmt: skip


@dataclass(frozen=True)
class Calendar:
    """Moments as whole steps: step 0 is an arbitrary moment, step n is n steps later.

    Parameters
    ----------
    unit, size : a step is `size` of these: plain numbers, microseconds, months, or business days.
    anchor : where the grid lies: a remainder of numbers or microseconds; the day of a month (31 is its last).
    is_date : whether moments are shown as dates, without a clock.

    >>> monthly = Calendar.named("M")
    >>> monthly.times(monthly.steps(pl.Series([date(2024, 1, 1)])) + 1).to_list()
    [datetime.date(2024, 2, 1)]
    """

    unit: Unit
    size: int = 1
    anchor: int = 0
    is_date: bool = False

    @classmethod
    def named(cls, name: str) -> "Calendar":
        """Return the calendar that a name like "h", "15min", "D", "W", "B", "M", "Q", "Y" or "step" stands for.

        Raises
        ------
        SettingsError : if there is no such frequency.
        """
        found = re.fullmatch(r"(\d{0,9})\s*([A-Za-z]+)", name.strip())
        word = found[2].lower() if found else ""
        word = _ALIASES.get(word, word)
        times = int(found[1] or 1) if found else 0
        if word == "step" and 0 < times <= _LONGEST[Unit.STEP]:
            return cls(Unit.STEP, times)
        unit, size = _NAMES.get(word, (Unit.STEP, 0))
        if not 0 < size * times <= _LONGEST[unit]:
            known = "s, min, h, D, B, W, M, Q, Y, step, and multiples like 15min or 2W"
            raise SettingsError(f"'{name}' is no frequency", where="freq", fix=f"known are: {known}")
        is_date = unit is not Unit.SPAN or size % _DAY == 0
        return cls(unit, size * times, 1 if unit is Unit.MONTH else 0, is_date)

    @property
    def name(self) -> str:
        """Return the name of the frequency, as `named` reads it."""
        if self.unit is Unit.STEP:
            return "step" if self.size == 1 else f"{self.size}step"
        for word in ("y", "q", "m", "w", "d", "h", "min", "s", "b"):
            unit, size = _NAMES[word]
            if unit is self.unit and self.size % size == 0:
                times = self.size // size
                return f"{times if times > 1 else ''}{word.upper() if word not in ('h', 'min', 's') else word}"
        return f"{self.size} µs"

    @property
    def seasons(self) -> tuple[int, ...]:
        """Return the lengths of the cycles that such data usually have, in steps, the shortest first."""
        if found := _SEASONS.get((self.unit, self.size)):
            return found
        if self.unit is Unit.SPAN and self.size < _HOUR and _DAY % self.size == 0:
            return (_DAY // self.size, 7 * _DAY // self.size)
        if self.unit is Unit.SPAN and _HOUR < self.size < _DAY and _DAY % self.size == 0:
            return (_DAY // self.size, 7 * _DAY // self.size)
        return ()

    def steps(self, times: pl.Series) -> Array:
        """Return the step in which each moment lies, int64; the moment need not lie on the grid.

        Parameters
        ----------
        times : whole numbers, dates or moments without gaps.
        """
        if self.unit is Unit.STEP:
            return np.asarray((times.cast(pl.Int64).to_numpy() - self.anchor) // self.size)
        if self.unit is Unit.MONTH:
            months = _months(times)
            early = times.dt.day().to_numpy() < self._least_day
            return np.asarray((months - early - self._phase) // self.size)
        if self.unit is Unit.BUSINESS:
            days = times.cast(pl.Date).to_numpy().astype("datetime64[D]")
            return np.busday_count(np.datetime64("1970-01-01"), np.busday_offset(days, 0, roll="backward"))
        return np.asarray((times.cast(pl.Datetime("us")).to_physical().to_numpy() - self.anchor) // self.size)

    def times(self, steps: Array) -> pl.Series:
        """Return the moment of each step, in the user's own form."""
        if self.unit is Unit.STEP:
            return pl.Series("", np.asarray(steps, dtype=np.int64) * self.size + self.anchor)
        if self.unit is Unit.MONTH:
            months = np.asarray(steps, dtype=np.int64) * self.size + self._phase
            return pl.Series("", self._days_of(months).astype("datetime64[us]")).cast(self._type)
        if self.unit is Unit.BUSINESS:
            days = np.busday_offset(np.datetime64("1970-01-01"), np.asarray(steps, dtype=np.int64))
            return pl.Series("", days.astype("datetime64[us]")).cast(self._type)
        moments = np.asarray(steps, dtype=np.int64) * self.size + self.anchor
        return pl.Series("", moments).cast(pl.Datetime("us")).cast(self._type)

    def on_grid(self, times: pl.Series) -> Array:
        """Return whether each moment is exactly that of its step."""
        exact, kind = self.times(self.steps(times)), pl.Int64() if self.unit is Unit.STEP else pl.Datetime("us")
        return np.asarray((exact.cast(kind) == times.cast(kind)).to_numpy())

    @property
    def _type(self) -> Any:
        return pl.Date() if self.is_date else pl.Datetime("us")

    @property
    def _phase(self) -> int:
        """Return which month of a longer step names it; kept beside the day in the anchor."""
        return self.anchor // 100

    @property
    def _least_day(self) -> int:
        day = self.anchor % 100
        return 1 if day >= 28 else day

    def _days_of(self, months: Array) -> Array:
        """Return the day that names each month, or the last one of a shorter month."""
        month = months.astype("datetime64[M]")
        first = month.astype("datetime64[D]")
        n_days = ((month + 1).astype("datetime64[D]") - first).astype(np.int64)
        return np.asarray(first + np.minimum(self.anchor % 100, n_days) - 1)

    def to_facts(self) -> dict[str, Any]:
        """Return the calendar as plain values."""
        return {"unit": self.unit.value, "size": self.size, "anchor": self.anchor, "is_date": self.is_date}

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> "Calendar":
        """Restore what `to_facts` gave.

        Raises
        ------
        ValueError : if the facts are no calendar.
        """
        made = cls(Unit(facts["unit"]), int(facts["size"]), int(facts["anchor"]), bool(facts["is_date"]))
        if made.size < 1 or (made.unit is Unit.MONTH and not 1 <= made.anchor % 100 <= _LAST_DAY):
            raise ValueError("this is no calendar")
        return made


def fitted_calendar(times: pl.Series, gaps: Array, starts: Array) -> Calendar:
    """Return the calendar whose steps are the commonest gap.

    Parameters
    ----------
    times : all moments, of all series: whole numbers, dates, or moments.
    gaps : the distances between neighbours in a series, over all series, above 0; numbers or microseconds.
    starts : where each of these gaps begins, in the same unit.
    """
    gap = modal(gaps) if len(gaps) else 0
    times, counts = _distinct(times)
    if times.dtype.is_integer():
        size = max(1, gap)
        return Calendar(Unit.STEP, size, modal(times.to_numpy().astype(np.int64) % size, counts))
    has_clock = times.dtype == pl.Datetime and bool((times.dt.time() != datetime.min.time()).any())
    days = gap / _DAY
    for months, low, high in ((1, 28, 31), (2, 59, 62), (3, 89, 92), (6, 181, 184), (12, 365, 366)):
        if low <= days <= high and gap % _DAY == 0:
            near = (gaps >= low * _DAY) & (gaps <= high * _DAY)
            if not _are_months(starts[near], gaps[near], months):
                break
            return _monthly(times, counts, months, is_date=not has_clock)
    if gap == _DAY and not has_clock and counts.sum() >= 10 and bool((times.dt.weekday() <= 5).all()):
        return Calendar(Unit.BUSINESS, 1, 0, is_date=True)
    size = max(1, gap) if gap else _DAY
    moments = times.cast(pl.Datetime("us")).to_physical().to_numpy()
    return Calendar(Unit.SPAN, size, modal(moments % size, counts), is_date=not has_clock and size % _DAY == 0)


def anchored(named: Calendar, times: pl.Series) -> Calendar:
    """Return a named calendar, laid over the moments that there are."""
    times, counts = _distinct(times)
    if named.unit is Unit.MONTH and times.dtype.is_temporal():
        return _monthly(times, counts, named.size, is_date=True)
    if named.unit is Unit.SPAN and times.dtype.is_temporal():
        moments = times.cast(pl.Datetime("us")).to_physical().to_numpy()
        has_clock = times.dtype == pl.Datetime and bool((times.dt.time() != datetime.min.time()).any())
        is_date = named.size % _DAY == 0 and not has_clock
        return Calendar(Unit.SPAN, named.size, modal(moments % named.size, counts), is_date)
    if named.unit is Unit.STEP and times.dtype.is_integer():
        return Calendar(Unit.STEP, named.size, modal(times.to_numpy().astype(np.int64) % named.size, counts))
    if named.unit is Unit.BUSINESS and times.dtype.is_temporal():
        return named
    raise SettingsError(
        f"the frequency '{named.name}' does not fit the column of time", where="freq",
        fix="leave it out, or use 'step' for whole numbers and the others for dates",
    )  # fmt: skip


def by_calendar(found: Calendar, times: pl.Series) -> Calendar:
    """Return the calendar for moments that are finer than its steps, which then begin on day 1, in January, on Monday.

    What more than half of the moments have in common stays: of rows on each 15th, quarters begin on a 15th.
    """
    times, counts = _distinct(times)
    if found.unit is Unit.MONTH:
        phase, day = divmod(found.anchor, 100)
        is_last = (times.dt.month_end().dt.day() == times.dt.day()).to_numpy()
        if not _are_most(is_last if day == _LAST_DAY else (times.dt.day() == day).to_numpy(), counts):
            return replace(found, anchor=1)
        return replace(found, anchor=100 * phase * _are_most(_months(times) % found.size == phase, counts) + day)
    size = _WEEK if found.size % _WEEK == 0 else found.size
    if found.unit is not Unit.SPAN or _WEEK % size:
        return found
    moments = times.cast(pl.Datetime("us")).to_physical().to_numpy()
    is_there = _are_most(moments % size == found.anchor % size, counts)
    return found if is_there else replace(found, anchor=_MONDAY % size)


def _are_most(is_it: Array, counts: Array) -> bool:
    return bool(counts[is_it].sum() > 0.5 * counts.sum())


def _distinct(times: pl.Series) -> tuple[pl.Series, Array]:
    """Return the moments that there are, and how often each: of many series there are few."""
    found = times.alias("moment").value_counts()
    return found["moment"], found["count"].to_numpy()


def modal(values: Array, counts: Array | None = None) -> int:
    """Return the commonest of whole numbers, the smaller of equals.

    Parameters
    ----------
    counts : how often each is there; once when absent.

    >>> modal(np.array([7, 1, 7]))
    7
    """
    found, place = np.unique(np.asarray(values, dtype=np.int64), return_inverse=True)
    return int(found[np.bincount(place, counts).argmax()])


def _monthly(times: pl.Series, counts: Array, months: int, *, is_date: bool) -> Calendar:
    days = times.dt.day().to_numpy()
    is_last = (times.dt.month_end().dt.day() == times.dt.day()).to_numpy()
    day = _LAST_DAY if _are_most(is_last, counts) else modal(days, counts)
    return Calendar(Unit.MONTH, months, 100 * modal(_months(times) % months, counts) + day, is_date)


def _are_months(starts: Array, gaps: Array, months: int) -> bool:
    """Return whether gaps are so many months, and not rather a fixed number of days: every four weeks, 30 days."""
    share = float(np.mean(gaps == modal(gaps)))
    if share < _EVEN:
        return True
    first, second = (pl.Series("", one).cast(pl.Datetime("us")) for one in (starts, starts + gaps))
    is_month = (first.dt.offset_by(f"{months}mo") == second) | (second.dt.offset_by(f"-{months}mo") == first)
    return float(is_month.to_numpy().mean()) >= share


def _months(times: pl.Series) -> Array:
    """Return the months since January 1970."""
    return np.asarray((times.dt.year().to_numpy().astype(np.int64) - 1970) * 12 + times.dt.month().to_numpy() - 1)


def moment_text(moment: date | datetime | int | None) -> str:
    """Return a moment for people: a date without its clock where that stands at midnight.

    >>> moment_text(datetime(2024, 5, 1)), moment_text(7)
    ('2024-05-01', '7')
    """
    return "" if moment is None else str(moment).removesuffix(" 00:00:00")
