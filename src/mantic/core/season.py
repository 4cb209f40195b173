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
    """A profile that repeats: `profile[0]` belongs to the first step after the series.

    Parameters
    ----------
    profile : factors around 1, or terms around 0; shape (length,).
    is_factor : whether values are divided by it.
    """

    profile: Array
    is_factor: bool

    def out_of(self, values: Array) -> Array:
        """Return the values without their season."""
        own = self.profile[np.arange(-len(values), 0) % len(self.profile)]
        return np.asarray(values / own if self.is_factor else values - own)

    def into_past(self, level: Array) -> Array:
        """Return what `out_of` gave, or another level of the same length, with the season."""
        own = self.profile[np.arange(-len(level), 0) % len(self.profile)]
        return np.asarray(level * own if self.is_factor else level + own)

    def into(self, forecast: Array) -> Array:
        """Return a forecast with the season."""
        own = self.profile[np.arange(len(forecast)) % len(self.profile)]
        return np.asarray(forecast * own if self.is_factor else forecast + own)


NO_SEASON = Season(np.zeros(1), is_factor=False)


def cycle(panel: Panel, horizon: int, seasons: tuple[int, ...]) -> Array:
    """Return the latest turn of a cycle again; the last value of a series that is shorter than it."""
    lag = np.ones(len(panel), dtype=np.int64)
    for season in seasons:
        lag[panel.lengths >= season] = season
    return np.asarray(panel.values[panel.bounds[1:, None] - lag[:, None] + np.arange(horizon) % lag[:, None]])


def usable(panel: Panel) -> Array:
    """Return the longest cycle that each series has seen twice and that is not too long for a profile; 1 for none."""
    return np.array([usable_of(int(n_values), panel.seasons) for n_values in panel.lengths])


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
    """Return the season of a series by classical decomposition, or none where a test does not find one.

    Factors where all values are above 0, else terms.
    """
    if length < 2 or len(values) < 2 * length or not is_seasonal(values, length):
        return NO_SEASON
    smooth = _moving_average(values, length)
    inner = slice(length // 2, length // 2 + len(smooth))
    is_factor = bool(values.min() > 0)
    if is_factor:
        profile = _profile(values[inner] / smooth, inner.start, len(values), length)
        profile = profile / profile.mean()
        if profile.min() >= _LEAST:
            return Season(profile, is_factor=True)
    profile = _profile(values[inner] - smooth, inner.start, len(values), length)
    return Season(profile - profile.mean(), is_factor=False)


def is_seasonal(values: Array, length: int) -> bool:
    """Return whether the autocorrelation at a season's length is more than chance (at 90 %).

    Source: Makridakis, Spyros et al. (2018), the M4 competition: its benchmark Naive2.
    """
    centred = values - values.mean()
    total = float(centred @ centred)
    if total <= 0:
        return False
    n_values = len(values)
    size = 1 << (2 * n_values - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    found = np.fft.irfft(spectrum * spectrum.conj(), size)[: length + 1] / total
    limit = _Z * np.sqrt((1 + 2 * float((found[1:length] ** 2).sum())) / n_values)
    return bool(abs(found[length]) > limit)


def adjusted(values: Array, horizon: int, length: int, forecast: Callable[[Array, int], Array]) -> Array:
    """Return what a method without a season says of the recent series, whose season is taken out and put back."""
    values = values[-memory(length) :]
    season = season_of(values, length)
    return season.into(forecast(season.out_of(values), horizon))


def _moving_average(values: Array, length: int) -> Array:
    total = np.concatenate([[0.0], np.cumsum(values)])
    simple = (total[length:] - total[:-length]) / length
    return np.asarray(simple if length % 2 else (simple[1:] + simple[:-1]) / 2)


def _profile(deviation: Array, start: int, n_values: int, length: int) -> Array:
    """Return the mean deviation at each place of the cycle, beginning with the step after the series."""
    place = (np.arange(len(deviation)) + start - n_values) % length
    total = np.bincount(place, deviation, minlength=length)
    return np.asarray(total / np.maximum(1, np.bincount(place, minlength=length)))
