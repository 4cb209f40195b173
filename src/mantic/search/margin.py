"""Between probabilities and margins: the scale on which learners are blended and reasons add up."""

import numpy as np

from mantic.core.table import Array

# A probability below this says no more than "never seen": its logarithm would drown the other members.
FLOOR = 1e-3
EXACT_FLOOR = 1e-9  # for learners whose margins are exact


def to_margin(guess: Array, *, floor: float = FLOOR) -> Array:
    """Turn probabilities (n, k) or values (n,) into margins, shape (n, n_outputs).

    Values stay as they are. Two classes give one column, the log-odds of class 1; more give the log-probabilities less
    their mean in the row (the centred log-ratio; Aitchison, 1982).

    >>> to_margin(np.array([[0.25, 0.75]])).round(3).tolist()
    [[1.099]]
    """
    if guess.ndim == 1:
        return guess.astype(np.float64)[:, None]
    k = guess.shape[1]
    log: Array = np.log(np.clip(guess, floor / k, None))
    centred: Array = log[:, 1:] - log[:, :1] if k == 2 else log - log.mean(axis=1, keepdims=True)
    return centred


def to_guess(margin: Array, n_classes: int) -> Array:
    """Turn margins back into probabilities (n, n_classes), or values (n,) when n_classes is 0.

    >>> to_guess(np.array([[0.0]]), 2).tolist()
    [[0.5, 0.5]]
    """
    if n_classes == 0:
        return margin[:, 0]
    if n_classes == 2:
        margin = np.column_stack([-margin[:, 0] / 2, margin[:, 0] / 2])
    power = np.exp(margin - margin.max(axis=1, keepdims=True))
    total: Array = power / power.sum(axis=1, keepdims=True)
    return total
