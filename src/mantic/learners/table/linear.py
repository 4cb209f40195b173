"""Linear and logistic regression by scikit-learn."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.fold import fold_of_rows
from mantic.core.lazy import need
from mantic.core.learner import Choice, Params, Range, RowAnswer, Space, complete, learner
from mantic.core.parts import read_parts, write_parts
from mantic.core.run import Run
from mantic.core.table import Array, EncodedRow, Layout, Table, Target
from mantic.learners.table._chance_row import chance_of, shares_of
from mantic.learners.table._classes import Classes, row_losses, sample
from mantic.learners.table._outputs import UNSEEN
from mantic.learners.table._outputs import answer as answer_of
from mantic.learners.table._plain import logistic, ridge

_WHY = "the linear learner"
_STEPS = 6  # half decades from 1, either way
_FOLDS = 3
_PLAIN_STRENGTH = 0.1  # where nothing chooses: more than 1 costs nothing on many rows, and helps on few
_FEW_ROWS = 20  # with fewer, folds say nothing
_ROWS_TO_CHOOSE, _ROWS_FOR_MANY_CLASSES = 12_000, 4_000  # many classes cost many times as much
_TOL = 1e-4


@learner(
    "linear",
    tasks=("classify", "regress"),
    layout=Layout.SPARSE,
    needs=("sklearn", "scipy"),
    good_for="few rows, texts, and whenever each column's part must be plain to see",
    costs="about a second per 10,000 rows; misses what columns only say together",
)
class Linear:
    """Ridge or logistic regression; where `C` is not given, folds of the rows choose it.

    `C` is the inverse strength of the penalty on squared weights, for both tasks (ridge's alpha is 1 / C); `strength_`
    is the one that was used. With `solver="plain"` NumPy alone solves it, and nothing is chosen: a first model,
    before scikit-learn is loaded. Sources: Hoerl and Kennard (1970), Ridge Regression; Breiman et al. (1984) for the
    rule of one standard error.
    """

    def space(self) -> Space:
        """Return `C`, the inverse strength of the penalty, and who solves it."""
        return {"C": Range(0.001, 1000.0, default=1.0, log=True), "solver": Choice(("exact", "plain"))}

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Choose the penalty by folds as far as time allows, then fit on all rows."""
        full, rows = complete("linear", self.space(), params), table.matrix()
        strength = full["C"]
        if "C" not in params and full["solver"] == "plain":
            strength = _PLAIN_STRENGTH if table.words is None else 1.0
        elif "C" not in params:
            n_rows = _ROWS_TO_CHOOSE if target.n_classes <= 2 else _ROWS_FOR_MANY_CLASSES
            part = sample(target, n_rows, seed=run.seed)
            strength = _best_strength(rows[part], target.rows(part), run)
        self.n_classes_, self.strength_ = target.n_classes, strength
        self.weights_, self.base_ = _fitted(rows, target, strength, run, solver=full["solver"])
        self.mean_ = np.asarray(rows.mean(axis=0), dtype=np.float64).ravel()
        return self

    @property
    def found_(self) -> Params:
        """Return the parameters with which a fit on other rows of the same table need not choose again."""
        return {"C": self.strength_}

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
    return answer_of(np.asarray(rows @ weights.T) + base, n_classes)


def _best_strength(rows: Any, target: Target, run: Run) -> float:
    """Return the `C` nearest to 1 whose loss on folds is within one standard error of the smallest.

    Walks from 1 by half decades as long as the loss falls: to stronger penalties, else to weaker ones. A single part
    held out was tried: where the losses lie close together, its noise chose penalties that cost 1 % elsewhere.
    """
    if len(target) < _FEW_ROWS or run.deadline.left() <= 0:
        return 1.0
    losses = {0: _row_losses(rows, target, 1.0, run)}
    for way in (-1, 1):
        for step in range(way, way * (_STEPS + 1), way):
            if run.deadline.left() <= 0:
                break
            losses[step] = _row_losses(rows, target, _strength(step), run)
            if losses[step].mean() >= losses[step - way].mean():
                break
        if losses.get(way, losses[0]).mean() < losses[0].mean():
            break
    best = losses[min(losses, key=lambda step: float(losses[step].mean()))]
    near = [step for step, one in losses.items() if (one - best).mean() <= (one - best).std() / len(target) ** 0.5]
    return _strength(min(near, key=abs))


def _strength(step: int) -> float:
    return float(10.0 ** (step / 2))


def _row_losses(rows: Any, target: Target, strength: float, run: Run) -> Array:
    """Return the loss of each row by a fit on the folds without it."""
    fold, losses = fold_of_rows(target, _FOLDS, seed=run.seed), np.empty(len(target))
    for number in range(_FOLDS):
        learned, judged = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        weights, base = _fitted(rows[learned], target.rows(learned), strength, run, tol=10 * _TOL)
        guess = _predicted(rows[judged], weights, base, target.n_classes)
        losses[judged] = row_losses(target.rows(judged), guess)
    return losses


def _fitted(
    rows: Any, target: Target, strength: float, run: Run, *, tol: float = _TOL, solver: str = "exact"
) -> tuple[Array, Array]:
    """Return weights, shape (n_outputs, n_columns), and bases, shape (n_outputs,)."""
    by_ridge, by_logistic = _SOLVERS[solver]
    if not target.is_classes:
        return by_ridge(rows, target.values, 1.0 / strength)
    classes, n_outputs = Classes.of(target), 1 if target.n_classes == 2 else target.n_classes
    if classes.is_one:
        weights, seen = np.zeros((1, rows.shape[1])), np.zeros(1)
    else:
        weights, seen = by_logistic(rows, classes.labels(target), strength, run, tol=tol)
    if n_outputs == 1:
        return (
            (weights, seen)
            if not classes.is_one
            else (weights, np.array([UNSEEN if classes.seen == (0,) else -UNSEEN]))
        )
    if len(classes.seen) == 2:  # scikit-learn gives log-odds of the second: the first is the reference
        weights, seen = np.vstack([np.zeros_like(weights), weights]), np.array([0.0, seen[0]])
    spread, base = np.zeros((n_outputs, rows.shape[1])), np.full(n_outputs, UNSEEN)
    spread[list(classes.seen)], base[list(classes.seen)] = weights, seen
    return spread, base


def _ridge(rows: Any, values: Array, alpha: float) -> tuple[Array, Array]:
    middle, spread = values.mean(), values.std() or 1.0
    solver = "cholesky" if isinstance(rows, np.ndarray) else "sparse_cg"
    model = need("sklearn.linear_model", why=_WHY).Ridge(alpha=alpha, solver=solver, tol=1e-5)
    model.fit(rows, (values - middle) / spread)
    return model.coef_.reshape(1, -1) * spread, np.array([model.intercept_ * spread + middle])


def _logistic(rows: Any, codes: Array, strength: float, run: Run, *, tol: float) -> tuple[Array, Array]:
    linear_model = need("sklearn.linear_model", why=_WHY)
    unfinished = need("sklearn.exceptions", why=_WHY).ConvergenceWarning
    n_classes = int(codes.max()) + 1
    is_small = isinstance(rows, np.ndarray) and rows.shape[1] <= 300 and n_classes == 2
    model = linear_model.LogisticRegression(
        C=strength,
        solver="newton-cholesky" if is_small else "lbfgs",
        max_iter=20 if run.deadline.passed else 200,
        tol=tol,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", unfinished)  # weights after the last step are of use all the same
        model.fit(rows, codes)
    return model.coef_, model.intercept_


def _plain_ridge(rows: Array, values: Array, alpha: float) -> tuple[Array, Array]:
    weights, base = ridge(rows, values, alpha)
    return weights[None], np.array([base])


def _plain_logistic(rows: Array, codes: Array, strength: float, run: Run, *, tol: float) -> tuple[Array, Array]:
    """Return as scikit-learn does: of two classes the log-odds of the second."""
    is_pair = int(codes.max()) == 1
    weights, base = logistic(rows, codes, strength / 2 if is_pair else strength, run)
    return (weights[1:] - weights[:1], base[1:] - base[:1]) if is_pair else (weights, base)


_SOLVERS: dict[str, tuple[Callable[..., tuple[Array, Array]], Callable[..., tuple[Array, Array]]]] = {
    "exact": (_ridge, _logistic),
    "plain": (_plain_ridge, _plain_logistic),
}
