"""How good the answers probably are before any outcome is known, from the probabilities alone.

A calibrated model says how often it is right: among rows to which it gives 80 %, four of five. So the answers to recent
rows tell their own expected quality, as long as what a row means for the target is as it was (no concept drift), and
probabilities are calibrated for these rows too. It sees rows that became harder; it cannot see a world that changed.

Source: confidence-based performance estimation, as in Bialek et al. (2024), Estimating Model Performance Under
Covariate Shift Without Labels.
"""

from dataclasses import dataclass

import numpy as np

from mantic.core.metric import Metric
from mantic.core.table import Array
from mantic.evaluate.blocks_score import name_of
from mantic.evaluate.intervals import Interval
from mantic.watch.asked import Asked, Stream, Subject
from mantic.watch.evidence import Evidence, worse
from mantic.watch.judged import metrics_for, promised
from mantic.watch.rank import online_ranks

LIMIT = 40.0  # times four weeks pass on average, or more, before rows are called harder where they are not
ASSUMPTION = (
    "An estimate from the model's own probabilities, without outcomes. It assumes that what a row means for the answer "
    "is as it was in training; it cannot see a world that changed."
)
_FEW_ROWS = 50
_MOST_ROWS = 4_000
_N_DRAWS = 200


@dataclass(frozen=True)
class Estimated:
    """A metric as it is expected on recent rows, and on the rows held out by the same way of counting."""

    metric: Metric
    now: Interval
    before: float

    @property
    def name(self) -> str:
        """Return how the metric is called in print."""
        return name_of(self.metric)


@dataclass(frozen=True)
class Estimate:
    """What the probabilities say of quality; `evidence` is against "rows are as easy as those held out"."""

    figures: tuple[Estimated, ...]
    n_rows: int
    evidence: Evidence

    @property
    def is_harder(self) -> bool:
        """Whether rows became harder, by a test that may be looked at at any time."""
        return self.evidence.peak >= LIMIT


def estimate_of(subject: Subject, asked: Asked, stream: Stream, *, seed: int = 0) -> Estimate | None:
    """Estimate the metrics of a model of classes on recent rows; None for numbers, or where rows are few.

    Parameters
    ----------
    stream : rows that the test sees.
    """
    guess = asked.guess[np.isfinite(asked.guess).all(axis=1)] if subject.labels else np.empty(0)
    held_out = promised(subject)
    if len(guess) < _FEW_ROWS or len(held_out) < _FEW_ROWS:
        return None
    chance = np.random.default_rng(seed)
    figures = tuple(
        Estimated(one, expected(one, guess, chance), expected(one, held_out.guess, chance).score)
        for one in metrics_for(subject)
    )
    whole = np.isfinite(stream.guess).all(axis=1)
    ranks = online_ranks(-_doubt(held_out.guess), -_doubt(stream.guess[whole]), seed=seed)
    return Estimate(figures, len(guess), worse(ranks, stream.week[whole], stream.n_weeks))


def expected(metric: Metric, guess: Array, chance: np.random.Generator) -> Interval:
    """Return what a metric would be if the probabilities are right: the mean over truths drawn from them.

    Parameters
    ----------
    guess : probabilities, shape (n_rows, n_classes); at most 4,000 rows are used.

    Returns
    -------
    The mean, and the range that holds 95 of 100 draws: where the metric would lie if the outcomes were known.

    >>> from mantic.core.metric import METRICS
    >>> sure = np.repeat([[0.9, 0.1]], 2_000, axis=0)
    >>> round(expected(METRICS.get("accuracy"), sure, np.random.default_rng(0)).score, 2)
    0.9
    """
    rows = guess if len(guess) <= _MOST_ROWS else guess[np.sort(chance.permutation(len(guess))[:_MOST_ROWS])]
    edges = rows.cumsum(axis=1)[:, :-1]
    draws = []
    for _ in range(_N_DRAWS):
        truth = (chance.random((len(rows), 1)) > edges).sum(axis=1)
        draws.append(metric(truth, rows))
    kept = np.array(draws)[np.isfinite(draws)]
    if not len(kept):
        return Interval(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(kept, [0.025, 0.975])
    return Interval(float(kept.mean()), float(low), float(high))


def _doubt(guess: Array) -> Array:
    return np.asarray(1 - guess.max(axis=1))
