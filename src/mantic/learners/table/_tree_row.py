"""Many trees as flat arrays, asked for one row: all trees go down a level at once."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from mantic.core.table import Array

_LARGEST = np.finfo(np.float64).max  # a split off of the missing has an infinite threshold, which would hold them too


@dataclass(frozen=True)
class Nodes:
    """The nodes of many trees behind each other, as their library grew them.

    Parameters
    ----------
    roots : position of each tree's first node.
    left, right : positions of the children of each node; -1 at a leaf.
    column : what a node looks at.
    threshold : values up to it go left.
    missing_left : whether missing values go left.
    """

    roots: Array
    left: Array
    right: Array
    column: Array
    threshold: Array
    missing_left: Array

    @classmethod
    def join(cls, trees: "list[Nodes]") -> Self:
        """Return several as one."""
        starts = np.cumsum([0, *(len(one.left) for one in trees)])[:-1]

        def moved(children: Array, start: int) -> Array:
            return np.where(children < 0, -1, children + start)

        pairs = list(zip(trees, starts, strict=True))
        return cls(
            roots=np.concatenate([one.roots + start for one, start in pairs]),
            left=np.concatenate([moved(one.left, start) for one, start in pairs]),
            right=np.concatenate([moved(one.right, start) for one, start in pairs]),
            column=np.concatenate([one.column for one in trees]),
            threshold=np.concatenate([one.threshold for one in trees]),
            missing_left=np.concatenate([one.missing_left for one in trees]),
        )


@dataclass(frozen=True)
class Standing:
    """Trees laid out level by level: a right child lies behind its left one, and a leaf is its own child.

    The row is seen twice, its missing values as minus infinity and as infinity; a node looks at the one that sends
    them its way. So a step down is one comparison, whatever the tree.
    """

    roots: Array
    child: Array
    column: Array
    threshold: Array
    depth: int
    leaf: Array  # which leaf a node is, counted in the order of `order`
    order: Array  # of the nodes that were given: their leaves, as `leaf` counts them

    @classmethod
    def of(cls, nodes: Nodes, n_columns: int) -> Self:
        """Return the trees in this layout."""
        levels = [nodes.roots.astype(np.intp)]
        while (inner := levels[-1][nodes.left[levels[-1]] >= 0]).size:
            levels.append(np.column_stack([nodes.left[inner], nodes.right[inner]]).ravel().astype(np.intp))
        old = np.concatenate(levels)
        new = np.empty(len(nodes.left), dtype=np.intp)
        new[old] = np.arange(len(old))
        is_leaf = nodes.left[old] < 0
        right = np.where(nodes.missing_left[old].astype(bool), 0, n_columns)
        return cls(
            roots=new[nodes.roots],
            child=np.where(is_leaf, np.arange(len(old)), new[nodes.left[old]]),
            column=np.where(is_leaf, 0, nodes.column[old] + right).astype(np.intp),
            threshold=np.where(is_leaf, np.inf, np.minimum(nodes.threshold[old], _LARGEST)),
            depth=len(levels) - 1,
            leaf=(np.cumsum(is_leaf) - 1).astype(np.intp),
            order=old[is_leaf],
        )

    def leaves(self, row: Array) -> Array:
        """Return the leaf of each tree for one row, shape (n_columns,), NaN where missing."""
        missing = np.isnan(row)
        both = np.concatenate([np.where(missing, -np.inf, row), np.where(missing, np.inf, row)])
        node, child, column, threshold = self.roots, self.child, self.column, self.threshold
        for _ in range(self.depth):
            node = child.take(node) + (both.take(column.take(node)) > threshold.take(node))
        return self.leaf.take(node)
