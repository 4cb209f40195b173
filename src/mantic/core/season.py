"""Seasons of a series: found by a test, taken out, and put back."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mantic.core.panel import Panel
from mantic.core.table import Array

_Z = 1.645  # the 90 % test of the M4 competition's Naive2
_LONGEST = 200  # steps: of a longer cycle the classical profile is mostly noise
_LEAST = 0.01  # a smaller factor would blow up what is divided by it


@dataclass(frozen=True)
class Season:
    """Profiles that repeat, one for each series: column 0 belongs to the first step after it.

    Parameters
    ----------
    profile : factors around 1, or terms around 0; shape (n_series, length).
    is_factor : whether values are divided by it; shape (n_series,).
    """

    profile: Array
    is_factor: Array

    def out_of(self, values: Array) -> Array:
        """Return series of equal length, shape (n_series, n_values), without their seasons."""
        own, is_factor = self._at(np.arange(-values.shape[1], 0)), self.is_factor[:, None]
        return np.asarray(np.where(is_factor, values / np.where(is_factor, own, 1.0), values - own))

    def into_past(self, level: Array) -> Array:
        """Return what `out_of` gave, or another level of the same length, with the seasons."""
        return self._put(level, np.arange(-level.shape[1], 0))

    def into(self, forecast: Array) -> Array:
        """Return forecasts, shape (n_series, horizon), with the seasons."""
        return self._put(forecast, np.arange(forecast.shape[1]))

    def _at(self, step: Array) -> Array:
        return np.asarray(self.profile[:, step % self.profile.shape[1]])

    def _put(self, level: Array, step: Array) -> Array:
        own = self._at(step)
        return np.asarray(np.where(self.is_factor[:, None], level * own, level + own))


def cycle(panel: Panel, horizon: int, seasons: tuple[int, ...]) -> Array:
    """Return the latest turn of a cycle again; the last value of a series that is shorter than it."""
    lag = np.ones(len(panel), dtype=np.int64)
    for season in seasons:
        lag[panel.lengths >= season] = season
    return np.asarray(panel.values[panel.bounds[1:, None] - lag[:, None] + np.arange(horizon) % lag[:, None]])


def usable(panel: Panel) -> Array:
    """Return the longest cycle that each series has seen twice and that is not too long for a profile; 1 for none."""
    found = np.ones(len(panel), dtype=np.int64)
    for season in sorted(one for one in panel.seasons if one <= _LONGEST):
        found[panel.lengths >= 2 * season] = season
    return found


def usable_of(n_values: int, seasons: tuple[int, ...]) -> int:
    """Return the same for a series of so many values.

    >>> usable_of(400, (24, 168)), usable_of(300, (24, 168))
    (168, 24)
    """
    return max((one for one in seasons if one <= _LONGEST and 2 * one <= n_values), default=1)


def memory(season: int) -> int:
    """Return how many of the latest steps say something about the next ones: five turns of the cycle, or 150.

    On the weekly series of the M4 competition (the last steps of its training rows held back) five years did better
    than two, three, ten or all, for each of three methods.
    """
    return max(5 * season, 150)


def season_of(values: Array, length: int) -> Season:
    """Return the seasons of series by classical decomposition, or none where a test does not find one.

    Factors where all values of a series are above 0, else terms.

    Parameters
    ----------
    values : series of equal length, shape (n_series, n_values).
    """
    n_series, n_values = values.shape
    found = Season(np.zeros((n_series, max(1, length))), np.zeros(n_series, dtype=bool))
    if length < 2 or n_values < 2 * length:
        return found
    rows = np.flatnonzero(is_seasonal(values, length))
    if not len(rows):
        return found
    own = values[rows]
    smooth = _moving_average(own, length)
    first = length // 2
    inner = own[:, first : first + smooth.shape[1]]
    terms = _profile(inner - smooth, first, n_values, length)
    terms = terms - terms.mean(axis=1, keepdims=True)
    is_factor = own.min(axis=1) > 0
    factors = _profile(inner[is_factor] / smooth[is_factor], first, n_values, length)
    factors = factors / factors.mean(axis=1, keepdims=True)
    is_sound = factors.min(axis=1, initial=np.inf) >= _LEAST
    is_factor[is_factor] = is_sound
    terms[is_factor] = factors[is_sound]
    found.profile[rows], found.is_factor[rows] = terms, is_factor
    return found


def is_seasonal(values: Array, length: int) -> Array:
    """Return whether the autocorrelation at a season's length is more than chance (at 90 %), for each series.

    Parameters
    ----------
    values : series of equal length, shape (n_series, n_values).

    Source: Makridakis, Spyros et al. (2018), the M4 competition: its benchmark Naive2.
    """
    centred = values - values.mean(axis=1, keepdims=True)
    total = np.einsum("ij,ij->i", centred, centred)
    n_values = values.shape[1]
    size = 1 << (2 * n_values - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    found = np.fft.irfft(spectrum * spectrum.conj(), size)[:, : length + 1] / np.where(total > 0, total, 1.0)[:, None]
    limit = _Z * np.sqrt((1 + 2 * (found[:, 1:length] ** 2).sum(axis=1)) / n_values)
    return np.asarray((total > 0) & (np.abs(found[:, length]) > limit))


def adjusted(values: Array, horizon: int, length: int, forecast: Callable[[Array, int], Array]) -> Array:
    """Return what a method without a season says of the recent series, whose season is taken out and put back."""
    recent = values[None, -memory(length) :]
    season = season_of(recent, length)
    return np.asarray(season.into(forecast(season.out_of(recent)[0], horizon)[None])[0])


def _moving_average(values: Array, length: int) -> Array:
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    simple = (total[:, length:] - total[:, :-length]) / length
    return np.asarray(simple if length % 2 else (simple[:, 1:] + simple[:, :-1]) / 2)


def _profile(deviation: Array, start: int, n_values: int, length: int) -> Array:
    """Return the mean deviation of each series at each place of the cycle, beginning with the step after it."""
    n_series, n_inner = deviation.shape
    place = (np.arange(n_inner) + start - n_values) % length
    at = (np.arange(n_series)[:, None] * length + place).ravel()
    total = np.bincount(at, deviation.ravel(), minlength=n_series * length).reshape(n_series, length)
    return np.asarray(total / np.maximum(1, np.bincount(place, minlength=length)))
