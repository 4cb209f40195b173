"""The rows that are looked at for leaks: a sample of those for learning, cut in two."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import polars as pl

from mantic.core.schema import Schema
from mantic.core.table import Array, Target
from mantic.features.leaks.alone import Halves, evened

MOST_ROWS = 6_000


@dataclass(frozen=True)
class Place:
    """Where rows stand.

    Parameters
    ----------
    position : number of each row in the user's table, ascending.
    moment, groups : what orders the rows in time and what ties rows together, or None.
    """

    position: Array
    moment: Array | None = None
    groups: Array | None = None

    def rows(self, index: Array) -> Self:
        """Return the place of these rows."""
        return replace(
            self,
            position=self.position[index],
            moment=None if self.moment is None else self.moment[index],
            groups=None if self.groups is None else self.groups[index],
        )


@dataclass(frozen=True)
class Sample:
    """Rows with their target, as it is and evened, and the halves of which one learns and the other judges."""

    frame: pl.DataFrame
    target: Target
    even: Target
    schema: Schema
    place: Place
    halves: Halves

    @classmethod
    def of(cls, frame: pl.DataFrame, target: Target, schema: Schema, *, place: Place, seed: int) -> Self:
        """Draw at most 6,000 rows, in their order; groups are kept whole where there are any."""
        chance = np.random.default_rng(seed)
        pick = np.sort(chance.permutation(len(target))[:MOST_ROWS])
        place = place.rows(pick)
        unit = np.arange(len(pick))
        if place.groups is not None and len(np.unique(place.groups)) > 1:
            unit = np.unique(place.groups, return_inverse=True)[1].reshape(-1)
        n_units = int(unit.max(initial=0)) + 1
        early = chance.permutation(n_units)[unit] < n_units // 2
        kept = target.rows(pick)
        halves = Halves(np.flatnonzero(early), np.flatnonzero(~early))
        return cls(frame[pick], kept, evened(kept), schema, place, halves)
