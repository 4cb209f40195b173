"""Predict a number."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mantic.core.errors import SchemaError
from mantic.core.schema import Column, Kind
from mantic.core.table import Array, Target
from mantic.tasks.base import Estimator
from mantic.tasks.target import numbers_of
from mantic.tasks.task import Task

_LARGEST = 1e150  # squares of what is larger are no numbers: no error could be measured


class Regressor(Estimator):
    """Predict a number from columns of any kind, within a time budget.

    Parameters
    ----------
    budget : wall clock for everything, "60s" or "5m", or "8 trials" for a search that repeats to the byte.
    seed : every random choice comes from it.
    metric : what the search optimises; rmse by default, see `mantic.evaluate.metrics` for the others.
    learners : use only these, for instance ["linear"]; all that are installed by default.
    params : fixed parameters, {"svm.C": 10}.

    >>> import polars as pl
    >>> metres = [0.5 * step for step in range(100)]
    >>> frame = pl.DataFrame({"metres": metres, "price": [3.0 * one + 7 for one in metres]})
    >>> model = Regressor(budget="1 trial").fit(frame, "price")
    >>> model.predict(pl.DataFrame({"metres": [10.0]})).round().tolist()
    [37.0]
    >>> round(model.predict_one({"metres": 10.0}))
    37
    """

    task = Task("regress", metric="rmse", sklearn_kind="regressor")

    def predict(self, X: Any) -> Array:
        """Return the expected value of each row, in the target's unit; shape (n_rows,)."""
        frame = self._aligned(X)
        return self.model_.predict(frame)

    def predict_one(self, row: Mapping[str, Any]) -> float:
        """Return the expected value of one row, given as a dictionary; much faster than a table of one row.

        Raises
        ------
        SchemaError : names every column that is missing and every value that does not fit.
        """
        return float(self.row_plan_.predict(row)[0])

    def score(self, X: Any, y: Any, sample_weight: Array | None = None) -> float:
        """Return the share of the differences that is explained (R2), as scikit-learn does."""
        from sklearn.metrics import r2_score

        return float(r2_score(np.asarray(y), self.predict(X), sample_weight=sample_weight))

    def predict_interval(self, X: Any, *, level: float = 0.9) -> Array:
        """Return low and high ends between which the truth lies for `level` of rows; shape (n_rows, 2)."""
        guess = self.predict(X)
        return self.model_.conformal.interval(guess, level=level)

    def _learn_target(self, truth: Array, name: str) -> tuple[Target, Column, Array]:
        values = numbers_of(truth, where=f"column '{name}'")
        _check_size(values, name)
        if values.min() == values.max() and len(values) > 1:
            raise SchemaError(
                f"the target is {values[0]:g} in every row: there is nothing to predict",
                where=f"column '{name}'",
                fix="choose another target",
            )
        column = Column(name, Kind.NUMBER, low=float(values.min()), high=float(values.max()))
        return Target(values), column, np.empty(0)

    def _truth(self, truth: Array) -> Array:
        values = numbers_of(np.asarray(truth), where=f"column '{self.target_.name}'")
        _check_size(values, self.target_.name)
        return values


def _check_size(values: Array, name: str) -> None:
    if not np.isfinite(values).all():
        raise SchemaError(
            "the target holds infinite values", where=f"column '{name}'", fix="mend them or leave these rows out"
        )
    if np.abs(values).max(initial=0.0) > _LARGEST:
        raise SchemaError(
            f"the target holds values beyond {_LARGEST:g}",
            where=f"column '{name}'",
            fix="give it in a larger unit, or leave these rows out",
        )
