"""Which steps lie on a holiday or beside one, and what is usual there."""

from dataclasses import dataclass, fields

import numpy as np

from mantic.core.calendar import Calendar, Unit
from mantic.core.holidays import Holidays
from mantic.core.panel import Panel
from mantic.core.table import Array

BESIDE = (0, -1, 1)  # days from the holiday, those that count most first
_DAY, _HOUR = 86_400_000_000, 3_600_000_000  # microseconds
_N_WEEKS = 3  # on each side, whose same day says what is usual
_DAYS_OF_WEEK, _BUSINESS_WEEK = 7, 5


@dataclass(frozen=True)
class Marks:
    """What steps have to do with holidays; all have the shape of the steps.

    Parameters
    ----------
    name : position of the holiday's name, -1 on ordinary steps.
    offset : -1 before a holiday, 0 on it, 1 after it.
    is_free : whether it is a weekend anyway.
    hour : of the day; 0 for steps of a day and more.
    day : a number that rises from day to day (or from step to step where these are longer).
    """

    name: Array
    offset: Array
    is_free: Array
    hour: Array
    day: Array

    @property
    def is_touched(self) -> Array:
        """Return which steps are no ordinary ones."""
        return np.asarray(self.name >= 0)

    def some(self, chosen: Array) -> "Marks":
        """Return those of these steps."""
        return Marks(*(getattr(self, one.name)[chosen] for one in fields(self)))


def marked(holidays: Holidays, calendar: Calendar, steps: Array) -> Marks:
    """Return what steps have to do with holidays."""
    day, hour = _day_of(calendar, steps)
    held = _held(holidays, calendar)
    name, offset, is_free = (np.full(day.shape, -1), np.zeros(day.shape, dtype=np.int64), np.zeros(day.shape, bool))
    if not len(held[0]):
        return Marks(name, offset, is_free, hour, day)
    for beside in BESIDE:
        place = np.minimum(np.searchsorted(held[0], day - beside), len(held[0]) - 1)
        is_it = (held[0][place] == day - beside) & (name < 0)
        name = np.where(is_it, held[1][place], name)
        offset = np.where(is_it, beside, offset)
        is_free = np.where(is_it, held[2][place], is_free)
    if _is_daily(calendar):
        is_free = np.isin((day + 3) % _DAYS_OF_WEEK, holidays.weekend)  # 1970 began with a Thursday
    return Marks(name, offset, is_free, hour, day)


def _held(holidays: Holidays, calendar: Calendar) -> tuple[Array, Array, Array]:
    """Return the days (or longer steps) with a holiday, rising, its name, and whether it falls on a weekend."""
    is_free = np.isin((holidays.days + 3) % _DAYS_OF_WEEK, holidays.weekend)
    if calendar.unit is Unit.BUSINESS:
        keep = (holidays.days + 3) % _DAYS_OF_WEEK < _BUSINESS_WEEK
        weekdays = holidays.days[keep].astype("datetime64[D]")
        step = np.busday_count(np.datetime64("1970-01-01"), weekdays)
        return step, holidays.which[keep], np.zeros(len(step), dtype=bool)
    if _is_daily(calendar):
        return holidays.days, holidays.which, is_free
    late = calendar.size - _DAY if holidays.is_late else 0
    step = (holidays.days * _DAY + late - calendar.anchor) // calendar.size
    order = np.lexsort((holidays.days, is_free, step))  # of several in a week the first one that is no weekend
    step, first = np.unique(step[order], return_index=True)
    return step, holidays.which[order][first], is_free[order][first]


def _is_daily(calendar: Calendar) -> bool:
    return calendar.unit is Unit.SPAN and calendar.size <= _DAY


def _day_of(calendar: Calendar, steps: Array) -> tuple[Array, Array]:
    if not _is_daily(calendar):
        return steps, np.zeros_like(steps)
    moment = steps * calendar.size + calendar.anchor
    hour = (moment % _DAY) // max(_HOUR, calendar.size)
    return moment // _DAY, hour


