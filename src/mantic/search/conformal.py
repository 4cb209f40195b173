"""Intervals and sets with a promised coverage, from predictions on rows that no model had seen."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mantic.core.table import Array

_MOST_KEPT = 2_000  # errors kept per bin: enough for any level up to 99.9 %
_LEAST_PER_BIN = 100


@dataclass(frozen=True)
class Conformal:
    """Errors of out-of-fold predictions, sorted, in bins of the predicted value.

    A regression keeps |truth - guess| in bins of equal mass of the guess, so that intervals are wider where errors are
    larger (Mondrian split conformal; Vovk et al., 2005). Classes keep 1 - the true class's probability in
    one bin (Sadinle et al., 2019). For exchangeable rows the coverage is at least the level, up to the difference
    between the members that made these predictions and the final ones. Where errors change, those that are likest
    to the ones to come can weigh more (Barber et al., 2023, Conformal Prediction beyond Exchangeability): a bin then
    keeps as many errors as they weigh together, at even steps of weight.

    >>> errors = Conformal.of(np.arange(200.0), np.arange(200.0) + np.tile([-1.0, 1.0], 100), n_classes=0)
    >>> errors.interval(np.array([50.0]), level=0.9).tolist()
    [[49.0, 51.0]]
    """

    edges: Array = field(default_factory=lambda: np.empty(0))
    errors: tuple[Array, ...] = (np.empty(0),)

    @classmethod
    def of(cls, guess: Array, truth: Array, *, n_classes: int, weight: Array | None = None) -> "Conformal":
        """Collect the errors of predictions (n, n_classes) or (n,) against the truth (codes or values).

        Parameters
        ----------
        weight : of each error, 0 to 1, beside the weight 1 of the row to come; all 1 by default.

        >>> errors = Conformal.of(np.zeros(80), np.arange(80.0), n_classes=0, weight=np.repeat([1.0, 0.0], 40))
        >>> errors.interval(np.zeros(1), level=0.5).tolist()
        [[-20.0, 20.0]]
        """
        weight = np.ones(len(truth)) if weight is None else weight
        if n_classes:
            error = 1 - guess[np.arange(len(truth)), truth.astype(np.int64)]
            return cls(errors=(_keep(error, weight),))
        n_bins = max(1, min(10, int(weight.sum()) // _LEAST_PER_BIN))
        edges = np.unique(np.quantile(guess, np.linspace(0, 1, n_bins + 1)[1:-1])) if n_bins > 1 else np.empty(0)
        place = np.searchsorted(edges, guess, side="right")
        if np.bincount(place, weight, minlength=len(edges) + 1).min() < _LEAST_PER_BIN // 2:
            edges, place = np.empty(0), np.zeros(len(guess), dtype=np.int64)
        error = np.abs(truth - guess)
        bins = [place == number for number in range(len(edges) + 1)]
        return cls(edges, tuple(_keep(error[one], weight[one]) for one in bins))

    def interval(self, guess: Array, *, level: float) -> Array:
        """Return low and high for each value, shape (n, 2)."""
        place = np.searchsorted(self.edges, guess, side="right")
        width = np.array([_reach(one, level) for one in self.errors])[place]
        return np.column_stack([guess - width, guess + width])

    def sets(self, guess: Array, *, level: float) -> Array:
        """Return which classes belong to each row's set: bool, shape (n, n_classes); the likeliest always does."""
        inside: Array = 1 - guess <= self.reach(level)
        inside[np.arange(len(guess)), guess.argmax(axis=1)] = True
        return inside

    def reach(self, level: float) -> float:
        """Return the largest error at which a class still belongs to a set; a set may be empty by this alone."""
        return _reach(self.errors[0], level)

    def save(self, folder: Path) -> None:
        """Write the errors as arrays."""
        arrays = {f"errors{number}": one for number, one in enumerate(self.errors)}
        np.savez(folder / "conformal.npz", allow_pickle=False, edges=self.edges, **arrays)
        (folder / "conformal.json").write_text(json.dumps({"n_bins": len(self.errors)}))

    @classmethod
    def load(cls, folder: Path) -> "Conformal":
        """Restore what `save` wrote."""
        n_bins = json.loads((folder / "conformal.json").read_text())["n_bins"]
        with np.load(folder / "conformal.npz", allow_pickle=False) as arrays:
            return cls(arrays["edges"], tuple(arrays[f"errors{number}"] for number in range(n_bins)))


def _keep(error: Array, weight: Array) -> Array:
    order = np.argsort(error, kind="stable")
    mass = np.cumsum(weight[order])
    n_kept = min(round(float(mass[-1])), _MOST_KEPT) if len(mass) else 0
    middles = (np.arange(n_kept) + 0.5) * (mass[-1] / n_kept) if n_kept else np.empty(0)
    return error[order[np.searchsorted(mass, middles)]]


def _reach(error: Array, level: float) -> float:
    """Return the error that `level` of new rows do not exceed; infinite when too few errors are known."""
    n = len(error)
    rank = int(np.ceil((n + 1) * level))
    return float(error[rank - 1]) if 0 < rank <= n else float("inf")
