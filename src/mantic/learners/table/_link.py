"""Between what boosted trees add up and the values that a regression answers."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mantic.core.table import Array, Target

_MOST = 30.0  # of a logarithm: beyond, a value means nothing


@dataclass(frozen=True)
class Straight:
    """Values are the raw sum, moved and stretched: LightGBM keeps labels in float32.

    >>> link = Straight.of(Target(np.array([10.0, 30.0])))
    >>> link.labels(np.array([10.0, 30.0])).tolist(), link.values(np.array([1.0])).tolist()
    ([-1.0, 1.0], [30.0])
    """

    centre: float = 0.0
    spread: float = 1.0

    @classmethod
    def of(cls, target: Target) -> Self:
        """Return the link for these values."""
        return cls(float(target.values.mean()), float(target.values.std()) or 1.0)

    def labels(self, values: Array) -> Array:
        """Return what the trees should learn."""
        return np.asarray((values - self.centre) / self.spread)

    def values(self, raw: Array) -> Array:
        """Return the values of raw sums."""
        return np.asarray(self.centre + self.spread * raw)

    def parts(self, raw: Array) -> Array:
        """Return what columns add to a value, of what they add to the raw sum, shape (n_rows, n_columns + 1, 1)."""
        parts = self.spread * raw
        parts[:, -1] += self.centre
        return np.asarray(parts)

    def facts(self) -> dict[str, Any]:
        """Return plain values to save."""
        return {"centre": self.centre, "spread": self.spread}


@dataclass(frozen=True)
class Log:
    """Values are the exponential of the raw sum: effects multiply, and no answer is below 0.

    Parameters
    ----------
    unit : the mean of the training values.

    >>> link = Log.of(Target(np.array([1.0, 3.0])))
    >>> link.labels(np.array([1.0, 3.0])).tolist(), link.values(np.array([0.0])).tolist()
    ([0.5, 1.5], [2.0])
    >>> link.parts(np.array([[[np.log(2.0)], [0.0]]])).round(9).tolist()
    [[[2.0], [2.0]]]
    """

    unit: float

    @classmethod
    def of(cls, target: Target) -> Self:
        """Return the link for these values, none of them below 0."""
        return cls(float(target.values.mean()) or 1.0)

    def labels(self, values: Array) -> Array:
        """Return what the trees should learn."""
        return np.asarray(values / self.unit)

    def values(self, raw: Array) -> Array:
        """Return the values of raw sums."""
        return np.asarray(self.unit * np.exp(np.minimum(raw, _MOST)))

    def parts(self, raw: Array) -> Array:
        """Return what columns add to a value, of what they add to the raw sum, shape (n_rows, n_columns + 1, 1).

        Along the straight way from the base to the row every column is paid by what it moves there, which is its share
        of the raw sum.
        Source: Aumann and Shapley (1974), Values of Non-Atomic Games.
        """
        base = self.values(raw[:, -1:])
        total = raw[:, :-1].sum(axis=1, keepdims=True)
        moved = self.values(total + raw[:, -1:]) - base
        flat = np.abs(total) < 1e-12
        share = np.where(flat, base, moved / np.where(flat, 1.0, total))
        return np.concatenate([raw[:, :-1] * share, base], axis=1)

    def facts(self) -> dict[str, Any]:
        """Return plain values to save."""
        return {"unit": self.unit}


Link = Straight | Log


def link_of(facts: dict[str, Any]) -> Link:
    """Restore what `facts` gave."""
    return Log(facts["unit"]) if "unit" in facts else Straight(facts["centre"], facts["spread"])
