"""What holidays do to series: learned on the past, taken out of it, and put on the forecast."""

from dataclasses import dataclass, replace

import numpy as np

from mantic.core.calendar import Unit
from mantic.core.holidays import Holidays
from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.search.series.holiday_mark import Marks, Past, marked, past_of, steps_of, working_days

_MOST = 20.0  # times the usual
_LEAST_DIVISOR = 0.5  # a smaller factor would blow up what is divided by it: there the usual value stands instead
_OF_NAME = 1.0  # occurrences that the mean over all holidays has the weight of, for one by name
_OF_MONTH = 21.0  # working days
_N_HOURS, _N_OFFSETS = 24, 3


@dataclass(frozen=True)
class Ordinary:
    """Series as if there were no holidays, and what forecasts of them are multiplied by.

    Parameters
    ----------
    panel : with holidays taken out of its values; what was observed stays.
    factor : shape (n_series, horizon).
    """

    panel: Panel
    factor: Array


def ordinary(panel: Panel, horizon: int, *, n_back: int = 0) -> Ordinary:
    """Return series without their holidays, as they were known some steps before the end.

    Parameters
    ----------
    n_back : steps between each series' end and the origin; what came after it is not looked at.
    """
    steps = panel.last[:, None] - n_back + np.arange(1, horizon + 1)
    holidays = panel.holidays
    if holidays is None:
        return Ordinary(panel, np.ones(steps.shape))
    if panel.calendar.unit is Unit.MONTH:
        days = working_days(holidays, panel.calendar, np.concatenate([steps_of(panel), steps.ravel()])) / _OF_MONTH
        n_values = len(panel.values)
        return Ordinary(replace(panel, values=panel.values / days[:n_values]), days[n_values:].reshape(steps.shape))
    past = past_of(panel, holidays, n_back=n_back)
    effects = effects_of(past, holidays, len(panel))
    own = effects.at(past.series, past.marks)
    observed = np.where(np.isnan(past.truth), panel.values[past.place], past.truth)
    plain = np.where(own >= _LEAST_DIVISOR, observed / np.maximum(own, _LEAST_DIVISOR), past.usual)
    values = panel.values.copy()
    is_changed = np.isfinite(plain) & (own != 1)
    values[past.place[is_changed]] = plain[is_changed]
    series = np.repeat(np.arange(len(panel))[:, None], horizon, axis=1)
    ahead = effects.at(series, marked(holidays, panel.calendar, steps))
    return Ordinary(replace(panel, values=values), ahead)


@dataclass(frozen=True)
class Effects:
    """Factors by kind of day, from what all series and all holidays have in common to one holiday of one series.

    Parameters
    ----------
    offsets : days from a holiday that are reckoned with; all others have the factor 1.
    levels : keys and their factors, the most general level first.
    """

    offsets: tuple[int, ...]
    levels: tuple["Factors", ...]

    def at(self, series: Array, marks: Marks) -> Array:
        """Return the factor of steps of series, in their shape; 1 on ordinary steps."""
        found = np.ones(marks.name.shape)
        for level, keys in zip(self.levels, _keys(series, marks), strict=False):
            found = level.at(keys, found)
        is_meant = marks.is_touched & np.isin(marks.offset, self.offsets)
        return np.where(is_meant, found, 1.0)


@dataclass(frozen=True)
class Factors:
    """Factors by keys, which rise."""

    keys: Array
    factors: Array

    def at(self, keys: Array, otherwise: Array) -> Array:
        """Return the factor of each key, or what is said otherwise."""
        if not len(self.keys):
            return otherwise
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, self.factors[place], otherwise)


def effects_of(past: Past, holidays: Holidays, n_series: int) -> Effects:
    """Return what holidays did in the past: sums of what was observed over sums of what is usual.

    A factor of one holiday is drawn to that of all holidays, that of its weekends or weekdays to its own, and a series'
    own one to that of all series, the more the fewer there were. Sums are compared, so that small values count little.
    """
    marks = past.marks
    is_seen = past.is_seen
    unit = past.size(n_series)[past.series[is_seen]]
    seen, day = (past.truth[is_seen] / unit, past.usual[is_seen] / unit), marks.day[is_seen]
    levels: list[Factors] = []
    priors = (1.0, _OF_NAME, _OF_NAME) if n_series == 1 else (1.0, _OF_NAME, _OF_NAME, holidays.prior)
    found = np.ones(len(day))
    for keys, prior in zip(_keys(past.series, marks), priors, strict=False):
        levels.append(_table(keys[is_seen], seen, day, prior=prior, towards=found))
        found = levels[-1].at(keys[is_seen], found)
    return Effects(holidays.offsets, tuple(levels))


def _keys(series: Array, marks: Marks) -> tuple[Array, ...]:
    """Return a number for each kind of day: over all holidays, by name, by name and weekend, and in each series."""
    general = ((marks.offset + 1) * 2 + marks.is_free) * _N_HOURS + marks.hour
    each = 2 * _N_OFFSETS * _N_HOURS
    named = (marks.name + 1) * each
    return (
        general,
        named + (marks.offset + 1) * _N_HOURS + marks.hour,
        named + general,
        (series << 24) + named + general,
    )


def _table(keys: Array, seen: tuple[Array, Array], day: Array, *, prior: float, towards: Array) -> Factors:
    """Return a factor per key: the sum of the first over the sum of the second, drawn to what is said of its kind."""
    unique, inverse = np.unique(keys, return_inverse=True)
    truth, usual, draw = (np.bincount(inverse, one) for one in (*seen, towards))
    count = np.bincount(inverse)
    days, rank = np.unique(day, return_inverse=True)
    owner = np.unique(inverse * max(1, len(days)) + rank) // max(1, len(days))  # of each date of each key
    mass = prior * usual / np.maximum(1, np.bincount(owner, minlength=len(unique)))
    found = (truth + mass * draw / np.maximum(1, count)) / np.maximum(1e-12, usual + mass)
    return Factors(unique, np.clip(found, 0.0, _MOST))
