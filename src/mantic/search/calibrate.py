"""Correct confidence: scale margins where out-of-fold predictions say that it helps."""

from dataclasses import dataclass

import numpy as np

from mantic.core.table import Array
from mantic.search.margin import to_guess


@dataclass(frozen=True)
class Scaling:
    """`slope * margin + shift`; the shift is only used for two classes."""

    slope: float = 1.0
    shift: float = 0.0

    def apply(self, margin: Array) -> Array:
        """Return the scaled margins."""
        scaled: Array = margin * self.slope + self.shift
        return scaled


NONE = Scaling()


def log_loss(margin: Array, truth: Array, n_classes: int) -> float:
    """Return the mean negative log-probability of the true class."""
    guess = to_guess(margin, n_classes)
    return float(-np.log(np.clip(guess[np.arange(len(truth)), truth.astype(np.int64)], 1e-15, None)).mean())


def temperature(margin: Array, truth: Array, n_classes: int) -> float:
    """Return the factor on the margins with the lowest log loss (Guo et al., 2017), between 0.05 and 5.

    >>> margin = np.array([[8.0], [-8.0], [8.0], [-8.0]])
    >>> temperature(margin, np.array([1, 0, 0, 1]), 2) < 0.1  # right half of the time: far too sure
    True
    """
    from scipy.optimize import minimize_scalar

    if n_classes == 0 or len(truth) == 0:
        return 1.0
    best = minimize_scalar(
        lambda power: log_loss(margin * np.exp(power), truth, n_classes), bounds=(-3.0, 1.6), method="bounded",
        options={"xatol": 0.01},
    )  # fmt: skip
    return float(np.exp(best.x))


def fit_scaling(margin: Array, truth: Array, n_classes: int, *, seed: int) -> Scaling:
    """Return the scaling for classes, or none where it does not lower the log loss of rows it was not fitted on.

    Two classes: slope and shift (Platt, 1999). More classes: one temperature. Checked by five-fold cross-fitting.
    """
    if n_classes == 0 or len(truth) < 100:
        return NONE
    fold = np.random.default_rng(seed).permutation(len(truth)) % 5
    after = 0.0
    for k in range(5):
        learn, judge = fold != k, fold == k
        scaling = _best(margin[learn], truth[learn], n_classes)
        after += log_loss(scaling.apply(margin[judge]), truth[judge], n_classes) * judge.mean()
    before = log_loss(margin, truth, n_classes)
    return _best(margin, truth, n_classes) if after < before * (1 - 1e-3) else NONE


def _best(margin: Array, truth: Array, n_classes: int) -> Scaling:
    if n_classes > 2:
        return Scaling(temperature(margin, truth, n_classes))
    from scipy.optimize import minimize

    def loss(point: Array) -> float:
        return log_loss(margin * np.exp(point[0]) + point[1], truth, n_classes)

    found = minimize(loss, np.zeros(2), method="Nelder-Mead", options={"xatol": 1e-3, "fatol": 1e-6, "maxiter": 80})
    return Scaling(float(np.exp(np.clip(found.x[0], -3, 1.6))), float(found.x[1]))
