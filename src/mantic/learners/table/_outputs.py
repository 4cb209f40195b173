"""From what a library's model says of the classes it saw (or of standardised values) to answers for all classes."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mantic.core.table import Array, Target
from mantic.learners.table._classes import Classes

UNSEEN = -30.0  # margin of a class that no training row had: a chance of about 1e-13


def answer(margin: Array, n_classes: int) -> Array:
    """Return probabilities (n_rows, n_classes) or values (n_rows,) of margins (n_rows, n_outputs).

    >>> answer(np.array([[0.0]]), 2).tolist()
    [[0.5, 0.5]]
    """
    if n_classes == 0:
        return margin[:, 0]
    if n_classes == 2:  # in NumPy, as `_chance_row.py` does for one row: scipy.special takes 0.15 s to be loaded
        power = np.exp(-np.abs(margin[:, 0]))
        less, more, is_second = power / (1 + power), 1 / (1 + power), margin[:, 0] > 0
        return np.column_stack([np.where(is_second, less, more), np.where(is_second, more, less)])
    powers = np.exp(margin - margin.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Outputs:
    """A linear map from raw outputs to margins: `raw @ weights + base`.

    Raw outputs are one standardised value, the log-odds of the second of two classes, or one number per class seen.

    Parameters
    ----------
    n_classes : of the task; 0 for a regression.
    weights, base : shapes (n_raw, n_outputs) and (n_outputs,).

    >>> outputs = Outputs.of(Target(np.array([0, 2, 2]), 3))
    >>> outputs.answer(np.array([[0.0]])).round(6).tolist()
    [[0.5, 0.0, 0.5]]
    """

    n_classes: int
    weights: Array
    base: Array

    @classmethod
    def of(cls, target: Target) -> Self:
        """Return the map for a model of these rows; two classes at least were seen, or values."""
        if not target.is_classes:
            spread = float(target.values.std()) or 1.0
            return cls(0, np.array([[spread]]), np.array([target.values.mean()]))
        seen = list(Classes.of(target).seen)
        if target.n_classes == 2:
            return cls(2, np.ones((1, 1)), np.zeros(1))
        weights, base = np.zeros((len(seen), target.n_classes)), np.full(target.n_classes, UNSEEN)
        weights[np.arange(len(seen)), seen] = 1.0
        base[seen] = 0.0
        return cls(target.n_classes, weights[1:] if len(seen) == 2 else weights, base)

    @classmethod
    def flat(cls, target: Target) -> Self:
        """Return the map that answers with the mean or the shares of the classes, whatever the raw output."""
        if not target.is_classes:
            return cls(0, np.zeros((1, 1)), np.array([target.values.mean()]))
        share = np.bincount(target.values.astype(np.int64), minlength=target.n_classes) / len(target)
        margin = np.log(np.maximum(share, np.exp(UNSEEN)))
        if target.n_classes == 2:
            margin = margin[1:] - margin[:1]
        return cls(target.n_classes, np.zeros((1, len(margin))), margin)

    @classmethod
    def from_facts(cls, facts: dict[str, Any]) -> Self:
        """Restore what `facts` gave."""
        return cls(int(facts["n_classes"]), np.array(facts["weights"], dtype=float), np.array(facts["base"]))

    def facts(self) -> dict[str, Any]:
        """Return plain values to save."""
        return {"n_classes": self.n_classes, "weights": self.weights.tolist(), "base": self.base.tolist()}

    @property
    def n_raw(self) -> int:
        """Return how many raw outputs a row has."""
        return len(self.weights)

    def labels(self, target: Target) -> Array:
        """Return what the model should learn: standardised values, or codes 0, 1, ... of the classes seen."""
        if self.n_classes:
            return Classes.of(target).labels(target)
        return np.asarray((target.values - self.base[0]) / self.weights[0, 0])

    def answer(self, raw: Array) -> Array:
        """Return probabilities or values of raw outputs, shape (n_rows, n_raw)."""
        return answer(raw @ self.weights + self.base, self.n_classes)

    def parts(self, raw: Array) -> Array:
        """Return contributions to the margins of contributions to the raw outputs, (n_rows, n_columns + 1, n_raw)."""
        parts = raw @ self.weights
        parts[:, -1] += self.base
        return np.asarray(parts)
