"""What methods learn from: holes filled, errors of measurement tamed; what was observed stays beside it."""

from dataclasses import dataclass, replace

import numpy as np

from mantic.core.panel import alike, spans
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
_NEARLY = 0.999  # of a limit, where a quick look must not be stricter than the close one
_MANY_ZEROS = 0.2  # share of a series, from which single values above 0 are its nature


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
    values = without_holes(holed.values, holed.bounds, season)
    tamed, owners = values.copy(), []
    for places, rows in alike(values, holed.bounds):
        odd = outliers(rows, season)
        some = np.flatnonzero(odd.any(axis=1))
        if len(some):
            at = holed.bounds[places[some]][:, None] + np.arange(rows.shape[1])
            tamed[at] = filled(np.where(odd[some], np.nan, rows[some]), season)
            owners.append(np.repeat(places[some], odd[some].sum(axis=1)))
    if owners:
        found = np.concatenate(owners)
        text = (
            f"{len(found):,} single values lie far from their neighbours and from the same place of other seasons; "
            "methods learn from what would be usual there"
        )
        findings.append(about(holed, found, Finding("outliers", text, len(found), is_repair=True)))
    _tell_ends(holed, season, findings)
    return Copies(tamed, holed)


def without_holes(values: Array, bounds: Array, season: int) -> Array:
    """Return series one after the other with their holes filled as `filled` does.

    Parameters
    ----------
    values, bounds : as in a `Panel`, with NaN in holes; each series has a value.
    """
    found = values.copy()
    holes = np.add.reduceat(np.isnan(values).astype(np.int64), bounds[:-1])
    chosen = np.flatnonzero(holes)
    if len(chosen):
        lengths = np.diff(bounds)[chosen]
        flat = spans(bounds[:-1][chosen], lengths)
        own = np.concatenate([[0], np.cumsum(lengths)])
        for places, rows in alike(values[flat], own):
            found[bounds[chosen[places]][:, None] + np.arange(rows.shape[1])] = filled(rows, season)
    return found


def filled(values: Array, season: int) -> Array:
    """Return series with their holes filled on the line between the neighbours, with the season put on it.

    Parameters
    ----------
    values : series of equal length, shape (n_series, n_values); each has a value.

    >>> filled(np.array([[1.0, np.nan, 3.0]]), 1)
    array([[1., 2., 3.]])
    """
    holes = np.isnan(values)
    if not holes.any():
        return values
    straight = _straight(values)
    found = season_of(straight, season)
    level = _straight(np.where(holes, np.nan, found.out_of(straight)))
    return np.where(holes, found.into_past(level), values)


def _straight(values: Array) -> Array:
    """Return rows whose holes lie on the line between their neighbours, or at the nearest value at the ends."""
    n_values = values.shape[1]
    place, is_there = np.arange(n_values), ~np.isnan(values)
    low = np.maximum.accumulate(np.where(is_there, place, -1), axis=1)
    high = np.minimum.accumulate(np.where(is_there, place, n_values)[:, ::-1], axis=1)[:, ::-1]
    low, high = np.where(low < 0, high, low), np.where(high == n_values, low, high)
    below, above = np.take_along_axis(values, low, 1), np.take_along_axis(values, high, 1)
    return np.asarray((above - below) / np.maximum(1, high - low) * (place - low) + below)


def outliers(values: Array, season: int) -> Array:
    """Return which single values are far from their neighbours, unless the same happens every season.

    Parameters
    ----------
    values : series of equal length without holes, shape (n_series, n_values).
    """
    found = np.zeros(values.shape, dtype=bool)
    if values.shape[1] < _LEAST_VALUES:
        return found
    jumps = np.abs(np.diff(values, axis=1))
    stands_out = jumps.max(axis=1) > _JUMP * np.maximum(jumps.mean(axis=1), 1e-300)  # in most series nothing does
    rows = np.flatnonzero(stands_out & (np.mean(values == 0, axis=1) <= _MANY_ZEROS))
    if len(rows):
        found[rows] = _far(values[rows], season)
    return found


