"""Trees of scikit-learn, as small as answers allow: nodes without values, and beside them what each leaf says."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.table import Array
from mantic.learners.table._skops import is_sound
from mantic.learners.table._tree_row import Nodes

_WHY = "forests"


@dataclass(frozen=True)
class Bare:
    """A tree whose nodes hold no values, and what its leaves say, in the order of its nodes."""

    tree: Any  # sklearn.tree._tree.Tree
    said: Array

    @classmethod
    def of(cls, grown: Any, n_classes: int) -> Self:
        """Return a tree as scikit-learn has grown it, without what only its growing needed.

        With many classes that is most of it: scikit-learn keeps a share of each class in every node.
        """
        is_leaf = grown.children_left < 0
        said = grown.value[is_leaf, 0, :]
        if n_classes:
            said = np.rint(said * grown.weighted_n_node_samples[is_leaf, None]).astype(np.int64)
        return cls(_bare(grown.__getstate__()["nodes"], grown.n_features), small(said))


@dataclass(frozen=True, eq=False)
class Grove:
    """Many trees and what their leaves say.

    Parameters
    ----------
    trees : without values, as scikit-learn holds them.
    said : of all leaves, tree by tree, in the order of their nodes: rows of each class, or the value (n_leaves, 1).
    n_classes : of those seen; 0 for values.
    """

    trees: tuple[Any, ...]
    said: Array
    n_classes: int

    @classmethod
    def of(cls, trees: Sequence[Bare], n_classes: int) -> Self:
        """Return trees together."""
        return cls(tuple(one.tree for one in trees), small(np.concatenate([one.said for one in trees])), n_classes)

    @property
    def n_columns(self) -> int:
        """Return how many columns a row has."""
        return int(self.trees[0].n_features)

    @cached_property
    def share(self) -> Array:
        """Return what a count in each leaf is worth, so that its shares sum to 1; 1 where leaves hold values."""
        if not self.n_classes:
            return np.ones(len(self.said))
        return np.asarray(1 / self.said.sum(axis=1, dtype=np.float64))

    @cached_property
    def leaf(self) -> tuple[Array, ...]:
        """Return for each tree the place in `said` of each node that is a leaf."""
        found, start = [], 0
        for tree in self.trees:
            is_leaf = tree.children_left < 0
            found.append((start - 1 + np.cumsum(is_leaf)).astype(np.int32))
            start += int(is_leaf.sum())
        return tuple(found)

    def predict(self, numbers: Array) -> Array:
        """Return the mean over the trees, shape (n_rows, n_classes) or (n_rows, 1)."""
        rows = np.ascontiguousarray(numbers, dtype=np.float32)
        total = np.zeros((len(rows), self.said.shape[1]))
        for tree, leaf in zip(self.trees, self.leaf, strict=True):
            places = leaf[tree.apply(rows)]
            total += self.said[places] * self.share[places, None]
        return np.asarray(total / len(self.trees))

    @property
    def nodes(self) -> Nodes:
        """Return the nodes of all trees behind each other."""
        return Nodes.join(
            [
                Nodes(
                    roots=np.zeros(1, dtype=np.int64),
                    left=one.children_left,
                    right=one.children_right,
                    column=one.feature,
                    threshold=one.threshold,
                    missing_left=one.missing_go_to_left,
                )
                for one in self.trees
            ]
        )

    def arrays(self) -> dict[str, Array]:
        """Return what a file holds.

        A left child follows its node, so only right ones are kept. Rows are compared in float32, so thresholds rounded
        down to float32 part them alike.
        """
        is_leaf = np.concatenate([one.children_left < 0 for one in self.trees])
        right = np.concatenate([one.children_right - np.arange(one.node_count) for one in self.trees])[~is_leaf]
        arrays = {
            "n_nodes": np.array([one.node_count for one in self.trees]),
            "column": np.concatenate([one.feature for one in self.trees]),
            "right": right,
            "missing_left": np.packbits(np.concatenate([one.missing_go_to_left for one in self.trees])),
            "value": self.said,
        }
        threshold = np.concatenate([one.threshold for one in self.trees])[~is_leaf]
        return {name: small(array) for name, array in arrays.items()} | {"threshold": _rounded_down(threshold)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Array], *, n_columns: int, n_classes: int) -> Self:
        """Restore what `arrays` gave.

        Raises
        ------
        ValueError : if the arrays do not fit together, or a tree in them points outside of itself.
        """
        sizes = arrays["n_nodes"].astype(np.int64)
        ends = np.cumsum(sizes)
        column = arrays["column"].astype(np.int64)
        if not len(sizes) or sizes.min() < 1 or ends[-1] != len(column):
            raise ValueError("its trees do not fill it")
        nodes = _nodes(arrays, column, own=np.arange(len(column)) - np.repeat(ends - sizes, sizes))
        said = arrays["value"].reshape(-1, max(1, n_classes))
        if len(said) != int((column < 0).sum()) or (n_classes and (said < 0).any()):
            raise ValueError("its leaves do not fill it")
        if n_classes and not said.any(axis=1).all():
            raise ValueError("a leaf in it holds no rows")
        trees = []
        for start, end in zip(ends - sizes, ends, strict=True):
            _check(nodes[start:end])
            trees.append(_bare(nodes[start:end].copy(), n_columns))
        if not all(is_sound(n_columns, one) for one in trees):
            raise ValueError("a tree in it points outside of itself")
        return cls(tuple(trees), said, n_classes)

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes as in a file."""
        return _again, (self.arrays(), self.n_columns, self.n_classes)