@dataclass(frozen=True)
class Past:
    """The steps of the past that are no ordinary ones; all have shape (n_touched,).

    Parameters
    ----------
    place, series : where they stand in the panel, and in which series.
    marks : what they have to do with holidays.
    truth : what was observed, NaN where nothing was.
    usual : mean of the same day and hour of ordinary weeks around it; NaN where there is none.
    """

    place: Array
    series: Array
    marks: Marks
    truth: Array
    usual: Array

    @property
    def is_seen(self) -> Array:
        """Return which of them say something: what was observed, and what is usual, are known."""
        return np.asarray(np.isfinite(self.truth) & (self.truth >= 0) & (self.usual > 0))

    def size(self, n_series: int) -> Array:
        """Return the mean of what is usual in each series, shape (n_series,); 0 where nothing is known."""
        seen = self.is_seen
        total, count = (
            np.bincount(self.series[seen], one, n_series) for one in (self.usual[seen], np.ones(int(seen.sum())))
        )
        return np.asarray(total / np.maximum(1.0, count))

    def some(self, chosen: Array) -> "Past":
        """Return these steps."""
        place, series, truth, usual = (one[chosen] for one in (self.place, self.series, self.truth, self.usual))
        return Past(place, series, self.marks.some(chosen), truth, usual)


def past_of(panel: Panel, holidays: Holidays, *, n_back: int = 0) -> Past:
    """Return the steps of the past that are no ordinary ones, as they were known some steps before the end."""
    steps = steps_of(panel)
    first = int(steps.min())
    marks = marked(holidays, panel.calendar, np.arange(first, int(steps.max()) + 1))
    is_touched = marks.is_touched[steps - first]
    ends = panel.bounds[1:] - n_back
    touched = np.flatnonzero(is_touched)
    series = np.searchsorted(panel.bounds, touched, side="right") - 1
    is_known = touched < ends[series]
    touched, series = touched[is_known], series[is_known]
    total, count = np.zeros(len(touched)), np.zeros(len(touched), dtype=np.int64)
    for turn in (side * number * _week(panel.calendar) for number in range(1, _N_WEEKS + 1) for side in (-1, 1)):
        there = touched + turn
        is_there = (there >= panel.bounds[series]) & (there < ends[series])
        there = np.where(is_there, there, 0)
        is_there &= ~is_touched[there]
        total += np.where(is_there, panel.values[there], 0.0)
        count += is_there
    usual = np.where(count > 0, total / np.maximum(1, count), np.nan)
    return Past(touched, series, marks.some(steps[touched] - first), panel.truth[touched], usual)


def steps_of(panel: Panel) -> Array:
    """Return the calendar's step of each value, shape (n_values,)."""
    ends = np.repeat(panel.last - panel.bounds[1:] + 1, panel.lengths)
    return np.asarray(ends + np.arange(len(panel.values)))


def working_days(holidays: Holidays, calendar: Calendar, steps: Array) -> Array:
    """Return how many days of each month are neither weekend nor holiday, in the shape of the steps."""
    unique, inverse = np.unique(steps, return_inverse=True)
    months = calendar.times(unique).to_numpy().astype("datetime64[M]")
    first, after = (one.astype("datetime64[D]") for one in (months, months + 1))
    is_worked = [day not in holidays.weekend for day in range(_DAYS_OF_WEEK)]
    found = np.busday_count(first, after, weekmask=is_worked, holidays=holidays.days.astype("datetime64[D]"))
    return np.asarray(np.maximum(1.0, found)[inverse].reshape(steps.shape))


def _week(calendar: Calendar) -> int:
    """Return after how many steps the same day of the week comes again."""
    if calendar.unit is Unit.BUSINESS:
        return _BUSINESS_WEEK
    return max(1, _DAYS_OF_WEEK * _DAY // calendar.size) if _is_daily(calendar) else 1