def _far(values: Array, season: int) -> Array:
    n_series, n_values = values.shape
    level = season_of(values, season).out_of(values)
    padded = np.pad(level, ((0, 0), (_WINDOW // 2, _WINDOW // 2)), mode="edge")
    away = level - np.median(np.lib.stride_tricks.sliding_window_view(padded, _WINDOW, axis=1), axis=2)
    usual = 1.4826 * np.median(np.abs(away), axis=1, keepdims=True)
    far = (usual > 0) & (np.abs(away) > _FAR * usual)
    far[:, -1] = False  # what came last may be the beginning of something
    if season > 1:
        at = np.arange(n_series)[:, None] * season + np.arange(n_values) % season
        again = np.bincount(at.ravel(), far.ravel(), minlength=n_series * season)
        far &= again[at] == 1
    far[far.sum(axis=1) > max(1, _MOST_OUTLIERS * n_values)] = False
    return np.asarray(far)


def _from_launch(holed: Holed, findings: list[Finding]) -> Holed:
    """Leave out the zeros before a launch: nothing could be counted before there was something."""
    skip, lengths = np.zeros(len(holed), dtype=np.int64), np.diff(holed.bounds)
    candidates = np.flatnonzero(lengths > _LEAST_LEADING)
    begins = holed.values[holed.bounds[candidates][:, None] + np.arange(_LEAST_LEADING)]
    for place in candidates[(begins == 0).all(axis=1)].tolist():
        values = holed.one(place)
        above = np.flatnonzero(values > 0)
        if not len(above) or (values[: above[0]] != 0).any():
            continue
        longest_later = int(np.diff(above).max()) - 1 if len(above) > 1 else 0
        if above[0] > 2 * longest_later and len(values) - above[0] >= 2:
            skip[place] = above[0]
    if not skip.any():
        return holed
    text = f"{int(skip.sum()):,} zeros before the first value above 0 were left out: nothing was offered yet"
    findings.append(about(holed, np.flatnonzero(skip), Finding("leading_zeros", text, int(skip.sum()), is_repair=True)))
    flat = spans(holed.bounds[:-1] + skip, lengths - skip)
    bounds = np.concatenate([[0], np.cumsum(lengths - skip)]).astype(np.int64)
    return replace(holed, values=holed.values[flat], known=holed.known[flat], bounds=bounds)


def _tell_ends(holed: Holed, season: int, findings: list[Finding]) -> None:
    is_there = ~np.isnan(holed.values)
    n_there = np.add.reduceat(is_there.astype(np.int64), holed.bounds[:-1])
    ended, shifted = np.zeros(len(holed), dtype=bool), np.zeros(len(holed), dtype=bool)
    for places, rows in alike(holed.values[is_there], np.concatenate([[0], np.cumsum(n_there)])):
        ended[places] = is_discontinued(rows, season)
        shifted[places] = is_shifted(rows)
    shifted &= ~ended
    if ended.any():
        what = amount(int(ended.sum()), "series ends", "series end")
        text = f"{what} with more zeros than ever before: that looks discontinued"
        findings.append(about(holed, np.flatnonzero(ended), Finding("discontinued", text)))
    if shifted.any():
        n_shifted = int(shifted.sum())
        text = f"{n_shifted:,} series moved to another level at once: what came before says less about what follows"
        findings.append(about(holed, np.flatnonzero(shifted), Finding("level_shift", text)))
    late = holed.last.max() - holed.last
    behind = np.flatnonzero(late > 0)
    if len(behind):
        text = (
            f"{amount(len(behind), 'series ends', 'series end')} before the latest one, by up to "
            f"{amount(int(late.max()), 'step')}; each is forecast "
            "from its own end"
        )
        findings.append(about(holed, behind, Finding("ends_early", text)))


def is_discontinued(values: Array, season: int) -> Array:
    """Return which series end with far more zeros than they ever had in between.

    Parameters
    ----------
    values : series of equal length without holes, shape (n_series, n_values).
    """
    is_some, place = values > 0, np.arange(values.shape[1])
    latest = np.maximum.accumulate(np.where(is_some, place, -1), axis=1)
    gaps = np.where(is_some[:, 1:] & (latest[:, :-1] >= 0), place[:-1] - latest[:, :-1], 0)
    longest = gaps.max(axis=1, initial=0)
    tail = len(place) - 1 - latest[:, -1]
    return np.asarray((latest[:, -1] >= 0) & (tail >= np.maximum(max(_LEAST_TAIL, season), 3 * longest)))


def is_shifted(values: Array) -> Array:
    """Return which series stand on two levels, with a jump between that is no trend and no single value.

    Parameters
    ----------
    values : series of equal length without holes, shape (n_series, n_values).
    """
    n_series, n_values = values.shape
    found = np.zeros(n_series, dtype=bool)
    if n_values < 2 * _N_SIDE:
        return found
    total, place = np.cumsum(values, axis=1), np.arange(_N_SIDE, n_values - _N_SIDE + 1)
    before = total[:, place - 1] / place
    after = (total[:, -1:] - total[:, place - 1]) / (n_values - place)
    gain = (after - before) ** 2 * place * (n_values - place) / n_values
    at = place[gain.argmax(axis=1)]
    for row in np.flatnonzero(_may_be_shifted(values, at)).tolist():
        found[row] = _has_two_levels(values[row], int(at[row]))
    return found


def _may_be_shifted(values: Array, at: Array) -> Array:
    """Return which series have two parts that lie apart: the rest needs no closer look."""
    is_left = np.arange(values.shape[1]) < at[:, None]
    means, deviations = [], []
    for is_in in (is_left, ~is_left):
        count = is_in.sum(axis=1)
        mean = np.where(is_in, values, 0.0).sum(axis=1) / count
        means.append(mean)
        deviations.append(np.sqrt(np.where(is_in, (values - mean[:, None]) ** 2, 0.0).sum(axis=1) / count))
    return np.asarray(np.abs(means[1] - means[0]) > _NEARLY * _SHIFT / 2 * np.maximum(*deviations))


def _has_two_levels(values: Array, at: int) -> bool:
    left, right = values[:at], values[at:]
    if abs(float(right.mean() - left.mean())) <= _SHIFT / 2 * max(left.std(), right.std()):
        return False
    apart = float(np.median(right) - np.median(left))
    noise = 1.4826 * max(np.median(np.abs(left - np.median(left))), np.median(np.abs(right - np.median(right))))
    jump = abs(float(np.median(values[at : at + 3]) - np.median(values[at - 3 : at])))
    return bool(noise > 0 and abs(apart) > _SHIFT * noise and jump > 0.8 * abs(apart))