def _again(arrays: dict[str, Array], n_columns: int, n_classes: int) -> Grove:
    return Grove.from_arrays(arrays, n_columns=n_columns, n_classes=n_classes)


def _kind() -> Any:
    return need("sklearn.tree._tree", why=_WHY).Tree


def _bare(nodes: Array, n_columns: int) -> Any:
    tree = _kind()(n_columns, np.array([1], dtype=np.intp), 1)
    values = np.zeros((len(nodes), 1, 1))
    tree.__setstate__({"max_depth": 0, "node_count": len(nodes), "nodes": nodes, "values": values})
    return tree


def _nodes(arrays: dict[str, Array], column: Array, *, own: Array) -> Array:
    """Return nodes as scikit-learn holds them; `own` is the position of each in its tree."""
    inner, is_leaf = np.flatnonzero(column >= 0), column < 0
    nodes = np.zeros(len(column), dtype=_kind()(1, np.array([1], dtype=np.intp), 1).__getstate__()["nodes"].dtype)
    nodes["left_child"], nodes["right_child"] = np.where(is_leaf, -1, own + 1), -1
    nodes["right_child"][inner] = own[inner] + arrays["right"]
    nodes["feature"], nodes["threshold"] = np.where(is_leaf, -2, column), -2.0
    nodes["threshold"][inner] = arrays["threshold"]
    nodes["missing_go_to_left"] = np.unpackbits(arrays["missing_left"], count=len(column))
    return nodes


def _check(nodes: Array) -> None:
    """Every node but the first is the child of one other: else a walk over all of them could go on for ever."""
    children = np.concatenate([nodes[side][nodes["left_child"] >= 0] for side in ("left_child", "right_child")])
    if not np.array_equal(np.sort(children), np.arange(1, len(nodes))):
        raise ValueError("a tree in it has a branch too many")


def small(array: Array) -> Array:
    """Return whole numbers in as few bytes as hold them, other numbers as float32.

    >>> small(np.array([3, 300])).dtype.name
    'int16'
    """
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    if array.dtype == np.uint8:
        return array
    low, high = int(array.min(initial=0)), int(array.max(initial=0))
    kinds = (np.int8, np.int16, np.int32, np.int64)
    return array.astype(next(kind for kind in kinds if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max))


def _rounded_down(threshold: Array) -> Array:
    """Return the largest float32 that is no larger: a float32 is below the one exactly where it is below the other."""
    near = threshold.astype(np.float32)
    return np.where(near.astype(np.float64) > threshold, np.nextafter(near, np.float32(-np.inf)), near)
