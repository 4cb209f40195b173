"""Classes that the training rows may lack, rows held out inside a fit, and the loss that choices are made by."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mantic.core.fold import fold_of_rows
from mantic.core.run import Run
from mantic.core.table import Array, Target

_MORE_ROWS = 1.3  # what a fit on all rows takes, of one without those held out


@dataclass(frozen=True)
class Classes:
    """Which of the classes the training rows showed; `n` is 0 for a regression.

    >>> classes = Classes.of(Target(np.array([0, 2, 2]), 3))
    >>> classes.spread(np.array([[0.25, 0.75]])).tolist()
    [[0.25, 0.0, 0.75]]
    """

    n: int
    seen: tuple[int, ...]

    @classmethod
    def of(cls, target: Target) -> Self:
        """Return the classes of these rows."""
        seen = np.unique(target.values.astype(np.int64)).tolist() if target.is_classes else []
        return cls(target.n_classes, tuple(seen))

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Self:
        """Restore what `facts` gave."""
        return cls(int(facts["n_classes"]), tuple(facts["seen"]))

    def facts(self) -> dict[str, Any]:
        """Return plain values to save."""
        return {"n_classes": self.n, "seen": list(self.seen)}

    @property
    def is_one(self) -> bool:
        """Whether there is a single class, so that nothing can be learned."""
        return len(self.seen) == 1

    def labels(self, target: Target) -> Array:
        """Return the target as a library wants it: codes 0, 1, ... without gaps, or the values."""
        if self.n == 0:
            return target.values.astype(np.float64)
        return np.searchsorted(self.seen, target.values)

    def spread(self, probabilities: Array) -> Array:
        """Return probabilities of the seen classes as columns of all classes; unseen ones get 0."""
        full = np.zeros((len(probabilities), self.n))
        full[:, list(self.seen)] = probabilities
        return full

    def predict(self, model: Any, rows: Any) -> Array:
        """Return what a scikit-learn model that was fitted on `labels` makes of these rows."""
        if self.n == 0:
            return np.asarray(model.predict(rows), dtype=np.float64)
        if self.is_one:
            return self.spread(np.ones((rows.shape[0], 1)))
        return self.spread(model.predict_proba(rows))


def hold_out(target: Target, *, seed: int, n_folds: int = 7) -> tuple[Array, Array]:
    """Return the positions of rows to learn from, and of every `n_folds`-th row to judge by.

    Every class that is judged is also learned from. Below 20 rows both are all the rows.
    """
    everyone = np.arange(len(target))
    if len(target) < 20:
        return everyone, everyone
    is_out = fold_of_rows(target, n_folds, seed=seed) == n_folds // 2
    if target.is_classes:
        codes = target.values.astype(np.int64)
        learned = np.bincount(codes[~is_out], minlength=target.n_classes) > 0
        is_out &= learned[codes]
    return everyone[~is_out], everyone[is_out]


def has_time_again(run: Run, *, left_before: float) -> bool:
    """Whether what began with so many seconds left may be done once more, on somewhat more rows."""
    left = run.deadline.left()
    return left_before == float("inf") or left > _MORE_ROWS * (left_before - left)


def sample(target: Target, n_rows: int, *, seed: int) -> Array:
    """Return the positions, in order, of at most `n_rows` rows whose targets are spread as those of all."""
    if len(target) <= n_rows:
        return np.arange(len(target))
    order = np.lexsort((np.random.default_rng(seed).random(len(target)), target.values))
    return np.sort(order[np.linspace(0, len(target) - 1, n_rows).round().astype(np.int64)])


def loss(target: Target, guess: Array) -> float:
    """Return the log loss of probabilities, or the mean squared error of values."""
    return float(row_losses(target, guess).mean())


def row_losses(target: Target, guess: Array) -> Array:
    """Return what each row adds to `loss`, shape (n_rows,)."""
    if not target.is_classes:
        return np.asarray((target.values - guess) ** 2)
    chance = guess[np.arange(len(target)), target.values.astype(np.int64)]
    return np.asarray(-np.log(np.clip(chance, 1e-6, 1.0)))
