"""Where a value stands among those before it: numbers that are uniform as long as nothing moves."""

import numpy as np

from mantic.core.table import Array

_BLOCK = 128  # rows that are compared with each other directly


def online_ranks(reference: Array, stream: Array, *, seed: int = 0) -> Array:
    """Return for each value of a stream its rank among the reference and all values before it, as a share.

    Parameters
    ----------
    reference, stream : shapes (n,) and (m,), without NaN; rows of both may hold ties, which are broken by chance.
    seed : of that chance.

    Returns
    -------
    Numbers from 0 to 1, shape (m,). As long as reference and stream come in any order with equal chance they are
    independent and uniform, exactly, whatever the distribution is: smoothed conformal p-values.

    Source: Vovk, Nouretdinov and Gammerman (2003), Testing Exchangeability On-line.

    >>> online_ranks(np.arange(100.0), np.array([1000.0, -1000.0])).round(1).tolist()
    [1.0, 0.0]
    """
    bag, chance = np.sort(reference), np.random.default_rng(seed).random(len(stream))
    found = np.empty(len(stream))
    for start in range(0, len(stream), _BLOCK):
        block = stream[start : start + _BLOCK]
        earlier = np.tril(np.ones((len(block), len(block)), dtype=bool), -1)
        low, high = np.searchsorted(bag, block, "left"), np.searchsorted(bag, block, "right")
        below = low + ((block[None, :] < block[:, None]) & earlier).sum(axis=1)
        equal = high - low + ((block[None, :] == block[:, None]) & earlier).sum(axis=1)
        n_before = len(bag) + np.arange(len(block))
        found[start : start + _BLOCK] = (below + chance[start : start + _BLOCK] * (equal + 1)) / (n_before + 1)
        bag = np.sort(np.concatenate([bag, block]), kind="stable")  # two sorted runs: merged, not sorted anew
    return found
