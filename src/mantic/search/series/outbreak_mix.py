"""How the voices of outbreak methods become one: by how each did lately, then widened by how often it held."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mantic.core.curves import LEVELS, Curves
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.learners.outbreak import analogue, boosted, flat, pooled, renewal
from mantic.search.series.rare import pinball

MEDIAN = len(LEVELS) // 2
_SHARP = 1.0  # power of the recent loss by which voices count
_LEAST_LOSS = 1e-9  # of a voice that said just what came, as of counts that never change
_EQUAL = 4.0  # origins that weigh as much as "all voices are equal"
_HALF_LIFE = 4.0  # steps after which an origin counts half
_FACTORS = np.array([0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.45, 1.6, 1.8, 2.0, 2.3])
_USUAL, _SURE = 1.15, 12.0  # widening before anything was seen, and how many origins it weighs


@dataclass(frozen=True)
class Member:
    """A voice in the forecast of an outbreak.

    Parameters
    ----------
    foresee : from curves to quantiles, shape (n_series, horizon, n_levels).
    least : steps that must be known.
    years : how much of them, in years.
    is_spare : whether it counts only where no other can speak.
    is_costly : whether it is left out where there is no time.
    """

    foresee: Callable[[Curves, Run], Array]
    least: int
    years: float = 0.0
    is_spare: bool = False
    is_costly: bool = False

    def suits(self, curves: Curves) -> bool:
        """Return whether enough is known to count on it."""
        return self.can_speak(curves) and curves.years >= self.years

    def can_speak(self, curves: Curves) -> bool:
        """Return whether enough steps are known for it to say anything."""
        return curves.n_steps - curves.horizon >= self.least


SPARE = "flat"
MEMBERS = {
    SPARE: Member(flat.foresee, 2, is_spare=True),
    "renewal": Member(renewal.foresee, 20),
    "pooled": Member(pooled.foresee, 26),
    "analogue": Member(analogue.foresee, 26, years=1.2),
    "boosted": Member(boosted.foresee, 30, is_costly=True),
}
"""The voices, in the order of what they cost."""


@dataclass(frozen=True)
class Blend:
    """Weights of voices, shape (n_voices,), which add up to 1, and by how much the whole is widened."""

    weights: Array
    factor: float

    def mix(self, voices: Array, offset: Array) -> Array:
        """Return quantiles, shape (n_series, horizon, n_levels).

        Parameters
        ----------
        voices : shape (n_voices, n_series, horizon, n_levels); NaN where a voice is silent.
        offset : as in `Curves`.
        """
        return widened(averaged(voices, self.weights, offset), self.factor, offset)


def averaged(voices: Array, weights: Array, offset: Array) -> Array:
    """Return the mean of quantiles at each level, on the scale of logarithms; a silent voice leaves its weight.

    NaN where no voice that counts speaks.
    """
    own = offset[:, None, None]
    logs = np.log(voices + own)
    share = weights[:, None, None, None] * np.isfinite(logs)
    total = (share * np.where(np.isfinite(logs), logs, 0.0)).sum(axis=0)
    weight = share.sum(axis=0)
    mean = np.exp(total / np.where(weight > 0, weight, 1.0)) - own
    return np.where(weight > 0, np.maximum(mean, 0.0), np.nan)


def widened(quantiles: Array, factor: float, offset: Array) -> Array:
    """Return quantiles farther from their median by a factor, on the scale of logarithms."""
    own = offset[:, None, None]
    logs = np.log(quantiles + own)
    middle = logs[..., MEDIAN, None]
    return np.asarray(np.maximum(np.exp(middle + factor * (logs - middle)) - own, 0.0))


def blend(past: Array, truth: Array, *, offset: Array, age: Array, is_spare: Array) -> Blend:
    """Return the weights and the widening that the recent past calls for.

    Parameters
    ----------
    past : what voices said, shape (n_voices, n_origins, n_series, horizon, n_levels); NaN where one was not asked.
    truth : what came since, shape (n_origins, n_series, horizon); NaN where nothing did yet.
    age : steps since each origin, shape (n_origins,).
    is_spare : which voices count only where no other does, shape (n_voices,).
    """
    n_voices = len(past)
    counts = ~is_spare if (~is_spare).any() else np.ones(n_voices, dtype=bool)
    weights = counts / counts.sum()
    fresh = 0.5 ** (age / _HALF_LIFE)
    common = np.isfinite(past[counts]).any(axis=(2, 3, 4)).all(axis=0) & np.isfinite(truth).any(axis=(1, 2))
    n_seen = float(fresh[common].sum())
    if n_seen > 0:
        loss = np.array([_loss(one[common], truth[common], fresh[common], offset) for one in past])
        good = counts & np.isfinite(loss)
        if good.sum() > 1:
            power = np.where(good, np.maximum(np.where(good, loss, 1.0), _LEAST_LOSS) ** -_SHARP, 0.0)
            learned = power / power.sum()
            share = n_seen / (n_seen + _EQUAL)
            weights = np.where(good, (1 - share) / counts.sum() + share * learned, 0.0)
            weights = weights / weights.sum()
    return Blend(weights, _factor(past, truth, weights, fresh, offset=offset))


def _loss(past: Array, truth: Array, fresh: Array, offset: Array) -> float:
    """Return the mean pinball loss on the scale of logarithms; recent origins count more."""
    own = offset[:, None]
    logs, target = np.log(past + own[..., None]), np.log(truth + own)
    lost = pinball(target, logs, LEVELS)
    there = np.isfinite(lost)
    weight = fresh[:, None, None] * there * np.sqrt(np.where(np.isfinite(truth), truth, 0.0) + own)
    return float((weight * np.where(there, lost, 0.0)).sum() / weight.sum()) if weight.sum() > 0 else float("inf")


def _factor(past: Array, truth: Array, weights: Array, fresh: Array, *, offset: Array) -> float:
    """Return by which factor intervals would have lost least lately, moved to what is usual the less was seen."""
    there = np.isfinite(truth).any(axis=(1, 2)) & np.isfinite(past[weights > 0]).any(axis=(0, 2, 3, 4))
    if not there.any():
        return _USUAL
    mixed = np.stack([averaged(past[:, at], weights, offset) for at in np.flatnonzero(there)])
    losses = [
        _loss(np.stack([widened(one, factor, offset) for one in mixed]), truth[there], fresh[there], offset)
        for factor in _FACTORS
    ]
    best = _FACTORS[int(np.argmin(losses))]
    n_seen = float(fresh[there].sum())
    return float(np.exp((n_seen * np.log(best) + _SURE * np.log(_USUAL)) / (n_seen + _SURE)))
