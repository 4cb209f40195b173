"""A metric: how a guess is held against the truth."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mantic.core.registry import Registry
from mantic.core.table import Array


@dataclass(frozen=True)
class Metric:
    """One way to score predictions.

    Parameters
    ----------
    name, task : "rmse", "regress".
    function : `function(truth, guess, weight)`: truth as in `Target.values`; guess as probabilities (n_rows, n_classes)
        or values (n_rows,); weight (n_rows,), 0 or more, or None. Returns a float.
    higher_is_better : direction.
    unit : "" for none, "target" when in the unit of the target.
    per_row : for metrics that are (a function of) a mean over rows: `per_row(truth, guess)` of shape (n_rows,), so that
        bootstraps are one matrix product; None otherwise.
    finish : turns the mean of `per_row` into the score (a square root for rmse); None for the mean itself.
    """

    name: str
    task: str
    function: Callable[[Array, Array, Array | None], float]
    higher_is_better: bool
    unit: str = ""
    per_row: Callable[[Array, Array], Array] | None = None
    finish: Callable[[Any], Any] | None = None

    def __call__(self, truth: Array, guess: Array, weight: Array | None = None) -> float:
        """Return the score."""
        return float(self.function(truth, guess, weight))

    def loss(self, truth: Array, guess: Array, weight: Array | None = None) -> float:
        """Return the score turned so that lower is better."""
        score = self(truth, guess, weight)
        return -score if self.higher_is_better else score

    def of_first(self) -> "Metric":
        """Return the metric of two classes that takes the first for the positive one, not the second."""
        rows = self.per_row
        return replace(
            self,
            function=lambda truth, guess, weight: self.function(1 - truth, guess[:, ::-1], weight),
            per_row=None if rows is None else lambda truth, guess: rows(1 - truth, guess[:, ::-1]),
        )


METRICS: Registry[Metric] = Registry("metric", package="mantic.evaluate.metrics", entry_points="mantic.metrics")
