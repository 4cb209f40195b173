"""How values are revised after they were first told, and what the latest ones will become: the nowcast."""

from dataclasses import dataclass

import numpy as np

from mantic.core.table import Array
from mantic.features.series.vintages import Vintages, filled

N_AGES = 8  # steps after which a value counts as final
_HALF_LIFE = 6.0  # days of telling after which what was learned counts half
_MOST_DAYS = 60  # of telling; older ones would count less than a thousandth
_OWN = 12.0  # pairs of a series that weigh as much as all series together
_DOUBT = 0.02  # a ratio that one day alone is never believed to be known better than
_MOST = 1.5  # of the logarithm of a ratio: a slip of the keyboard must not teach


@dataclass(frozen=True)
class Revision:
    """What values of each age still become.

    Parameters
    ----------
    ratio : logarithm of what a value becomes as a share of what it is, shape (n_series, n_ages); age 0 is the latest.
    doubt : standard deviation of that logarithm over pairs, shape (n_ages,).
    n_pairs : how many pairs of early and late values stand behind each age, shape (n_ages,).
    shared : the ratio over all series, shape (n_ages,).
    """

    ratio: Array
    doubt: Array
    n_pairs: Array
    shared: Array

    def applied(self, values: Array) -> Array:
        """Return values, shape (n_series, n_steps), as they are likely to end."""
        found = np.array(values)
        n_ages = min(self.ratio.shape[1], values.shape[1])
        for age in range(n_ages):
            found[:, -1 - age] *= np.exp(self.ratio[:, age])
        return found


def learned(vintages: Vintages, day: int, n_series: int) -> Revision:
    """Return how values were revised, from what was known up to a day; nothing later is looked at.

    A value counts as known well if it is at least two steps older now than then. Later days of telling count more,
    large counts count more, and a series' own habit counts the more the longer it was seen.
    """
    now = vintages.at(day, n_series)
    end = now.shape[1] - 1
    total, mass = np.zeros((n_series, N_AGES)), np.zeros((n_series, N_AGES))
    square, n_pairs = np.zeros(N_AGES), np.zeros(N_AGES)
    by_day = np.zeros((3, N_AGES))  # of days: weight, weight x mean ratio, weight x its square
    ends = vintages.ends()
    for before in range(max(0, day - _MOST_DAYS), day):
        then_end = int(ends[before])
        if then_end < 0 or end - then_end < 1:
            continue
        then = vintages.at(before, n_series)
        fresh = 0.5 ** ((day - before) / _HALF_LIFE)
        for age in range(min(N_AGES, then_end + 1)):
            step = then_end - age
            if end - step < age + 2:
                continue
            early, late = then[:, step], now[:, step]
            ratio = np.clip(np.log((late + 1) / (early + 1)), -_MOST, _MOST)
            weight = np.where(np.isfinite(ratio), fresh * (early + 1) / (early + 20), 0.0)
            ratio = np.where(np.isfinite(ratio), ratio, 0.0)
            total[:, age] += weight * ratio
            mass[:, age] += weight
            square[age] += float((weight * ratio**2).sum())
            n_pairs[age] += float((weight > 0).sum())
            if weight.sum() > 0:
                mean = float((weight * ratio).sum() / weight.sum())
                by_day[:, age] += fresh * np.array([1.0, mean, mean**2])
    count = mass.sum(axis=0)
    shared = _sure(by_day) * total.sum(axis=0) / np.maximum(1e-9, count)
    own = (total + _OWN * shared) / (mass + _OWN)
    doubt = np.sqrt(np.maximum(square / np.maximum(1e-9, count) - shared**2, 0.0))
    return Revision(own, np.where(count > 0, doubt, 0.0), n_pairs, shared)


def _sure(by_day: Array) -> Array:
    """Return how far a mean over days may be believed, 0 to 1, shape (n_ages,): its square against its own error's."""
    weight = np.maximum(by_day[0], 1e-9)
    mean = by_day[1] / weight
    error = np.maximum(by_day[2] / weight - mean**2, 0.0) / weight + _DOUBT**2 / weight
    return np.asarray(np.clip(1 - error / np.maximum(mean**2, 1e-12), 0.0, 1.0))


def nowcast(vintages: Vintages, day: int, n_series: int) -> tuple[Array, Revision]:
    """Return the values of a day as they are likely to end, without holes, and what was learned of revisions."""
    revision = learned(vintages, day, n_series)
    return revision.applied(filled(vintages.at(day, n_series))), revision
