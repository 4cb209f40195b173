"""Gradient-boosted trees by scikit-learn."""

import time
from pathlib import Path
from typing import Any, Self

import numpy as np

from mantic.core.lazy import need
from mantic.core.learner import Params, Range, RowAnswer, Space, complete, learner
from mantic.core.run import Run
from mantic.core.table import Array, EncodedRow, Layout, Table, Target
from mantic.learners.table._chance_row import chance_of, shares_of
from mantic.learners.table._classes import Classes, hold_out
from mantic.learners.table._histgb_row import raw_of_boosted
from mantic.learners.table._skops import load_model, save_model

_ROWS_TO_STOP = 300  # with fewer, rows are too dear to be held out: a fixed number of rounds
_FEW_ROUNDS = 100
_PATIENCE = 30
_GBDT = "sklearn.ensemble._hist_gradient_boosting"
_TRUSTED = (
    f"{_GBDT}.binning._BinMapper",
    f"{_GBDT}.predictor.TreePredictor",
    "sklearn._loss.link.HalfLogitLink",
    "sklearn._loss.link.IdentityLink",
    "sklearn._loss.link.Interval",
    "sklearn._loss.link.LogitLink",
    "sklearn._loss.link.MultinomialLogit",
    "sklearn._loss.loss.HalfBinomialLoss",
    "sklearn._loss.loss.HalfMultinomialLoss",
    "sklearn._loss.loss.HalfSquaredError",
)


@learner(
    "histgb",
    tasks=("classify", "regress"),
    layout=Layout.TREES,
    needs=("sklearn", "skops"),
    good_for="tables of mixed columns; a second opinion beside boosting",
    costs="some seconds per 10,000 rows; grows until held-out rows no longer gain or the deadline passes",
)
class HistGB:
    """Histogram gradient boosting that stops when rows held out of it gain no more.

    Source: Ke et al. (2017), LightGBM; the code is scikit-learn's.
    """

    def space(self) -> Space:
        """Return the parameters, named as in scikit-learn."""
        return {
            "rounds": Range(50, 2000, default=1000, log=True),
            "learning_rate": Range(0.01, 0.3, default=0.06, log=True),
            "max_leaf_nodes": Range(8, 128, default=31, log=True),
            "min_samples_leaf": Range(2, 100, default=20, log=True),
            "l2_regularization": Range(0.0, 10.0, default=0.0),
            "max_features": Range(0.3, 1.0, default=0.5),
        }

    def fit(self, table: Table, target: Target, params: Params, run: Run) -> Self:
        """Boost in growing chunks of rounds until done or the deadline passes."""
        full = complete("histgb", self.space(), params)
        self.classes_ = Classes.of(target)
        rounds = full.pop("rounds")
        if self.classes_.is_one:
            self.model_ = (
                need("sklearn.dummy", why="the histgb learner").DummyClassifier().fit(table.numbers, target.values)
            )
            return self
        if "min_samples_leaf" not in params:
            full["min_samples_leaf"] = max(1, min(20, len(target) // 20))
        is_stopped = len(target) >= _ROWS_TO_STOP
        model = _model(table, target, full | {"early_stopping": is_stopped, "random_state": run.seed})
        limits = need("threadpoolctl", why="the histgb learner").threadpool_limits(run.threads, user_api="openmp")
        with limits:
            model = _boosted(model, table, target, rounds if is_stopped else min(rounds, _FEW_ROUNDS), run=run)
        self.model_ = _without_functions(model)
        return self

    def predict(self, table: Table) -> Array:
        """Return probabilities or values."""
        return self.classes_.predict(self.model_, table.numbers)

    def for_rows(self) -> RowAnswer:
        """Return a walk down all trees at once."""
        classes = self.classes_
        if classes.is_one:
            constant = classes.spread(np.ones((1, 1)))[0]
            return lambda row: constant
        raw_of, seen = raw_of_boosted(self.model_), np.array(classes.seen, dtype=np.intp)

        def answer(row: EncodedRow) -> Array:
            raw = raw_of(row)
            if classes.n == 0:
                return raw
            full = np.zeros(classes.n)
            full[seen] = chance_of(float(raw[0])) if len(seen) == 2 else shares_of(raw)
            return full

        return answer

    def save(self, folder: Path) -> None:
        """Write the model by skops."""
        save_model(folder, self.model_, self.classes_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Restore what `save` wrote."""
        restored = cls()
        kinds = ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor", "DummyClassifier")
        restored.model_, restored.classes_ = load_model(folder, trusted=_TRUSTED, kinds=kinds)
        return restored


def _model(table: Table, target: Target, options: Params) -> Any:
    ensemble = need("sklearn.ensemble", why="the histgb learner")
    kind = ensemble.HistGradientBoostingClassifier if target.is_classes else ensemble.HistGradientBoostingRegressor
    return kind(
        **options, warm_start=True, n_iter_no_change=_PATIENCE, categorical_features=list(table.categorical) or None
    )


def _without_functions(model: Any) -> Any:
    """Return the model less the check of types inside its encoder: our numbers pass it, and functions are not saved."""
    encoder = getattr(model, "_preprocessor", None)
    if encoder is not None:
        for _, transformer, _ in [*encoder.transformers, *encoder.transformers_]:
            if hasattr(transformer, "func"):
                transformer.set_params(func=None)
    return model


def _boosted(model: Any, table: Table, target: Target, rounds: int, *, run: Run) -> Any:
    labels, judge = Classes.of(target).labels(target), {}
    learned = np.arange(len(target))
    if model.early_stopping:
        learned, judged = hold_out(target, seed=run.seed)
        judge = {"X_val": table.numbers[judged], "y_val": labels[judged]}
    rows, started = _without_empty(table.numbers[learned]), time.monotonic()
    model.max_iter = min(rounds, 2 if run.deadline.left() < 1 else 10)
    while True:
        model.fit(rows, labels[learned], **judge)
        run.progress(model.n_iter_, rounds, "rounds")
        if model.n_iter_ < model.max_iter or model.n_iter_ >= rounds:
            return model
        each = (time.monotonic() - started) / model.n_iter_  # seconds per round
        affordable = 0.8 * run.deadline.left() / max(each, 1e-6)
        if affordable < 1:
            return model
        model.max_iter = min(rounds, model.max_iter + int(min(100, model.max_iter, affordable)))


def _without_empty(rows: Array) -> Array:
    """Return the rows with zeros in columns that hold no value at all, over which scikit-learn stumbles.

    No tree asks for a column that is always the same, so that nothing depends on what it holds later.
    """
    is_empty = np.isnan(rows).all(axis=0)
    return np.where(is_empty, 0.0, rows) if is_empty.any() else rows
