"""Nearest neighbours by scikit-learn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Params, Range, RowAnswer, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, EncodedRow, Layout, Table, Target
from mantic.learners.table._classes import hold_out, loss, sample

_N_KEPT = 20_000
_N_CHOOSING = 2_000
_PATH = (5, 10, 15, 25, 40)


@learner(
    "knn",
    tasks=("classify", "regress"),
    layout=Layout.DENSE,
    needs=("sklearn",),
    good_for="few columns that measure the same kind of thing; answers by alike cases",
    costs="keeps at most 20,000 of the rows (a sample); slow to answer on wide tables",
)
class Neighbours:
    """The mean of the nearest rows, nearer ones counting more; held-out rows choose how many where not given.

    Source: Dudani (1976), The Distance-Weighted k-Nearest-Neighbor Rule.
    """

    def space(self) -> Space:
        """Return `n_neighbors`, and `power`: weights are distance to minus this (0: all count alike)."""
        return {"n_neighbors": Range(1, 100, default=15, log=True), "power": Range(0.0, 3.0, default=1.0)}

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Keep the rows, or a sample of 20,000."""
        full = complete("knn", self.space(), params)
        kept = sample(target, _N_KEPT, seed=run.seed)
        self.power_, self.n_classes_ = float(full["power"]), target.n_classes
        rows, labels = table.numbers[kept].astype(np.float32), target.rows(kept)
        n_neighbors = full["n_neighbors"]
        if "n_neighbors" not in params and not run.deadline.passed:
            n_neighbors = _best_count(rows, labels, self.power_, run.seed)
        self._place(rows, labels.values, n_neighbors)
        return self

    def _place(self, rows: Array, labels: Array, n_neighbors: int) -> None:
        self.n_neighbors_ = min(n_neighbors, len(rows))
        self.rows_, self.labels_ = rows, labels
        self.index_ = _index(rows)

    def predict(self, table: Table) -> Array:
        """Return weighted shares or weighted means of the nearest rows."""
        distance, near = self.index_.kneighbors(table.numbers.astype(np.float32), self.n_neighbors_)
        return _vote(distance, near, Target(self.labels_, self.n_classes_), self.power_)

    def for_rows(self) -> RowAnswer:
        """Return a search without the checks that scikit-learn makes before each."""
        nearest, n_neighbors = _nearest_of_row(self.index_), self.n_neighbors_
        labels, power = Target(self.labels_, self.n_classes_), self.power_

        def answer(row: EncodedRow) -> Array:
            distance, near = nearest(row.numbers[None].astype(np.float32), n_neighbors)
            return np.atleast_1d(_vote(distance, near, labels, power)[0])

        return answer

    def save(self, folder: Path) -> None:
        """Write the rows kept, in float32, and their targets."""
        facts = {"n_neighbors": self.n_neighbors_, "power": self.power_, "n_classes": self.n_classes_}
        write_parts(folder, "knn", facts, {"rows": self.rows_, "labels": self.labels_})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        facts, arrays = read_parts(folder, "knn")
        restored = cls()
        restored.power_, restored.n_classes_ = facts["power"], facts["n_classes"]
        restored._place(arrays["rows"], arrays["labels"], facts["n_neighbors"])
        return restored


def _index(rows: Array) -> Any:
    neighbors = need("sklearn.neighbors", why="the knn learner")
    return neighbors.NearestNeighbors(algorithm="kd_tree" if rows.shape[1] <= 12 else "brute").fit(rows)


def _nearest_of_row(index: Any) -> Callable[[Array, int], tuple[Array, Array]]:
    """Return a function from one row, shape (1, n_columns), to distances and positions of so many neighbours."""
    search: Callable[[Array, int], tuple[Array, Array]]
    tree = getattr(index, "_tree", None)
    search = index.kneighbors if tree is None else tree.query
    return search


def _vote(distance: Array, near: Array, target: Target, power: float) -> Array:
    floor = 1e-6 + 0.05 * distance.mean(axis=1, keepdims=True)  # an exact twin counts much, but not alone
    weight = (distance + floor) ** -power
    weight /= weight.sum(axis=1, keepdims=True)
    if not target.is_classes:
        return np.asarray((weight * target.values[near]).sum(axis=1))
    n_rows, codes = len(near), target.values[near].astype(np.int64)
    cell = (np.arange(n_rows)[:, None] * target.n_classes + codes).ravel()
    votes = np.bincount(cell, weight.ravel(), n_rows * target.n_classes).reshape(n_rows, target.n_classes)
    share = np.bincount(target.values.astype(np.int64), minlength=target.n_classes) / len(target)
    n_votes = near.shape[1]
    return np.asarray((n_votes * votes + share) / (n_votes + 1))  # as if one more neighbour were the whole table


def _best_count(rows: Array, target: Target, power: float, seed: int) -> int:
    """Return the number of neighbours with the smallest loss on held-out rows."""
    learned, judged = hold_out(target, seed=seed)
    judged = judged[sample(target.rows(judged), _N_CHOOSING, seed=seed)]
    counts = [count for count in _PATH if count <= len(learned)] or [len(learned)]
    distance, near = _index(rows[learned]).kneighbors(rows[judged], counts[-1])
    known, asked = target.rows(learned), target.rows(judged)
    losses = [loss(asked, _vote(distance[:, :count], near[:, :count], known, power)) for count in counts]
    return counts[int(np.argmin(losses))]
