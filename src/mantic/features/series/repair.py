"""What methods learn from: holes filled, errors of measurement tamed; what was observed stays beside it."""

from dataclasses import dataclass, replace

import numpy as np

from mantic.core.season import season_of
from mantic.core.table import Array
from mantic.features.series.finding import Finding
from mantic.features.series.holed import Holed, about
from mantic.report.numbers import amount

_LEAST_LEADING = 4  # zeros before the first value above 0 that look like a time before the launch
_LEAST_TAIL = 6  # zeros at the end that look like the end of a product
_FAR = 10.0  # robust deviations from which a single value is taken for an error
_JUMP = 5.0  # times the mean change from step to step: a value that is far away jumps there and back
_WINDOW = 7  # values of the running median
_LEAST_VALUES = 12  # fewer say nothing about what is odd
_MOST_OUTLIERS = 0.02  # share of a series; more of them are its nature
_SHIFT = 6.0  # robust deviations between two levels
_N_SIDE = 6  # values on each side of a shift


@dataclass(frozen=True)
class Copies:
    """What methods learn from, and what was observed.

    Parameters
    ----------
    values : float64, shape (n_values,), without holes.
    holed : the series, holes and all, without the zeros before their launch.
    """

    values: Array
    holed: Holed


def repair(holed: Holed, season: int, findings: list[Finding]) -> Copies:
    """Return training copies of all series; each kind of repair and each oddity is added to the findings."""
    holed = _from_launch(holed, findings)
    values = np.concatenate([filled(holed.one(place), season) for place in range(len(holed))])
    tamed, owners = values.copy(), []
    for place in range(len(holed)):
        span = slice(holed.bounds[place], holed.bounds[place + 1])
        odd = outliers(values[span], season)
        if len(odd):
            own = values[span].copy()
            own[odd] = np.nan
            tamed[span] = filled(own, season)
            owners += [place] * len(odd)
    if owners:
        text = (
            f"{len(owners):,} single values lie far from their neighbours and from the same place of other seasons; "
            "methods learn from what would be usual there"
        )
        findings.append(about(holed, np.array(owners), Finding("outliers", text, len(owners), is_repair=True)))
    _tell_ends(holed, season, findings)
    return Copies(tamed, holed)


def filled(values: Array, season: int) -> Array:
    """Return a series with its holes filled on the line between the neighbours, with the season put on it.

    >>> filled(np.array([1.0, np.nan, 3.0]), 1)
    array([1., 2., 3.])
    """
    holes = np.isnan(values)
    if not holes.any():
        return values
    place = np.arange(len(values))
    straight = np.interp(place, place[~holes], values[~holes])
    found = season_of(straight, season)
    level = found.out_of(straight)
    level = np.interp(place, place[~holes], level[~holes])
    return np.where(holes, found.into_past(level), values)


