"""The answer of scikit-learn's trees for one row."""

import numpy as np

from mantic.core.learner import RowAnswer
from mantic.core.table import Array, EncodedRow
from mantic.learners.table._classes import Classes
from mantic.learners.table._grove import Grove
from mantic.learners.table._tree_row import Standing


def answer_of_trees(grove: Grove, classes: Classes) -> RowAnswer:
    """Return the mean over the trees of the shares (or the value) in the leaf that a row falls into."""
    standing = Standing.of(grove.nodes, grove.n_columns)
    place = np.concatenate(grove.leaf)[standing.order]
    said, share = grove.said[place], grove.share[place] / len(grove.trees)
    seen = np.array(classes.seen, dtype=np.intp)

    def answer(row: EncodedRow) -> Array:
        compared = row.numbers.astype(np.float32).astype(np.float64)  # as scikit-learn's trees do
        leaves = standing.leaves(compared)
        mean: Array = share.take(leaves) @ said.take(leaves, axis=0)
        if len(seen) == classes.n:
            return mean
        full = np.zeros(classes.n)
        full[seen] = mean
        return full

    return answer
