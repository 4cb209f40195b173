"""Series on a calendar, with holes still in them."""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from mantic.core.table import Array
from mantic.features.series.finding import N_EXAMPLES, Finding


@dataclass(frozen=True)
class Holed:
    """Series one after the other, each from its first to its last value.

    Parameters
    ----------
    values : float64, shape (n_values,), NaN in holes.
    bounds, last, known : as in a `Panel`.
    ids, names : one row and one text per series.
    is_sold_only, quiet : as in a `Panel`.
    """

    values: Array
    bounds: Array
    last: Array
    known: Array
    ids: pl.DataFrame
    names: tuple[str, ...]
    is_sold_only: bool = False
    quiet: tuple[int, ...] = ()

    def __len__(self) -> int:
        """Return the number of series."""
        return len(self.last)

    def one(self, place: int) -> Array:
        """Return the values of a series."""
        return self.values[self.bounds[place] : self.bounds[place + 1]]


def about(holed: Holed, owners: Array, finding: Finding) -> Finding:
    """Return a finding with the series at these positions (any of them may stand several times) named in it."""
    found = np.unique(owners)
    examples = tuple(holed.names[one] for one in found[:N_EXAMPLES] if holed.names[one])
    return replace(finding, n_series=len(found), examples=examples)
