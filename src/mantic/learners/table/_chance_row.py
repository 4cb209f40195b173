"""From the margin of one row to probabilities, without the detours that many rows need."""

import math

import numpy as np

from mantic.core.table import Array


def chance_of(margin: float) -> Array:
    """Return the probabilities of two classes from the log-odds of the second.

    >>> chance_of(0.0).tolist()
    [0.5, 0.5]
    """
    power = math.exp(-abs(margin))
    less, more = power / (1 + power), 1 / (1 + power)
    return np.array([less, more] if margin > 0 else [more, less])


def shares_of(margin: Array) -> Array:
    """Return the probabilities of many classes from their log-probabilities up to a constant.

    >>> shares_of(np.zeros(4)).tolist()
    [0.25, 0.25, 0.25, 0.25]
    """
    power = np.exp(margin - margin.max())
    shares: Array = power / power.sum()
    return shares