def outliers(values: Array, season: int) -> Array:
    """Return the places of single values that are far from their neighbours, unless the same happens every season."""
    if len(values) < _LEAST_VALUES or np.mean(values == 0) > 0.2:
        return np.empty(0, dtype=np.int64)
    jumps = np.abs(np.diff(values))
    if jumps.max() <= _JUMP * max(jumps.mean(), 1e-300):  # nothing stands out: most series end here
        return np.empty(0, dtype=np.int64)
    level = season_of(values, season).out_of(values)
    padded = np.pad(level, _WINDOW // 2, mode="edge")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, _WINDOW), axis=1)
    away = level - middle
    usual = 1.4826 * float(np.median(np.abs(away)))
    if usual <= 0:
        return np.empty(0, dtype=np.int64)
    far = np.flatnonzero(np.abs(away) > _FAR * usual)
    far = far[far < len(values) - 1]  # what came last may be the beginning of something
    if season > 1:
        again = np.abs(far[:, None] - far[None, :]) % season == 0
        far = far[again.sum(axis=1) == 1]
    return far if len(far) <= max(1, _MOST_OUTLIERS * len(values)) else far[:0]


def _from_launch(holed: Holed, findings: list[Finding]) -> Holed:
    """Leave out the zeros before a launch: nothing could be counted before there was something."""
    skip = np.zeros(len(holed), dtype=np.int64)
    for place in range(len(holed)):
        values = holed.one(place)
        above = np.flatnonzero(values > 0)
        if not len(above) or above[0] < _LEAST_LEADING or (values[: above[0]] != 0).any():
            continue
        longest_later = int(np.diff(above).max()) - 1 if len(above) > 1 else 0
        if above[0] > 2 * longest_later and len(values) - above[0] >= 2:
            skip[place] = above[0]
    if not skip.any():
        return holed
    text = f"{int(skip.sum()):,} zeros before the first value above 0 were left out: nothing was offered yet"
    findings.append(about(holed, np.flatnonzero(skip), Finding("leading_zeros", text, int(skip.sum()), is_repair=True)))
    pieces = [np.arange(holed.bounds[one] + skip[one], holed.bounds[one + 1]) for one in range(len(holed))]
    flat = np.concatenate(pieces)
    bounds = np.concatenate([[0], np.cumsum([len(one) for one in pieces])]).astype(np.int64)
    return replace(holed, values=holed.values[flat], known=holed.known[flat], bounds=bounds)


def _tell_ends(holed: Holed, season: int, findings: list[Finding]) -> None:
    ended, shifted = [], []
    for place in range(len(holed)):
        values = holed.one(place)
        values = values[~np.isnan(values)]
        if is_discontinued(values, season):
            ended.append(place)
        elif is_shifted(values):
            shifted.append(place)
    if ended:
        what = amount(len(ended), "series ends", "series end")
        text = f"{what} with more zeros than ever before: that looks discontinued"
        findings.append(about(holed, np.array(ended), Finding("discontinued", text)))
    if shifted:
        text = f"{len(shifted):,} series moved to another level at once: what came before says less about what follows"
        findings.append(about(holed, np.array(shifted), Finding("level_shift", text)))
    late = holed.last.max() - holed.last
    behind = np.flatnonzero(late > 0)
    if len(behind):
        text = (
            f"{amount(len(behind), 'series ends', 'series end')} before the latest one, by up to "
            f"{amount(int(late.max()), 'step')}; each is forecast "
            "from its own end"
        )
        findings.append(about(holed, behind, Finding("ends_early", text)))


def is_discontinued(values: Array, season: int) -> bool:
    """Return whether a series ends with far more zeros than it ever had in between."""
    above = np.flatnonzero(values > 0)
    if not len(above):
        return False
    tail = len(values) - 1 - above[-1]
    longest = int(np.diff(above).max()) - 1 if len(above) > 1 else 0
    return bool(tail >= max(_LEAST_TAIL, season, 3 * longest))


def is_shifted(values: Array) -> bool:
    """Return whether a series stands on two levels, with a jump between that is no trend and no single value."""
    n_values = len(values)
    if n_values < 2 * _N_SIDE:
        return False
    total, place = np.cumsum(values), np.arange(_N_SIDE, n_values - _N_SIDE + 1)
    before = total[place - 1] / place
    after = (total[-1] - total[place - 1]) / (n_values - place)
    gain = (after - before) ** 2 * place * (n_values - place) / n_values
    at = place[gain.argmax()]
    left, right = values[:at], values[at:]
    if abs(float(right.mean() - left.mean())) <= _SHIFT / 2 * max(left.std(), right.std()):
        return False
    apart = float(np.median(right) - np.median(left))
    noise = 1.4826 * max(np.median(np.abs(left - np.median(left))), np.median(np.abs(right - np.median(right))))
    jump = abs(float(np.median(values[at : at + 3]) - np.median(values[at - 3 : at])))
    return bool(noise > 0 and abs(apart) > _SHIFT * noise and jump > 0.8 * abs(apart))
