"""A metric bound to one set of answers: thousands of re-weightings cost little more than one score."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mantic.core.metric import Metric
from mantic.core.table import Array


class Prepared(Protocol):
    """Scores for many weightings of the same rows at once."""

    def __call__(self, weights: Array) -> Array:
        """Return shape (n_weightings,) for weights of shape (n_weightings, n_rows), each 0 or more."""
        ...


@dataclass(frozen=True)
class Means:
    """A score that is a function of weighted means over rows, so that all weightings are one matrix product.

    Parameters
    ----------
    columns : what is averaged; shape (n_rows, n_means).
    finish : turns means of shape (n_weightings, n_means) into scores of shape (n_weightings,).

    >>> Means(np.array([[1.0], [3.0]]), first)(np.array([[1, 1], [0, 2]]))
    array([2., 3.])
    """

    columns: Array
    finish: Callable[[Array], Array]

    def __call__(self, weights: Array) -> Array:
        """Return one score per weighting."""
        return self.of_sums(weights @ self.columns, weights.sum(axis=1))

    def of_sums(self, sums: Array, total: Array) -> Array:
        """Return the scores for weighted sums (n_weightings, n_means) and the total weights (n_weightings,)."""
        return np.asarray(self.finish(sums / total[:, None]))


@dataclass(frozen=True)
class OneByOne:
    """Any metric, scored once per weighting: what a metric from a plug-in falls back to."""

    metric: Metric
    truth: Array
    guess: Array

    def __call__(self, weights: Array) -> Array:
        """Return one score per weighting."""
        return np.array([self.metric(self.truth, self.guess, weight) for weight in weights])


def first(means: Array) -> Array:
    """Return the first mean: the score of a plain average."""
    return np.asarray(means[..., 0])


def prepare(metric: Metric, truth: Array, guess: Array) -> Prepared:
    """Bind a metric to answers.

    Parameters
    ----------
    truth, guess : as the metric's function takes them.
    """
    from mantic.evaluate.metrics import PREPARE

    if metric.name in PREPARE:
        return PREPARE[metric.name](truth, guess)
    if metric.per_row is not None:
        end = metric.finish
        return Means(metric.per_row(truth, guess)[:, None], first if end is None else lambda means: end(means[..., 0]))
    return OneByOne(metric, truth, guess)
