"""Metrics of the order of the rows, sorted once and weighted often."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.prepared import Prepared

_CELLS_AT_ONCE = 2_000_000  # weights that one step holds: 16 MB in float64
_MANY_WEIGHTINGS = 50
_HEAD, _REST = 1_000, 2_000  # for many weightings: runs at the top that stay apart, and runs that the others become


@dataclass(frozen=True)
class Ranked:
    """A metric of one sorted column of guesses.

    Parameters
    ----------
    order : rows by descending guess (or by ascending error).
    ends : position in `order` of the last row of each run of equal values.
    values : sorted values (errors), or whether the row is positive, along `order`.
    score : from cumulative weights to scores; see the functions below.
    """

    order: Array
    ends: Array
    values: Array
    score: Callable[["Ranked", Array], Array]

    def __call__(self, weights: Array) -> Array:
        """Return one score per weighting."""
        step = max(1, _CELLS_AT_ONCE // max(1, len(self.order)))
        ranked = self._coarse() if len(weights) > _MANY_WEIGHTINGS else self
        parts = [ranked.score(ranked, weights[at : at + step][:, self.order]) for at in range(0, len(weights), step)]
        return np.concatenate(parts)

    def _coarse(self) -> "Ranked":
        """Merge neighbours far down: moves an area by less than 0.0001 and is three times as fast."""
        if self.score is _median or len(self.ends) <= _HEAD + _REST:
            return self
        kept = np.unique(np.linspace(_HEAD, len(self.ends) - 1, _REST).astype(np.int64))
        return replace(self, ends=np.concatenate([self.ends[:_HEAD], self.ends[kept]]))


def area(positive: Array, guess: Array) -> Ranked:
    """Prepare the area under the ROC curve: how often a positive row is ranked above a negative one; ties count half.

    Parameters
    ----------
    positive : bool, shape (n_rows,).
    guess : larger means more likely positive; shape (n_rows,).

    NaN when one of the two kinds is absent (it is then undefined).

    >>> area(np.array([True, False, True]), np.array([0.9, 0.5, 0.5]))(np.ones((1, 3)))
    array([0.75])
    """
    order, ends = _descending(guess)
    return Ranked(order, ends, positive[order], _area)


def precision_over_recall(positive: Array, guess: Array) -> Ranked:
    """Prepare average precision: the mean precision at each newly found positive, as scikit-learn defines it.

    NaN when no row is positive.

    >>> precision_over_recall(np.array([True, False, True]), np.array([0.9, 0.5, 0.4]))(np.ones((1, 3))).round(4)
    array([0.8333])
    """
    order, ends = _descending(guess)
    return Ranked(order, ends, positive[order], _precision)


def median(errors: Array) -> Ranked:
    """Prepare the weighted median of errors, shape (n_rows,); between two rows it is their mean.

    >>> median(np.array([3.0, 1.0, 2.0]))(np.array([[1.0, 1, 1], [1.0, 1, 0]]))
    array([2., 2.])
    """
    order = np.argsort(errors, kind="stable")
    return Ranked(order, order, np.asarray(errors, dtype=float)[order], _median)


def one_against_rest(kind: Callable[[Array, Array], Ranked], truth: Array, guess: Array) -> Prepared:
    """Prepare a two-class metric: of class 1 when there are two, else the mean over the classes that occur.

    Parameters
    ----------
    kind : `area` or `precision_over_recall`.
    truth, guess : codes (n_rows,) and probabilities (n_rows, n_classes).
    """
    if guess.shape[1] == 2:
        return kind(truth == 1, guess[:, 1])
    parts = [kind(truth == code, guess[:, code]) for code in np.unique(truth)]

    def scores(weights: Array) -> Array:
        return np.asarray(np.mean([part(weights) for part in parts], axis=0))

    return scores


def _descending(guess: Array) -> tuple[Array, Array]:
    order = np.argsort(-guess, kind="stable")
    sorted_guess = guess[order]
    ends = np.flatnonzero(np.append(sorted_guess[1:] != sorted_guess[:-1], True))
    return order, ends


def _cumulated(ranked: Ranked, weights: Array) -> tuple[Array, Array]:
    """Return the weight of positives and of negatives down to each run of ties; shape (n_weightings, n_runs)."""
    starts = np.concatenate([[0], ranked.ends[:-1] + 1])
    positives = np.add.reduceat(weights * ranked.values, starts, axis=1)
    negatives = np.add.reduceat(weights * ~ranked.values, starts, axis=1)
    return positives.cumsum(axis=1, dtype=np.float64), negatives.cumsum(axis=1, dtype=np.float64)


def _area(ranked: Ranked, weights: Array) -> Array:
    positives, negatives = _cumulated(ranked, weights)
    new = np.diff(positives, prepend=0.0, axis=1)
    below = negatives[:, -1:] - negatives + np.diff(negatives, prepend=0.0, axis=1) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((new * below).sum(axis=1) / (positives[:, -1] * negatives[:, -1]))


def _precision(ranked: Ranked, weights: Array) -> Array:
    positives, negatives = _cumulated(ranked, weights)
    new = np.diff(positives, prepend=0.0, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(positives / (positives + negatives))
        return np.asarray((new * precision).sum(axis=1) / positives[:, -1])


def _median(ranked: Ranked, weights: Array) -> Array:
    running = np.cumsum(weights, axis=1, dtype=np.float64)
    half = running[:, -1:] / 2
    dust = running[:, -1:] * 1e-12
    lower = np.argmax(running >= half - dust, axis=1)
    upper = np.argmax(running > half + dust, axis=1)
    return np.asarray((ranked.values[lower] + ranked.values[upper]) / 2)
