"""Which candidates to blend, with which weights: greedy selection with replacement (Caruana et al., 2004)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mantic.core.table import Array

_ROUNDS = 20
_LEAST_GAIN = 1e-4  # a further member must lower the loss by this share, else the blend stays small


@dataclass(frozen=True)
class Entry:
    """A candidate's margins on rows it had not seen (n, n_outputs), and its cost in seconds."""

    margin: Array
    seconds: float


def greedy(entries: list[Entry], loss: Callable[[Array], float], *, most: int) -> Array:
    """Return the weight of each entry (they sum to 1; at most `most` are above 0).

    Parameters
    ----------
    loss : of blended margins (n, n_outputs), lower is better.

    >>> truth = np.zeros((4, 1))
    >>> good, bad = Entry(np.full((4, 1), 0.1), 1.0), Entry(np.full((4, 1), 9.0), 1.0)
    >>> greedy([good, bad], lambda margin: float(np.abs(margin - truth).mean()), most=3).tolist()
    [1.0, 0.0]
    """
    single = np.array([loss(entry.margin) for entry in entries])
    single = np.where(np.isfinite(single), single, np.inf)
    counts = np.zeros(len(entries))
    first = int(single.argmin())
    counts[first] = 1
    total, best = entries[first].margin.copy(), float(single[first])
    best_counts = counts.copy()
    for size in range(2, _ROUNDS + 1):
        allowed = counts > 0 if (counts > 0).sum() >= most else np.isfinite(single)
        scores = np.full(len(entries), np.inf)
        for tried in np.flatnonzero(allowed):
            scores[tried] = loss((total + entries[tried].margin) / size)
        place = int(scores.argmin())
        if not np.isfinite(scores[place]):
            break
        counts[place] += 1
        total += entries[place].margin
        if scores[place] < best - abs(best) * _LEAST_GAIN:
            best, best_counts = float(scores[place]), counts.copy()
    weights: Array = best_counts / best_counts.sum()
    return weights
