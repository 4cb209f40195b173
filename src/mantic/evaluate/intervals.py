"""How sure a score is, and how sure it is that one model beats another."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mantic.core.metric import Metric
from mantic.core.table import Array
from mantic.evaluate.prepared import Means, Prepared, first, prepare
from mantic.evaluate.resample import Resamples

_SMALL = 500  # up to so many units the interval is corrected for bias and skewness by a jackknife


@dataclass(frozen=True)
class Interval:
    """A score and the range in which it would lie on other rows of the same kind."""

    score: float
    low: float
    high: float

    def spanning(self, scores: Iterable[float]) -> "Interval":
        """Return the interval that holds these scores too: what earlier periods gave, the next one may give again.

        >>> Interval(17.0, 16.0, 18.0).spanning([25.0, 21.0])
        Interval(score=17.0, low=16.0, high=25.0)
        """
        return Interval(self.score, min([self.low, *scores]), max([self.high, *scores]))


@dataclass(frozen=True)
class Difference:
    """How much better one model is than another; above 0 means better, whatever the metric's direction.

    Parameters
    ----------
    mean, low, high : the difference on these rows and its interval, in the metric's unit.
    share_better : share of the resamples in which it is better, 0 to 1.
    """

    mean: float
    low: float
    high: float
    share_better: float


def bootstrap(
    metric: Metric, truth: Array, guess: Array, *, clusters: Array | None = None, seed: int = 0, level: float = 0.95
) -> Interval:
    """Score held-out rows with an interval.

    Parameters
    ----------
    truth, guess : as the metric takes them.
    clusters : rows of one value belong together (a group, a day); shape (n_rows,).
    level : share of such intervals that hold the truth.

    Returns
    -------
    The interval, NaN at its ends where the metric is undefined. Up to 500 rows (or clusters) it is BCa.

    Source: Rubin (1981); Efron (1987), Better Bootstrap Confidence Intervals; Hesterberg (2015) for the widening.

    >>> from mantic.core.metric import METRICS
    >>> interval = bootstrap(METRICS.get("mae"), np.arange(50.0), np.arange(50.0) + 1)
    >>> (interval.score, round(interval.low, 4), round(interval.high, 4))
    (1.0, 1.0, 1.0)
    """
    plan = Resamples.draw(len(truth), clusters=clusters, seed=seed)
    return interval_of(prepare(metric, truth, guess), plan, level=level)


def paired(
    metric: Metric, truth: Array, guess_a: Array, guess_b: Array, *, clusters: Array | None = None, seed: int = 0
) -> Difference:
    """Say how much better `guess_a` is than `guess_b` on the same rows, with a 95 % interval.

    >>> from mantic.core.metric import METRICS
    >>> truth = np.arange(50.0)
    >>> paired(METRICS.get("mae"), truth, truth + 1, truth + 3).mean
    2.0
    """
    plan = Resamples.draw(len(truth), clusters=clusters, seed=seed)
    return difference_of(metric, prepare(metric, truth, guess_a), prepare(metric, truth, guess_b), plan=plan)


def interval_of(prepared: Prepared, plan: Resamples, *, level: float = 0.95) -> Interval:
    """Score with an interval, on weights that were drawn before (see `bootstrap`)."""
    score = float(prepared(np.ones((1, plan.n_rows)))[0])
    low, high = _ends(prepared, plan, score=score, level=level)
    return Interval(score, low, high)


def of_new_rows(interval: Interval, *, higher_is_better: bool) -> Interval:
    """Widen the interval of an expected score so that it holds the score on new rows, as many as judged.

    Those rows vary as much as these did, so both ends move away from the score by the square root of two; not past 1
    for what is better when higher, nor past 0 for what is better when lower, which is where such metrics end.

    Source: Hahn and Meeker (1991), Statistical Intervals, on prediction intervals for a mean.

    >>> round(of_new_rows(Interval(0.8, 0.7, 0.9), higher_is_better=True).low, 3)
    0.659
    """
    low = interval.score - np.sqrt(2) * (interval.score - interval.low)
    high = interval.score + np.sqrt(2) * (interval.high - interval.score)
    if higher_is_better:
        return Interval(interval.score, float(low), max(interval.high, min(float(high), 1.0)))
    return Interval(interval.score, min(interval.low, max(float(low), 0.0)), float(high))


def difference_of(metric: Metric, a: Prepared, b: Prepared, *, plan: Resamples) -> Difference:
    """Compare two prepared answers on weights that were drawn before (see `paired`)."""
    sign = 1.0 if metric.higher_is_better else -1.0
    ones = np.ones((1, plan.n_rows))
    mean = sign * float(a(ones)[0] - b(ones)[0])
    draws = sign * (plan.scores(a) - plan.scores(b))
    if not np.isfinite(draws).all() or not np.isfinite(mean) or plan.n_units < 2:
        return Difference(mean, float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(draws, _shares(plan.n_units, level=0.95))
    return Difference(mean, float(low), float(high), float((draws > 0).mean() + (draws == 0).mean() / 2))


def wilson(share: float, n_rows: float, *, level: float = 0.95) -> tuple[float, float]:
    """Return the interval of a share that was counted on `n_rows` rows; never empty, also at 0 and 1.

    Source: Wilson (1927), Probable Inference.

    >>> tuple(round(end, 3) for end in wilson(1.0, 10))
    (0.722, 1.0)
    """
    if n_rows <= 0 or not np.isfinite(share):
        return 0.0, 1.0
    z = _normal_quantile(0.5 + level / 2)
    shrink = 1 + z**2 / n_rows
    centre = (share + z**2 / (2 * n_rows)) / shrink
    half = z * np.sqrt(share * (1 - share) / n_rows + z**2 / (4 * n_rows**2)) / shrink
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))


def mean_with_unseen(values: Array, unseen: Array, plan: Resamples, *, seed: int = 0, level: float = 0.95) -> Interval:
    """Return a mean over rows, with an interval that reckons with events that no row shows.

    A bootstrap knows only what it was shown: where a costly mistake did not happen once among the rows, its interval
    leaves it out. Here each kind of event counts half a row more than was seen (for four kinds: Jeffreys' prior); the
    mean itself is that of the rows.

    Parameters
    ----------
    values : of each row; shape (n_rows,).
    unseen : the value of each kind of event that can happen; shape (n_kinds,). Together they weigh two rows.

    Source: Rubin (1981), The Bayesian Bootstrap; Jeffreys (1946) for the prior.

    >>> plan = Resamples.draw(100, seed=0)
    >>> interval = mean_with_unseen(np.zeros(100), np.array([0.0, 0.0, 0.0, 50.0]), plan)
    >>> interval.score, 0.5 < interval.high < 2.0
    (0.0, True)
    """
    score = float(values.mean()) if len(values) else float("nan")
    if plan.n_units < 2 or not np.isfinite(score):
        return Interval(score, float("nan"), float("nan"))
    totals = plan.totals()
    extra = np.random.default_rng([seed, 1]).standard_gamma(2 / len(unseen), (len(totals), len(unseen)))
    sums = plan.scores(Means(values[:, None], first)) * totals
    draws = (sums + extra @ unseen) / (totals + extra.sum(axis=1))
    low, high = np.quantile(draws, _shares(plan.n_units, level=level))
    return Interval(score, min(float(low), score), max(float(high), score))


def _ends(prepared: Prepared, plan: Resamples, *, score: float, level: float) -> tuple[float, float]:
    draws = plan.scores(prepared)
    if not np.isfinite(score) or not np.isfinite(draws).all() or plan.n_units < 2:
        return float("nan"), float("nan")
    shares = _shares(plan.n_units, level=level)
    if plan.n_units <= _SMALL:
        shares = _corrected(shares, draws, jackknife=plan.without_each(prepared), score=score)
    low, high = np.quantile(draws, shares)
    return min(float(low), score), max(float(high), score)


def _shares(n_units: int, *, level: float) -> Array:
    """Return the tails, a little further out when units are few, as Student's t is against the normal curve."""
    from scipy import special

    wide = special.stdtrit(max(1, n_units - 1), 0.5 + level / 2) * np.sqrt((n_units + 1) / max(1, n_units - 1))
    return np.asarray(special.ndtr([-wide, wide]))


def _corrected(shares: Array, draws: Array, *, jackknife: Array, score: float) -> Array:
    from scipy import special

    kept = jackknife[np.isfinite(jackknife)]
    if len(kept) < 2 or np.ptp(draws) == 0:
        return shares
    below = float((draws < score).mean() + (draws == score).mean() / 2)
    bias = special.ndtri(np.clip(below, 1 / len(draws), 1 - 1 / len(draws)))
    spread = kept.mean() - kept
    variance = float((spread**2).sum())
    skew = float((spread**3).sum()) / (6 * variance**1.5) if variance > 0 else 0.0
    moved = bias + special.ndtri(shares)
    if not np.isfinite(moved).all():  # two units: the interval is all that was drawn
        return shares
    return np.asarray(special.ndtr(bias + moved / (1 - skew * moved)))


def _normal_quantile(share: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(share)
