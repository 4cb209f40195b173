"""Linear and logistic regression by scikit-learn."""

import warnings
from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Params, Range, RowAnswer, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, EncodedRow, Layout, Table, Target
from mantic.learners.table._classes import Classes, hold_out, loss, sample
from mantic.learners.table._standing import chance_of, shares_of

_WHY = "the linear learner"
_PATH = (0.01, 0.1, 1.0, 10.0, 100.0)
_ROWS_TO_CHOOSE = 12_000
_UNSEEN = -30.0  # margin of a class that no training row had: a chance of about 1e-13


@learner(
    "linear",
    tasks=("classify", "regress"),
    layout=Layout.SPARSE,
    needs=("sklearn", "scipy"),
    good_for="few rows, texts, and whenever each column's part must be plain to see",
    costs="about a second per 10,000 rows; misses what columns only say together",
)
class Linear:
    """Ridge or logistic regression; where `C` is not given, held-out rows choose it.

    `C` is the inverse strength of the penalty on squared weights, for both tasks (ridge's alpha is 1 / C).
    Source: Hoerl and Kennard (1970), Ridge Regression.
    """

    def space(self) -> Space:
        """Return `C`, the inverse strength of the penalty."""
        return {"C": Range(0.001, 1000.0, default=1.0, log=True)}

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Choose the penalty on held-out rows as far as time allows, then fit on all rows."""
        strength = complete("linear", self.space(), params)["C"]
        rows = table.matrix()
        if "C" not in params:
            part = sample(target, _ROWS_TO_CHOOSE, seed=run.seed)
            strength = _best_strength(rows[part], target.rows(part), run)
        self.n_classes_ = target.n_classes
        self.weights_, self.base_ = _fitted(rows, target, strength, run)
        self.mean_ = np.asarray(rows.mean(axis=0), dtype=np.float64).ravel()
        return self

    def predict(self, table: Table) -> Array:
        """Return probabilities or values."""
        return _predicted(table.matrix(), self.weights_, self.base_, self.n_classes_)

    def for_rows(self) -> RowAnswer:
        """Return weights times values for one row; of the words only those that it holds."""
        weights, base, n_classes = np.ascontiguousarray(self.weights_.T), self.base_, self.n_classes_

        def answer(row: EncodedRow) -> Array:
            n_numbers = len(row.numbers)
            margin = row.numbers @ weights[:n_numbers] + base
            if row.places is not None and row.values is not None:
                margin += row.values @ weights[n_numbers + row.places]
            if n_classes == 0:
                return np.asarray(margin)
            return chance_of(float(margin[0])) if n_classes == 2 else shares_of(margin)

        return answer

    def contributions(self, table: Table) -> Array:
        """Return weight times distance from the training mean, per column; see `Explains`."""
        rows = table.matrix()
        dense = rows if isinstance(rows, np.ndarray) else rows.toarray()
        parts = (dense - self.mean_)[:, :, None] * self.weights_.T[None]
        base = np.broadcast_to(self.base_ + self.weights_ @ self.mean_, (len(dense), 1, len(self.base_)))
        return np.concatenate([parts, base], axis=1)

    def save(self, folder: Path) -> None:
        """Write weights as numbers."""
        arrays = {"weights": self.weights_, "base": self.base_, "mean": self.mean_}
        write_parts(folder, "linear", {"n_classes": self.n_classes_}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        facts, arrays = read_parts(folder, "linear")
        restored = cls()
        restored.n_classes_ = facts["n_classes"]
        restored.weights_, restored.base_, restored.mean_ = arrays["weights"], arrays["base"], arrays["mean"]
        return restored


def _predicted(rows: Any, weights: Array, base: Array, n_classes: int) -> Array:
    margin = np.asarray(rows @ weights.T) + base
    special = need("scipy.special", why=_WHY)
    if n_classes == 0:
        return margin[:, 0]
    if n_classes == 2:
        return np.asarray(special.expit(np.column_stack([-margin[:, 0], margin[:, 0]])))
    return np.asarray(special.softmax(margin, axis=1))


def _best_strength(rows: Any, target: Target, run: Run) -> float:
    """Return the `C` with the smallest loss on held-out rows, from strong penalties to weak until it gets worse."""
    learned, judged = hold_out(target, seed=run.seed)
    best, found = float("inf"), 1.0
    for strength in _PATH:
        if run.deadline.passed:
            break
        weights, base = _fitted(rows[learned], target.rows(learned), strength, run)
        now = loss(target.rows(judged), _predicted(rows[judged], weights, base, target.n_classes))
        if now >= best:
            break
        best, found = now, strength
    return found


def _fitted(rows: Any, target: Target, strength: float, run: Run) -> tuple[Array, Array]:
    """Return weights, shape (n_outputs, n_columns), and bases, shape (n_outputs,)."""
    if not target.is_classes:
        return _ridge(rows, target.values, 1.0 / strength)
    classes, n_outputs = Classes.of(target), 1 if target.n_classes == 2 else target.n_classes
    if classes.is_one:
        weights, seen = np.zeros((1, rows.shape[1])), np.zeros(1)
    else:
        weights, seen = _logistic(rows, classes.labels(target), strength, run)
    if n_outputs == 1:
        return (
            (weights, seen)
            if not classes.is_one
            else (weights, np.array([_UNSEEN if classes.seen == (0,) else -_UNSEEN]))
        )
    if len(classes.seen) == 2:  # scikit-learn gives log-odds of the second: the first is the reference
        weights, seen = np.vstack([np.zeros_like(weights), weights]), np.array([0.0, seen[0]])
    spread, base = np.zeros((n_outputs, rows.shape[1])), np.full(n_outputs, _UNSEEN)
    spread[list(classes.seen)], base[list(classes.seen)] = weights, seen
    return spread, base


def _ridge(rows: Any, values: Array, alpha: float) -> tuple[Array, Array]:
    middle, spread = values.mean(), values.std() or 1.0
    solver = "cholesky" if isinstance(rows, np.ndarray) else "sparse_cg"
    model = need("sklearn.linear_model", why=_WHY).Ridge(alpha=alpha, solver=solver, tol=1e-5)
    model.fit(rows, (values - middle) / spread)
    return model.coef_.reshape(1, -1) * spread, np.array([model.intercept_ * spread + middle])


def _logistic(rows: Any, codes: Array, strength: float, run: Run) -> tuple[Array, Array]:
    linear_model = need("sklearn.linear_model", why=_WHY)
    unfinished = need("sklearn.exceptions", why=_WHY).ConvergenceWarning
    n_classes = int(codes.max()) + 1
    is_small = isinstance(rows, np.ndarray) and rows.shape[1] <= 300 and n_classes == 2
    model = linear_model.LogisticRegression(
        C=strength,
        solver="newton-cholesky" if is_small else "lbfgs",
        max_iter=20 if run.deadline.passed else 200,
        tol=1e-4,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", unfinished)  # weights after the last step are of use all the same
        model.fit(rows, codes)
    return model.coef_, model.intercept_
