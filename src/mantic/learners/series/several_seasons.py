"""Exponential smoothing with a short and a long season at once, all series together."""

from dataclasses import dataclass
from itertools import product

import numpy as np

from mantic.core.method import About, method
from mantic.core.panel import Panel
from mantic.core.table import Array

_LONGEST = 700  # steps of a cycle: weeks of quarter hours
_LEAST_TURNS, _N_TURNS = 3, 6  # of the longest cycle, that a series needs, and that are looked at
_LEVEL, _SHORT, _LONG, _ECHO = (0.01, 0.1, 0.3), (0.1, 0.3, 0.5), (0.1, 0.3, 0.5), (0.0, 0.6, 0.9)
_N_TRIES, _N_BEST = 8, 5  # ends from which forms are tried, half a horizon apart, and forms that are averaged
_BLOCK, _MOST_VALUES = 100, 2_000_000  # series that move through time together, and values of their forms at once
_N_FORMS = len(_LEVEL) * len(_SHORT) * len(_LONG) * len(_ECHO)


def _seasons(panel: Panel) -> tuple[int, int] | None:
    found = [one for one in panel.seasons if 1 < one <= _LONGEST]
    return (found[0], found[-1]) if len(found) > 1 else None


def _suits(panel: Panel, horizon: int) -> Array:
    seasons = _seasons(panel)
    if seasons is None:
        return np.zeros(len(panel), dtype=bool)
    return np.asarray(panel.lengths >= _LEAST_TURNS * seasons[1] + horizon)


_ABOUT = About("several_seasons", _suits, (), "hours and weeks whose patterns change", "2 to 10 ms per series")


@method(_ABOUT)
def several_seasons(panel: Panel, horizon: int) -> Array:
    """Return the mean of the forms of smoothing that forecast the latest stretches best, shape (n_series, horizon).

    A form says how fast level, short and long season follow what was missed, and how much of a miss comes again next.
    Logarithms are smoothed where all values are above 0. On M4 hourly (the last steps of training rows held back, and
    two ends before) forms chosen by whole stretches did better than those chosen by the next step.

    Source: Taylor (2003), Short-term electricity demand forecasting using double seasonal exponential smoothing.
    """
    seasons = _seasons(panel)
    assert seasons is not None
    found = np.empty((len(panel), horizon))
    n_together = max(1, min(_BLOCK, _MOST_VALUES // (_N_FORMS * horizon)))
    for start in range(0, len(panel), n_together):
        rows = np.arange(start, min(start + n_together, len(panel)))
        found[rows] = _block(panel.rows(rows), horizon, *seasons)
    return found


def _block(panel: Panel, horizon: int, short: int, long: int) -> Array:
    values = panel.recent(min(_N_TURNS * long, int(panel.lengths.max())))
    is_log = np.minimum.reduceat(panel.values, panel.bounds[:-1])[:, None] > 0
    values = np.where(is_log, np.log(np.where(values > 0, values, 1.0)), values) * np.where(np.isnan(values), np.nan, 1)
    forms = np.array(list(product(_LEVEL, _SHORT, _LONG, _ECHO))).T[:, None]  # (4, 1, n_forms)
    state = _State.of(values, short, long, forms.shape[-1])
    last = values.shape[1]
    ends = {last - number * min(horizon, long) // 2 for number in range(1, _N_TRIES + 1)}
    missed = np.zeros((len(panel), forms.shape[-1]))
    for step in range(last):
        state.move(values[:, step], step, forms)
        if step + 1 in ends:
            coming = np.arange(step + 1, min(step + 1 + horizon, last))
            missed += np.nan_to_num(np.abs(state.ahead(coming, forms) - values[:, None, coming])).mean(axis=-1)
    best = np.argsort(missed, axis=1, kind="stable")[:, :_N_BEST]
    ahead = state.ahead(np.arange(last, last + horizon), forms)
    found = np.take_along_axis(ahead, best[..., None], axis=1).mean(axis=1)
    return np.asarray(np.where(is_log, np.exp(np.clip(found, -700, 700)), found))


@dataclass
class _State:
    """Where each series stands in each form; level and echo have shape (n_series, n_forms), seasons one more before."""

    level: Array
    short: Array
    long: Array
    echo: Array

    @classmethod
    def of(cls, values: Array, short: int, long: int, n_forms: int) -> "_State":
        """Return the state before the first value: the means of the first two turns of the long season."""
        n_series, last = values.shape
        begins = np.isnan(values).sum(axis=1)
        place = np.minimum(begins[:, None] + np.arange(2 * long), last - 1)
        first = np.take_along_axis(values, place, axis=1)
        level = first.mean(axis=1)
        own = _profile(first - level[:, None], place % short, short)
        rest = first - level[:, None] - np.take_along_axis(own, place % short, axis=1)
        turn = _profile(rest, place % long, long)
        levels, shorts, longs = (np.repeat(one[..., None], n_forms, axis=-1) for one in (level, own.T, turn.T))
        return cls(levels, shorts, longs, np.zeros((n_series, n_forms)))

    def move(self, value: Array, step: int, forms: Array) -> None:
        """Take in the values of a step; a series that has not begun stays where it is."""
        short, long = self.short[step % len(self.short)], self.long[step % len(self.long)]
        is_on = ~np.isnan(value)[:, None]
        away = np.where(is_on, np.nan_to_num(value)[:, None] - self.level - short - long, 0.0)
        missed = away - forms[3] * np.where(is_on, self.echo, 0.0)
        self.level += forms[0] * missed
        short += forms[1] * missed
        long += forms[2] * missed
        self.echo = away

    def ahead(self, steps: Array, forms: Array) -> Array:
        """Return what each form says of these steps, the first of which is the next; (n_series, n_forms, n_steps)."""
        season = self.short[steps % len(self.short)] + self.long[steps % len(self.long)]
        echo = self.echo[..., None] * forms[3][..., None] ** np.arange(1, len(steps) + 1)
        return np.asarray(self.level[..., None] + np.moveaxis(season, 0, -1) + echo)


def _profile(values: Array, place: Array, length: int) -> Array:
    """Return the mean of each series at each place of a cycle, shape (n_series, length)."""
    row = np.arange(len(values))[:, None] * length
    at = (row + place).ravel()
    total, count = (np.bincount(at, one, minlength=len(values) * length) for one in (values.ravel(), None))
    return np.asarray(total / np.maximum(1, count)).reshape(len(values), length)
