"""Whether holidays are worth reckoning with: judged on days of the past that had not been seen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from mantic.core.calendar import Unit
from mantic.core.holidays import Holidays
from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.search.series.holiday import effects_of
from mantic.search.series.holiday_mark import Past, marked, past_of, steps_of, working_days

_OFFSETS = ((0,), (-1, 0), (0, 1), (-1, 0, 1))
_WORDS = {-1: "before", 1: "after"}
_PRIORS = (2.0, 20.0)  # of many series: how much one is taken to be like all
_LEAST_DATES = 4  # on which it is judged
_LEARNED_FIRST, _N_BLOCKS = 1 / 3, 4  # share of the dates that is only learned from, and stretches that are foretold
_MOST_SERIES = 500  # by which it is judged
_YEAR, _WEEK = 12, 7 * 86_400_000_000  # months, microseconds


@dataclass(frozen=True)
class OneHoliday:
    """What is known of a holiday by name.

    Parameters
    ----------
    n_seen : days (or weeks) of the past.
    effect : how much more or less than usual there was, as a share; NaN where nothing is known.
    before, after : what is missed on these days without and with it, as a share of the usual; NaN where not judged.
    ahead : days since 1970 on which it lies in what is forecast.
    """

    name: str
    n_seen: int
    effect: float
    before: float
    after: float
    ahead: tuple[int, ...]


@dataclass(frozen=True)
class Reckoned:
    """What came of holidays.

    Parameters
    ----------
    panel : it knows the holidays if these are reckoned with, and else does not.
    place : the country or region.
    is_used : whether they are.
    sentence : why, for the report.
    n_judged : dates on which it was judged.
    before, after : what is missed on these without and with them, as a share of the usual.
    each : a line per holiday.
    """

    panel: Panel
    place: str
    is_used: bool
    sentence: str
    n_judged: int = 0
    before: float = float("nan")
    after: float = float("nan")
    each: Sequence[OneHoliday] = ()


def reckoned(panel: Panel, horizon: int) -> Reckoned:
    """Return a panel that keeps its holidays only if, on the past, less is missed with them than without.

    What a holiday does is learned from earlier days alone, and foretold for later ones. It must be better by more than
    a standard error over dates. Which neighbours of a holiday count, how much series are like each other, and by which
    of its days a week is named, is what came out best.
    """
    holidays, calendar = panel.holidays, panel.calendar
    assert holidays is not None
    if calendar.unit is Unit.MONTH and calendar.size == 1:
        return _by_working_days(panel, holidays)
    if calendar.unit is Unit.MONTH or (calendar.unit is Unit.SPAN and calendar.size > _WEEK):
        return _without(
            panel, f"steps of {calendar.name} have about as many holidays each year, which their seasons tell"
        )
    if not panel.is_floored:
        return _without(panel, "values below 0 have no share of the usual that a holiday could take")
    few = panel.rows(np.unique(np.linspace(0, len(panel) - 1, min(len(panel), _MOST_SERIES)).astype(np.int64)))
    best, judged = max(_tried(few, holidays), key=lambda one: one[1].gain.sum())
    if len(judged.gain) < _LEAST_DATES:
        return _without(panel, f"the past has only {len(judged.gain)} holidays on which they could be judged")
    each = tuple(_each(few, best, judged, horizon))
    before, after = float(judged.before.mean()), float(judged.after.mean())
    done = Reckoned(panel, holidays.place, True, "", len(judged.gain), before, after, each)
    if not is_clear(judged.gain):
        sentence = "what is missed on them would not be less by more than chance"
        return replace(done, panel=replace(panel, holidays=None), is_used=False, sentence=sentence)
    beside = (
        {-1: "the day before", 1: "the day after"} if calendar.size < _WEEK else {-1: "the week before", 1: "after"}
    )
    more = " and ".join(beside[one] for one in best.offsets if one)
    return replace(done, panel=replace(panel, holidays=best), sentence=f"with {more}" if more else "")


def is_clear(gain: Array) -> bool:
    """Return whether the mean of gains is more than their standard error.

    >>> is_clear(np.array([1.0, 2.0, 3.0])), is_clear(np.array([1.0, -1.0, 0.5]))
    (True, False)
    """
    return len(gain) > 1 and bool(gain.mean() > gain.std(ddof=1) / np.sqrt(len(gain)))


def _without(panel: Panel, sentence: str) -> Reckoned:
    assert panel.holidays is not None
    return Reckoned(replace(panel, holidays=None), panel.holidays.place, False, sentence)


def _tried(panel: Panel, holidays: Holidays) -> Iterator[tuple[Holidays, "_Judged"]]:
    is_weekly = panel.calendar.unit is Unit.SPAN and panel.calendar.size == _WEEK
    for is_late in (False, True) if is_weekly else (False,):
        past = past_of(panel, replace(holidays, is_late=is_late))
        for prior in _PRIORS if len(panel) > 1 else _PRIORS[:1]:
            one = replace(holidays, is_late=is_late, prior=prior, offsets=_OFFSETS[-1])
            judged = _judged(one, past, len(panel))
            for offsets in _OFFSETS:
                yield replace(one, offsets=offsets), judged.reckoning(offsets)


@dataclass(frozen=True)
class _Judged:
    """What is missed with and without holidays, as a share of the usual: by date, and by step of the past.

    `before` and `after` have shape (n_dates,), `missed` (2, n_steps) with NaN where a step is not judged.
    """

    past: Past
    missed: Array
    before: Array
    after: Array

    @property
    def gain(self) -> Array:
        return np.asarray(self.before - self.after)

    def reckoning(self, offsets: Sequence[int]) -> "_Judged":
        """Return the same where only some neighbours of a holiday count."""
        return _by_date(self.past, np.where(np.isin(self.past.marks.offset, offsets), self.missed, self.missed[0]))


def _judged(holidays: Holidays, past: Past, n_series: int) -> _Judged:
    """Foretell what is missed on later dates from earlier ones, stretch by stretch."""
    day = past.marks.day
    is_seen = past.is_seen
    dates = np.unique(day[is_seen])
    missed = np.full((2, len(day)), np.nan)
    size = past.size(n_series)
    for block in np.array_split(dates[int(np.ceil(_LEARNED_FIRST * len(dates))) :], _N_BLOCKS):
        if not len(block):
            continue
        known, asked = past.some(is_seen & (day < block[0])), is_seen & (day >= block[0]) & (day <= block[-1])
        some = past.some(asked)
        factor = effects_of(known, holidays, n_series).at(some.series, some.marks)
        missed[:, asked] = np.abs(some.truth - some.usual * np.stack([np.ones(len(factor)), factor]))
        missed[:, asked] /= size[some.series]
    return _by_date(past, missed)


def _by_date(past: Past, missed: Array) -> _Judged:
    is_judged = np.isfinite(missed[0])
    _, number = np.unique(past.marks.day[is_judged], return_inverse=True)
    before, after = (np.bincount(number, one[is_judged]) / np.maximum(1, np.bincount(number)) for one in missed)
    return _Judged(past, missed, before, after)


def _each(panel: Panel, holidays: Holidays, judged: _Judged, horizon: int) -> Iterator[OneHoliday]:
    """Give a line for each holiday that lies in the past or in what is forecast, the strongest first."""
    past, marks = judged.past, judged.past.marks
    is_seen = (marks.offset == 0) & past.is_seen
    steps = np.unique(panel.last[:, None] + np.arange(1, horizon + 1))
    ahead = marked(holidays, panel.calendar, steps)
    days = panel.calendar.times(steps).cast(pl.Date).to_physical().to_numpy()
    lines = []
    for place, name in enumerate(holidays.names):
        own = is_seen & (marks.name == place)
        coming = np.unique(days[(ahead.name == place) & (ahead.offset == 0)])
        if not own.any() and not len(coming):
            continue
        usual = past.usual[own].sum()
        effect = float(past.truth[own].sum() / usual - 1) if usual > 0 else float("nan")
        missed = judged.missed[:, own]
        missed = missed[:, np.isfinite(missed[0])]
        before, after = missed.mean(axis=1).tolist() if missed.size else (float("nan"),) * 2
        lines.append(OneHoliday(name, len(np.unique(marks.day[own])), effect, before, after, tuple(coming.tolist())))
    yield from sorted(lines, key=lambda one: -abs(one.effect) if np.isfinite(one.effect) else 1.0)


def _by_working_days(panel: Panel, holidays: Holidays) -> Reckoned:
    """Judge whether months are better compared by their working days: each with the same month a year before."""
    days = working_days(holidays, panel.calendar, steps_of(panel))
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    now = np.flatnonzero(np.arange(len(owner)) >= panel.bounds[owner] + _YEAR)
    then = now - _YEAR
    truth, usual = panel.truth[now], panel.truth[then]
    is_seen = np.isfinite(truth) & np.isfinite(usual)
    now, then, truth, usual = (one[is_seen] for one in (now, then, truth, usual))
    unit = panel.scale(_YEAR)[owner[now]]
    before = np.abs(truth - usual) / unit
    after = np.abs(truth - usual * days[now] / days[then]) / unit
    _, month = np.unique(steps_of(panel)[now], return_inverse=True)
    count = np.maximum(1, np.bincount(month))
    gain = np.bincount(month, before - after) / count
    if len(gain) < _YEAR:
        return _without(panel, "less than two years of months are too few to tell what a working day is worth")
    size = float(np.abs(usual).mean()) or 1.0
    missed = [float((one * unit).mean() / size) for one in (before, after)]
    how = "as working days of each month"
    done = Reckoned(panel, holidays.place, True, how, len(gain), before=missed[0], after=missed[1])
    if is_clear(gain):
        return done
    sentence = "months are not told better by how many working days they have"
    return replace(done, panel=replace(panel, holidays=None), is_used=False, sentence=sentence)
