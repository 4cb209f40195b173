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
    between the members that made these predictions and the final ones.

    Where errors move from period to period, each earlier one is kept by itself in `periods`, and an interval is as wide
    as the widest of them: it holds in a period as hard as the hardest so far (Duchi, Gupta, Jiang and Sur, 2024,
    Predictive Inference in Multi-environment Scenarios). A period with too few errors for a level says nothing there.

    >>> errors = Conformal.of(np.arange(200.0), np.arange(200.0) + np.tile([-1.0, 1.0], 100), n_classes=0)
    >>> errors.interval(np.array([50.0]), level=0.9).tolist()
    [[49.0, 51.0]]
    """

    edges: Array = field(default_factory=lambda: np.empty(0))
    errors: tuple[Array, ...] = (np.empty(0),)
    periods: tuple["Conformal", ...] = ()

    @classmethod
    def of(cls, guess: Array, truth: Array, *, n_classes: int) -> "Conformal":
        """Collect the errors of predictions (n, n_classes) or (n,) against the truth (codes or values)."""
        if n_classes:
            error = 1 - guess[np.arange(len(truth)), truth.astype(np.int64)]
            return cls(errors=(_keep(error),))
        n_bins = max(1, min(10, len(truth) // _LEAST_PER_BIN))
        edges = np.unique(np.quantile(guess, np.linspace(0, 1, n_bins + 1)[1:-1])) if n_bins > 1 else np.empty(0)
        place = np.searchsorted(edges, guess, side="right")
        error = np.abs(truth - guess)
        bins = [error[place == number] for number in range(len(edges) + 1)]
        if any(len(one) < _LEAST_PER_BIN // 2 for one in bins):
            edges, bins = np.empty(0), [error]
        return cls(edges, tuple(_keep(one) for one in bins))

    def interval(self, guess: Array, *, level: float) -> Array:
        """Return low and high for each value, shape (n, 2)."""
        width = self._widths(guess, level)
        for one in self.periods:
            width = np.maximum(width, _known(one._widths(guess, level)))
        return np.column_stack([guess - width, guess + width])

    def _widths(self, guess: Array, level: float) -> Array:
        place = np.searchsorted(self.edges, guess, side="right")
        return np.array([_reach(one, level) for one in self.errors])[place]

    def sets(self, guess: Array, *, level: float) -> Array:
        """Return which classes belong to each row's set: bool, shape (n, n_classes); the likeliest always does."""
        inside: Array = 1 - guess <= self.reach(level)
        inside[np.arange(len(guess)), guess.argmax(axis=1)] = True
        return inside

    def reach(self, level: float) -> float:
        """Return the largest error at which a class still belongs to a set; a set may be empty by this alone."""
        periods = np.array([_reach(one.errors[0], level) for one in self.periods])
        return max(_reach(self.errors[0], level), float(_known(periods).max(initial=0.0)))

    def save(self, folder: Path) -> None:
        """Write the errors as arrays, those of each period into a folder of its own."""
        arrays = {f"errors{number}": one for number, one in enumerate(self.errors)}
        np.savez(folder / "conformal.npz", allow_pickle=False, edges=self.edges, **arrays)
        facts = {"n_bins": len(self.errors), "n_periods": len(self.periods)}
        (folder / "conformal.json").write_text(json.dumps(facts))
        for number, one in enumerate(self.periods):
            (folder / f"period{number}").mkdir()
            one.save(folder / f"period{number}")

    @classmethod
    def load(cls, folder: Path) -> "Conformal":
        """Restore what `save` wrote."""
        facts = json.loads((folder / "conformal.json").read_text())
        periods = tuple(cls.load(folder / f"period{number}") for number in range(facts.get("n_periods", 0)))
        with (folder / "conformal.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            errors = tuple(arrays[f"errors{number}"] for number in range(facts["n_bins"]))
            return cls(arrays["edges"], errors, periods)


def _known(widths: Array) -> Array:
    return np.where(np.isfinite(widths), widths, 0.0)


def _keep(error: Array) -> Array:
    error = np.sort(error)
    if len(error) <= _MOST_KEPT:
        return error
    return error[np.linspace(0, len(error) - 1, _MOST_KEPT).round().astype(np.int64)]


def _reach(error: Array, level: float) -> float:
    """Return the error that `level` of new rows do not exceed; infinite when too few errors are known."""
    n = len(error)
    rank = int(np.ceil((n + 1) * level))
    return float(error[rank - 1]) if 0 < rank <= n else float("inf")
