"""Which candidates to blend, with which weights: greedy selection with replacement (Caruana et al., 2004)."""

from collections.abc import Callable

import numpy as np

from mantic.core.table import Array

MOST_MEMBERS = 6  # of a blend that answers quickly
_ROUNDS = 20
_LEAST_GAIN = 1e-4  # a further member must lower the loss by this share, else the blend stays small


def greedy(margins: list[Array], loss: Callable[[Array], float], *, most: int) -> Array:
    """Return the weight of each candidate (they sum to 1; at most `most` are above 0).

    Parameters
    ----------
    margins : what each candidate said of rows it had not seen, shape (n, n_outputs).
    loss : of blended margins (n, n_outputs), lower is better.

    >>> truth = np.zeros((4, 1))
    >>> good, bad = np.full((4, 1), 0.1), np.full((4, 1), 9.0)
    >>> greedy([good, bad], lambda margin: float(np.abs(margin - truth).mean()), most=3).tolist()
    [1.0, 0.0]
    """
    single = np.array([loss(margin) for margin in margins])
    single = np.where(np.isfinite(single), single, np.inf)
    counts = np.zeros(len(margins))
    first = int(single.argmin())
    counts[first] = 1
    total, best = margins[first].copy(), float(single[first])
    best_counts = counts.copy()
    for size in range(2, _ROUNDS + 1):
        allowed = counts > 0 if (counts > 0).sum() >= most else np.isfinite(single)
        scores = np.full(len(margins), np.inf)
        for tried in np.flatnonzero(allowed):
            scores[tried] = loss((total + margins[tried]) / size)
        place = int(scores.argmin())
        if not np.isfinite(scores[place]):
            break
        counts[place] += 1
        total += margins[place]
        if scores[place] < best - abs(best) * _LEAST_GAIN:
            best, best_counts = float(scores[place]), counts.copy()
    weights: Array = best_counts / best_counts.sum()
    return weights
