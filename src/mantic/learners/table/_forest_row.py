"""The answer of scikit-learn's trees for one row."""

from typing import Any

import numpy as np

from mantic.core.learner import RowAnswer
from mantic.core.table import Array, EncodedRow
from mantic.learners.table._classes import Classes
from mantic.learners.table._forest_file import nodes_of
from mantic.learners.table._tree_row import Standing


def answer_of_trees(trees: list[Any], classes: Classes) -> RowAnswer:
    """Return the mean over the trees of the shares (or the value) in the leaf that a row falls into."""
    standing = Standing.of(nodes_of(trees), trees[0].n_features)
    value = np.concatenate([one.value[:, 0, :] for one in trees])[standing.order]
    seen = np.array(classes.seen, dtype=np.intp)
    mean_of = np.full(len(trees), 1 / len(trees))

    def answer(row: EncodedRow) -> Array:
        compared = row.numbers.astype(np.float32).astype(np.float64)  # as scikit-learn's trees do
        mean: Array = mean_of @ value.take(standing.leaves(compared), axis=0)
        if len(seen) == classes.n:
            return mean
        full = np.zeros(classes.n)
        full[seen] = mean
        return full

    return answer
