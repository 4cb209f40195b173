"""Many equally likely weightings of the same rows: the chance that the held-out rows could have been others."""

from dataclasses import dataclass, field, replace

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.prepared import Means, Prepared

_CELLS = 12_000_000  # weights kept at once: 48 MB in float32
_MANY = 1000
_FEW = 200
_UNITS = 20_000  # more rows than this are bound into so many random blocks; intervals stay the same, memory stays small


@dataclass(frozen=True)
class Resamples:
    """Weights of a Bayesian bootstrap, drawn once and used for every metric and every model.

    Each unit (a row, a cluster, a block of rows) gets an exponential weight. No class or group ever vanishes from a
    resample, as it may with the classical bootstrap.

    Parameters
    ----------
    weights : float32, shape (n_resamples, n_units).
    unit : int, the unit of each row, shape (n_rows,); None when each row is its own.
    n_rows : how many rows there are.

    Source: Rubin (1981), The Bayesian Bootstrap; Cameron, Gelbach, Miller (2008) for clusters.

    >>> Resamples.draw(3, seed=0).weights.shape
    (1000, 3)
    """

    weights: Array
    unit: Array | None
    n_rows: int
    _known: dict[int, tuple[Prepared, Array]] = field(default_factory=dict, compare=False)

    @classmethod
    def draw(cls, n_rows: int, *, clusters: Array | None = None, seed: int = 0, most: int = _MANY) -> "Resamples":
        """Draw weightings: `most`, fewer when rows are very many, yet 200 or more unless `most` is less.

        Parameters
        ----------
        clusters : rows of one value are weighted together; shape (n_rows,).
        """
        random = np.random.default_rng(seed)
        unit = None if clusters is None else np.unique(clusters, return_inverse=True)[1].reshape(-1)
        if unit is None and n_rows > _UNITS:
            unit = random.permutation(n_rows) % _UNITS
        n_units = n_rows if unit is None else int(unit.max(initial=-1)) + 1
        n_resamples = min(most, max(_FEW, _CELLS // max(1, n_rows)))
        return cls(random.standard_exponential((n_resamples, n_units), dtype=np.float32), unit, n_rows)

    def few(self) -> "Resamples":
        """Return the first 250 weightings: enough for an interval that nobody decides by."""
        return replace(self, weights=self.weights[:250], _known={})

    @property
    def n_units(self) -> int:
        """Return how many independent units there are."""
        return int(self.weights.shape[1])

    def scores(self, prepared: Prepared) -> Array:
        """Return one score per resample, shape (n_resamples,); remembered for the next time."""
        if id(prepared) not in self._known:
            self._known[id(prepared)] = prepared, self._score(prepared, self.weights)
        return self._known[id(prepared)][1]

    def totals(self) -> Array:
        """Return the weight of all rows together in each resample, shape (n_resamples,)."""
        sizes = np.ones(self.n_units) if self.unit is None else np.bincount(self.unit, minlength=self.n_units)
        return np.asarray(self.weights @ sizes)

    def without_each(self, prepared: Prepared) -> Array:
        """Return the score without each unit in turn (the jackknife), shape (n_units,)."""
        return self._score(prepared, 1.0 - np.eye(self.n_units))

    def _score(self, prepared: Prepared, weights: Array) -> Array:
        if self.unit is None:
            return prepared(weights)
        if isinstance(prepared, Means):
            sizes = np.bincount(self.unit, minlength=self.n_units).astype(float)
            columns = prepared.columns.T
            sums = np.stack([np.bincount(self.unit, weights=one, minlength=self.n_units) for one in columns], axis=1)
            return prepared.of_sums(weights @ sums, weights @ sizes)
        step = max(1, _CELLS // (4 * self.n_rows))
        parts = [prepared(weights[at : at + step][:, self.unit]) for at in range(0, len(weights), step)]
        return np.concatenate(parts)
