"""Epidemic curves side by side, as one day knew them: what an outbreak method sees."""

from dataclasses import dataclass

import numpy as np

from mantic.core.table import Array

LEVELS = np.array([0.01, 0.025, *np.round(np.arange(0.05, 0.951, 0.05), 2), 0.975, 0.99])
"""Probabilities of the quantiles that methods give: those that epidemic hubs ask for."""


@dataclass(frozen=True)
class Curves:
    """Series on the same steps; the last column is the latest step that any of them has.

    Parameters
    ----------
    values : float64, 0 or more, shape (n_series, n_steps): revisions foreseen, holes filled; NaN before a beginning.
    phase : place in the year, 0 to 1, of each step and of those to come, shape (n_steps + horizon,); all 0 without one.
    offset : what is added before a logarithm is taken, above 0; shape (n_series,).
    """

    values: Array
    phase: Array
    offset: Array

    def __len__(self) -> int:
        """Return the number of series."""
        return len(self.values)

    @property
    def n_steps(self) -> int:
        """Return how many steps are known."""
        return int(self.values.shape[1])

    @property
    def horizon(self) -> int:
        """Return how many steps are to come."""
        return len(self.phase) - self.n_steps

    @property
    def logs(self) -> Array:
        """Return logarithms of values and offset."""
        return np.asarray(np.log(self.values + self.offset[:, None]))

    @property
    def years(self) -> float:
        """Return how many years are known; steps count as weeks where they have no place in the year."""
        gone = np.diff(self.phase[: self.n_steps]) % 1
        return float(gone.sum()) if gone.any() else self.n_steps / 52

    def begun(self) -> "Curves":
        """Return the curves from the first step on of which anything is known; the latest step alone where none is."""
        known = np.isfinite(self.values).any(axis=0)
        first = int(known.argmax()) if known.any() else self.n_steps - 1
        return self if first <= 0 else Curves(self.values[:, first:], self.phase[first:], self.offset)

    def natural(self, logs: Array) -> Array:
        """Return what `logs` turns back, never below 0; shape (n_series, ...)."""
        offset = self.offset.reshape(-1, *[1] * (logs.ndim - 1))
        return np.asarray(np.maximum(np.exp(np.minimum(logs, 50.0)) - offset, 0.0))
