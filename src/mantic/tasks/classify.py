"""Predict a category."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mantic.core.errors import SchemaError, SettingsError
from mantic.core.schema import Column, Kind
from mantic.core.table import Array, Target
from mantic.evaluate.decide import Decision
from mantic.tasks.base import Estimator
from mantic.tasks.door import validation
from mantic.tasks.target import check_filled, classes_of, positive_of
from mantic.tasks.task import Task


class Classifier(Estimator):
    """Predict a category from columns of any kind, within a time budget.

    Parameters
    ----------
    budget : wall clock for everything, "60s" or "5m", or "8 trials" for a search that repeats to the byte.
    seed : every random choice comes from it.
    metric : what the search optimises; log_loss by default, see `mantic.evaluate.metrics` for the others.
    learners : use only these, for instance ["svm"]; all that are installed by default.
    params : fixed parameters, {"svm.C": 10}.
    positive : of two classes, the label that precision, recall, F1 and average precision are about. When absent: the
        larger number, the text that says yes, else the rarer class.

    >>> import polars as pl
    >>> frame = pl.DataFrame({"size": [0.5 * step for step in range(100)], "kind": ["small"] * 50 + ["large"] * 50})
    >>> model = Classifier(budget="1 trial").fit(frame, "kind")
    >>> model.predict(pl.DataFrame({"size": [1.5, 48.5]})).tolist()
    ['small', 'large']
    >>> model.predict_one({"size": 1.5})
    'small'
    """

    task = Task("classify", metric="log_loss", sklearn_kind="classifier")

    def __init__(
        self,
        *,
        budget: str | float = "60s",
        seed: int = 0,
        metric: str | None = None,
        learners: list[str] | None = None,
        params: dict[str, Any] | None = None,
        positive: Any = None,
    ) -> None:
        super().__init__(budget=budget, seed=seed, metric=metric, learners=learners, params=params)
        self.positive = positive

    def predict(self, X: Any) -> Array:
        """Return the likeliest class of each row; shape (n_rows,)."""
        guess = self.predict_proba(X)
        labels: Array = self.classes_[guess.argmax(axis=1)]
        return labels

    def predict_proba(self, X: Any) -> Array:
        """Return calibrated probabilities; shape (n_rows, n_classes), columns as in `classes_`."""
        frame = self._aligned(X)
        return self.model_.predict(frame)

    def predict_one(self, row: Mapping[str, Any]) -> Any:
        """Return the likeliest class of one row, given as a dictionary; much faster than a table of one row.

        Raises
        ------
        SchemaError : names every column that is missing and every value that does not fit.
        """
        return self.classes_[self.row_plan_.predict(row).argmax()].item()

    def predict_proba_one(self, row: Mapping[str, Any]) -> dict[Any, float]:
        """Return the calibrated probability of each class for one row, given as a dictionary."""
        guess = self.row_plan_.predict(row)
        return dict(zip(self.classes_.tolist(), guess.tolist(), strict=True))

    def score(self, X: Any, y: Any, sample_weight: Array | None = None) -> float:
        """Return the share of rows whose class is predicted rightly, as scikit-learn does."""
        truth = validation().column_or_1d(np.asarray(y))
        return float(np.average(self.predict(X) == truth, weights=sample_weight))

    def predict_set(self, X: Any, *, level: float = 0.9) -> Array:
        """Return which classes cannot be ruled out: bool, shape (n_rows, n_classes).

        The truth is inside for a share `level` of rows like those learned from.
        """
        guess = self.predict_proba(X)
        return self.model_.conformal.sets(guess, level=level)

    def decide(self, cost: Any = None, *, capacity: Any = None, unit: str = "") -> Decision:
        """Turn probabilities into decisions in your own unit, and say what they are worth.

        The threshold is chosen on out-of-fold answers of the search; its value comes from the held-out rows. The
        decision becomes `decision_`, is saved with the model, and is what `mantic predict` and the server then answer
        beside the prediction. It may be changed at any time, also after loading, without fitting again.

        Parameters
        ----------
        cost : what a decision costs, by what is true: "fp=1,fn=10" (a negative cost is a gain, as in "tp=-50,fp=2"),
            "gain:tp=50,fp=-2", a dict of these names, or for any number of classes a path of a CSV matrix or a dict
            {true class: {decided class: cost}}. Without costs, `capacity` alone decides.
        capacity : how many rows can be acted on: "5%" of them, 200 of a batch as large as the held-out part, "100/day".
        unit : of the costs, "EUR" for instance.

        Returns
        -------
        A frozen `Decision` with threshold, value with interval, the policies it is held against, a sentence, a report.

        Raises
        ------
        SettingsError : if costs or capacity make no sense, or do not fit the classes.

        Source: Elkan (2001), The Foundations of Cost-Sensitive Learning.
        """
        from mantic.tasks.decide import decide

        self._check_fitted()
        return decide(self, cost, capacity=capacity, unit=unit, seed=self.seed)

    def _learn_target(self, truth: Array, name: str) -> tuple[Target, Column, Array]:
        check_filled(truth, where=f"column '{name}'")
        _check_classes(truth)
        labels, codes = classes_of(truth, where=f"column '{name}'")
        order = np.argsort(-np.bincount(codes), kind="stable")
        levels = tuple(str(labels[place]) for place in order)
        return (
            Target(codes, n_classes=len(labels)),
            Column(name, Kind.CATEGORY, levels=levels, n_levels=len(labels)),
            labels,
        )

    def _positive(self, classes: Array, target: Target) -> int:
        if self.positive is None:
            return positive_of(classes, target.values) if len(classes) == 2 else 1
        known = [str(label) for label in classes.tolist()]
        if str(self.positive) not in known or len(known) != 2:
            raise SettingsError(
                f"'{self.positive}' is not one of two classes", where="positive", fix=f"classes are: {', '.join(known)}"
            )
        return known.index(str(self.positive))

    def _truth(self, truth: Array) -> Array:
        as_numbers = self.classes_.dtype.kind in "iuf" and truth.dtype.kind in "iuf"  # 1 and 1.0 are one class
        name = float if as_numbers else str
        known = {name(label): code for code, label in enumerate(self.classes_.tolist())}
        given = [name(value) for value in truth.tolist()]
        strange = sorted({str(value) for value in given if value not in known})
        if strange:
            raise SchemaError(
                f"the target holds classes that the model has not learned: {', '.join(strange[:5])}",
                where=f"column '{self.target_.name}'",
                fix=f"it knows {', '.join(str(label) for label in self.classes_[:10])}; fit again on today's data",
            )
        return np.array([known[value] for value in given], dtype=np.int64)


def _check_classes(truth: Array) -> None:
    """Refuse fractions, which are no classes, in scikit-learn's words; texts and whole numbers need no look."""
    if truth.ndim == 1 and truth.dtype.kind in "biuSU":
        return
    from sklearn.utils.multiclass import check_classification_targets

    check_classification_targets(truth)
