"""The area under the ROC curve from ranks: light enough for where no metrics library is loaded."""

import numpy as np

from mantic.core.table import Array


def auc(positive: Array, guess: Array) -> float:
    """Return how often a positive row is ranked above a negative one; ties count half, NaN if one kind is absent.

    Parameters
    ----------
    positive : bool, shape (n_rows,).
    guess : larger means more likely positive; shape (n_rows,), finite.

    Source: Mann and Whitney (1947), On a Test of Whether one of Two Random Variables is Stochastically Larger.

    >>> auc(np.array([True, False, True]), np.array([0.9, 0.5, 0.5]))
    0.75
    """
    n_positive = int(np.count_nonzero(positive))
    n_negative = len(positive) - n_positive
    if not n_positive or not n_negative:
        return float("nan")
    _, place, counts = np.unique(guess, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place.reshape(-1)]
    above = float(rank[positive].sum()) - n_positive * (n_positive + 1) / 2
    return above / (n_positive * n_negative)
