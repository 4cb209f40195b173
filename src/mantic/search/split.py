"""Which rows learn and which rows judge: stratified, by group, by time; copies of a row never straddle."""

import numpy as np
import polars as pl

from mantic.core.table import Array, Target

Fold = tuple[Array, Array]  # rows that learn, rows that judge

# Equal rows are copies of one record, unless the table is so coarse that equal rows are ordinary.
_COARSE_MEAN = 10  # rows per different row
_COMMON_SHARE, _ALWAYS_COPIES = 0.1, 10  # of all rows alike, and so many rows in any case


def units(frame: pl.DataFrame, groups: Array | None = None) -> Array:
    """Number the rows so that rows with the same number must stay together.

    Parameters
    ----------
    frame : the features that are learned from; equal rows are taken as copies, unless that is ordinary in a coarse
        table, or they are a tenth of it, as rows without any value may be: those each stand for themselves.
    groups : shape (n_rows,), any labels: rows of one group stay together too.

    Returns
    -------
    int, shape (n_rows,), 0 .. n_units - 1.

    >>> units(pl.DataFrame({"a": [1, 2, 1], "b": ["x", "y", "x"]})).tolist()
    [0, 1, 0]
    """
    n_rows = frame.height
    copies = np.arange(n_rows)
    if frame.width and n_rows:
        found = _number(frame.hash_rows(seed=0).to_numpy())
        counts = np.bincount(found)
        if n_rows / len(counts) <= _COARSE_MEAN:
            is_common = counts > max(_ALWAYS_COPIES, _COMMON_SHARE * n_rows)
            copies = np.where(is_common[found], len(counts) + copies, found)
    if groups is None:
        return _number(copies)
    return _connect(copies, _number(np.asarray(groups)))


def folds(unit: Array, target: Target, *, n_folds: int, seed: int) -> tuple[Fold, ...]:
    """Cut rows into folds, stratified by the target (classes, or quantiles of a number), units kept whole.

    Returns
    -------
    `n_folds` pairs (learn, judge) of sorted row positions; together the judges are all rows.

    >>> target = Target(np.array([0, 1] * 10), n_classes=2)
    >>> [len(judge) for _, judge in folds(np.arange(20), target, n_folds=5, seed=0)]
    [4, 4, 4, 4, 4]
    """
    unit = _number(unit)  # of some rows only, numbers may be absent
    first, size = np.unique(unit, return_index=True)[1], np.bincount(unit)
    stratum = _strata(target, n_folds)[first]
    chance = np.random.default_rng(seed).random(len(first))
    order = np.lexsort((chance, -size, stratum))
    turn, seat = np.divmod(np.arange(len(order)), n_folds)  # dealt like cards, there and back, large units first
    fold_of_unit = np.empty(len(order), dtype=np.int64)
    fold_of_unit[order] = np.where(turn % 2 == 0, seat, n_folds - 1 - seat)
    fold = fold_of_unit[unit]
    rows = np.arange(len(unit))
    return tuple((rows[fold != k], rows[fold == k]) for k in range(n_folds) if (fold == k).any())


def by_time(moment: Array, *, share: float) -> Fold:
    """Learn from the earlier rows, judge on the last `share`; rows of one moment stay together.

    >>> by_time(np.array([3, 1, 2, 2, 4]), share=0.4)[1].tolist()
    [0, 4]
    """
    rank = np.argsort(moment, kind="stable")
    cut = moment[rank[min(len(rank) - 1, round(len(rank) * (1 - share)))]]
    if cut == moment[rank[0]]:  # (nearly) all in one moment: cut by position
        late = np.zeros(len(rank), dtype=bool)
        late[rank[round(len(rank) * (1 - share)) :]] = True
    else:
        late = moment >= cut
    return np.flatnonzero(~late), np.flatnonzero(late)


def rolling(moment: Array, *, n_folds: int) -> tuple[Fold, ...]:
    """Cut rows into `n_folds` steps in time: each learns from all that came before it.

    >>> [judge.tolist() for _, judge in rolling(np.arange(6), n_folds=2)]
    [[2, 3], [4, 5]]
    """
    block = _number(moment) * (n_folds + 1) // (int(_number(moment).max()) + 1)
    pairs = ((np.flatnonzero(block < k), np.flatnonzero(block == k)) for k in range(1, n_folds + 1))
    return tuple((learn, judge) for learn, judge in pairs if len(learn) and len(judge))


def _number(values: Array) -> Array:
    return np.unique(values, return_inverse=True)[1].reshape(-1)


def _connect(one: Array, other: Array) -> Array:
    """Join rows that share either number, through any chain."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    n_one, n_other = int(one.max()) + 1, int(other.max()) + 1
    links = coo_matrix((np.ones(len(one)), (one, n_one + other)), shape=(n_one + n_other,) * 2)
    parts = connected_components(links, directed=False)[1]
    return _number(parts[one])


def _strata(target: Target, n_folds: int) -> Array:
    if target.is_classes:
        return target.values.astype(np.int64)
    n_bins = max(1, min(10, len(target) // (2 * n_folds)))
    edges = np.quantile(target.values, np.linspace(0, 1, n_bins + 1)[1:-1])
    return np.searchsorted(edges, target.values)
