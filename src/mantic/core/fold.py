"""Deal rows into folds of alike targets."""

import numpy as np

from mantic.core.table import Array, Target

_STREAM = 0xF01D  # a stream of its own: data made by chance from the same small seed must not foresee its folds


def fold_of_rows(target: Target, n_folds: int, *, seed: int) -> Array:
    """Return the fold, 0 to n_folds - 1, of each row; every fold sees the target's whole range.

    Rows are sorted by target, by chance among equals, and dealt like cards: classes are stratified, and so are values.

    >>> fold_of_rows(Target(np.array([0, 0, 1, 1]), 2), 2, seed=0).sum()
    np.int64(2)
    """
    chance = np.random.default_rng([seed, _STREAM])
    order = np.lexsort((chance.random(len(target)), target.values))
    fold = np.empty(len(target), dtype=np.int64)
    fold[order] = np.arange(len(target)) % n_folds
    return fold
