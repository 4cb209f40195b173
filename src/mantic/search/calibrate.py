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
_POWERS = (-3.0, 1.6)  # of e: how far confidence may be changed
_GOLDEN, _CLOSE = (5**0.5 - 1) / 2, 0.01
_MOST_STEPS, _LEAST_GAIN = 20, 1e-9


def log_loss(margin: Array, truth: Array, n_classes: int) -> float:
    """Return the mean negative log-probability of the true class."""
    guess = to_guess(margin, n_classes)
    return float(-np.log(np.clip(guess[np.arange(len(truth)), truth.astype(np.int64)], 1e-15, None)).mean())


def temperature(margin: Array, truth: Array, n_classes: int) -> float:
    """Return the factor on the margins with the lowest log loss (Guo et al., 2017), between 0.05 and 5.

    Sought by golden section (Kiefer, 1953): scipy.optimize takes longer to be loaded than a first model to be fitted.

    >>> margin = np.array([[8.0], [-8.0], [8.0], [-8.0]])
    >>> temperature(margin, np.array([1, 0, 0, 1]), 2) < 0.1  # right half of the time: far too sure
    True
    """
    if n_classes == 0 or len(truth) == 0:
        return 1.0

    def loss(power: float) -> float:
        return log_loss(margin * np.exp(power), truth, n_classes)

    low, high = _POWERS
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    loss_left, loss_right = loss(left), loss(right)
    while high - low > _CLOSE:
        if loss_left <= loss_right:
            high, right, loss_right = right, left, loss_left
            left = high - _GOLDEN * (high - low)
            loss_left = loss(left)
        else:
            low, left, loss_left = left, right, loss_right
            right = low + _GOLDEN * (high - low)
            loss_right = loss(right)
    return float(np.exp((low + high) / 2))


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
    return _platt(margin[:, 0], truth)


def _platt(margin: Array, truth: Array) -> Scaling:
    """Return slope and shift with the lowest log loss, by Newton's steps; each is halved until the loss falls."""
    if truth.min() == truth.max():
        return NONE
    rows = np.column_stack([margin, np.ones(len(margin))])
    point = np.array([1.0, 0.0])
    loss = _loss(rows @ point, truth)
    for _ in range(_MOST_STEPS):
        chance = to_guess((rows @ point)[:, None], 2)[:, 1]
        slope = rows.T @ (chance - truth)
        bend = (rows * (chance * (1 - chance))[:, None]).T @ rows + 1e-9 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        halved = (point - step / 2**k for k in range(10))
        found = next(((new, less) for new in halved if (less := _loss(rows @ new, truth)) < loss), None)
        if found is None:
            break
        gain, (point, loss) = loss - found[1], found
        if gain < _LEAST_GAIN:
            break
    least, most = np.exp(_POWERS)
    if point[0] < least:  # the margins say next to nothing: the share of the classes is what is left
        share = truth.mean()
        return Scaling(float(least), float(np.log(share / (1 - share))))
    return Scaling(float(min(point[0], most)), float(point[1] * min(1.0, most / point[0])))


def _loss(margin: Array, truth: Array) -> float:
    return log_loss(margin[:, None], truth, 2)
