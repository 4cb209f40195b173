"""One decision tree by scikit-learn."""

from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Params, Range, RowAnswer, Space, complete, learner
from mantic.core.run import Run
from mantic.core.table import Array, Layout, Table, Target
from mantic.learners.table._classes import Classes, hold_out, loss, sample
from mantic.learners.table._forest_row import answer_of_trees
from mantic.learners.table._grove import Bare, Grove
from mantic.learners.table._skops import TREES, load_model, save_model

_LEAVES = (100, 50, 20, 10, 5)
_ROWS_TO_CHOOSE = 20_000


@learner(
    "tree",
    tasks=("classify", "regress"),
    layout=Layout.TREES,
    needs=("sklearn", "skops"),
    good_for="rules that a person can read and check",
    costs="seconds on 100,000 rows; less exact than the forests and boosting made of it",
)
class Tree:
    """A decision tree; where `min_samples_leaf` is not given, held-out rows choose it.

    Source: Breiman et al. (1984), Classification and Regression Trees.
    """

    def space(self) -> Space:
        """Return `min_samples_leaf` (rows at least in a leaf) and `max_depth`."""
        return {"min_samples_leaf": Range(1, 200, default=20, log=True), "max_depth": Range(2, 30, default=20)}

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Grow the tree; one step, so the deadline only spares the choice of leaves."""
        full = complete("tree", self.space(), params)
        self.classes_ = Classes.of(target)
        if "min_samples_leaf" not in params:
            part = sample(target, _ROWS_TO_CHOOSE, seed=run.seed)
            full["min_samples_leaf"] = _best_leaf(table.rows(part), target.rows(part), full, run)
        self.model_ = _grown(table, target, full, run.seed)
        values = self.model_.tree_.value
        values[:] = values if target.is_classes else values.astype(np.float32)  # as the walk for one row holds them
        return self

    def predict(self, table: Table) -> Array:
        """Return probabilities (shares in the leaf) or values (means of the leaf)."""
        return self.classes_.predict(self.model_, table.numbers)

    def for_rows(self) -> RowAnswer:
        """Return a walk down the tree."""
        n_classes = len(self.classes_.seen)
        return answer_of_trees(Grove.of([Bare.of(self.model_.tree_, n_classes)], n_classes), self.classes_)

    def save(self, folder: Path) -> None:
        """Write the tree by skops."""
        save_model(folder, self.model_, self.classes_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        restored = cls()
        kinds = ("DecisionTreeClassifier", "DecisionTreeRegressor")
        restored.model_, restored.classes_ = load_model(folder, trusted=TREES, kinds=kinds)
        return restored


def _grown(table: Table, target: Target, params: Params, seed: int) -> Any:
    tree = need("sklearn.tree", why="the tree learner")
    kind = tree.DecisionTreeClassifier if target.is_classes else tree.DecisionTreeRegressor
    return kind(**params, random_state=seed).fit(table.numbers, Classes.of(target).labels(target))


def _best_leaf(table: Table, target: Target, params: Params, run: Run) -> int:
    """Return the leaf size with the smallest loss on held-out rows, from large to small."""
    learned, judged = hold_out(target, seed=run.seed)
    classes = Classes.of(target.rows(learned))
    losses: dict[int, float] = {}
    for leaf in _LEAVES:
        if losses and run.deadline.passed:
            break
        grown = _grown(table.rows(learned), target.rows(learned), params | {"min_samples_leaf": leaf}, run.seed)
        losses[leaf] = loss(target.rows(judged), classes.predict(grown, table.rows(judged).numbers))
    return min(losses, key=lambda leaf: losses[leaf])
