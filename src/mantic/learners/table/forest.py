"""Many decision trees on random parts of the table, by scikit-learn."""

import time
from pathlib import Path
from typing import Any, Self

from mantic.core.lazy import need
from mantic.core.learner import Choice, Params, Range, RowAnswer, Space, complete, learner
from mantic.core.run import Run
from mantic.core.table import Array, Layout, Table, Target
from mantic.learners.table._classes import Classes
from mantic.learners.table._forest_file import load_forest, save_forest
from mantic.learners.table._forest_row import answer_of_trees
from mantic.learners.table._grove import Bare, Grove

_NAMES = {
    ("random", True): "RandomForestClassifier",
    ("random", False): "RandomForestRegressor",
    ("extra", True): "ExtraTreesClassifier",
    ("extra", False): "ExtraTreesRegressor",
}


@learner(
    "forest",
    tasks=("classify", "regress"),
    layout=Layout.TREES,
    needs=("sklearn", "skops"),
    good_for="a solid result without tuning, and noisy tables of a few thousand rows",
    costs="grows tree by tree until the deadline; large files, slower to answer than boosting",
)
class Forest:
    """Random forest, or extra trees with `kind="extra"`.

    Where `min_samples_leaf` is not given, it follows from the rows: 2 for classes (1 for values), more with rows.
    Sources: Breiman (2001), Random Forests; Geurts et al. (2006), Extremely randomized trees.
    """

    def space(self) -> Space:
        """Return the parameters; `max_features` is the share of columns that a split may choose from."""
        return {
            "kind": Choice(("random", "extra")),
            "n_estimators": Range(50, 500, default=200),
            "min_samples_leaf": Range(1, 50, default=2, log=True),
            "max_features": Range(0.1, 1.0, default=0.35),
        }

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Grow trees, a few at a time, until all are grown or the deadline passes; one tree at least."""
        full = complete("forest", self.space(), params)
        if "min_samples_leaf" not in params:
            full["min_samples_leaf"] = (2 if target.is_classes else 1) + len(target) // 20_000
        self.classes_ = Classes.of(target)
        ensemble = need("sklearn.ensemble", why="the forest learner")
        kind = getattr(ensemble, _NAMES[full.pop("kind"), target.is_classes])
        wanted = full.pop("n_estimators")
        model = kind(**full, n_estimators=1, warm_start=True, random_state=run.seed, n_jobs=run.threads)
        rows = table.numbers, self.classes_.labels(target)
        self.grove_ = Grove.of(_grown(model, rows, wanted, run), len(self.classes_.seen))
        return self

    def predict(self, table: Table) -> Array:
        """Return probabilities or values: the mean over the trees."""
        mean = self.grove_.predict(table.numbers)
        return self.classes_.spread(mean) if self.classes_.n else mean[:, 0]

    def for_rows(self) -> RowAnswer:
        """Return a walk down all trees at once."""
        return answer_of_trees(self.grove_, self.classes_)

    def save(self, folder: Path) -> None:
        """Write the trees as numbers."""
        save_forest(folder, self.grove_, self.classes_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        restored = cls()
        restored.grove_, restored.classes_ = load_forest(folder)
        return restored


def _grown(model: Any, rows: tuple[Array, Array], wanted: int, run: Run) -> list[Bare]:
    started = time.monotonic()
    trees: list[Bare] = []
    while True:
        model.fit(*rows)
        n_classes = getattr(model, "n_classes_", 0)
        for one in model.estimators_[len(trees) :]:
            trees.append(Bare.of(one.tree_, n_classes))
            one.tree_ = None  # further trees do not need it, and with many classes it is large
        each = (time.monotonic() - started) / len(trees)
        affordable = run.deadline.left() / max(each, 1e-6)
        if len(trees) >= wanted or affordable < 1:
            return trees
        model.n_estimators += int(min(wanted - len(trees), 20, affordable))
        run.progress(len(trees), wanted, "trees")
