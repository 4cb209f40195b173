"""What is kept of the forecast of an outbreak, and answered from: quantiles, and all that was ever told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from mantic.core.curves import LEVELS
from mantic.core.table import Array
from mantic.features.series.vintages import Vintages


@dataclass(frozen=True)
class Outbreak:
    """What is kept of the forecast of an outbreak.

    Parameters
    ----------
    quantiles : at `LEVELS`, shape (n_series, horizon, n_levels), rising.
    offset : as in `Curves`.
    vintages : everything that was told, for the next forecast; `first` is its step 0 on the calendar.
    capacity : what is alarmed about; None where nothing is.
    """

    quantiles: Array
    offset: Array
    vintages: Vintages
    first: int
    capacity: float | None = None

    def at(self, levels: Array) -> Array:
        """Return quantiles at other levels, shape (n_series, horizon, n_levels): straight on a scale of logarithms."""
        logs = np.log(self.quantiles + self.offset[:, None, None])
        place = np.clip(np.searchsorted(LEVELS, levels) - 1, 0, len(LEVELS) - 2)
        share = np.clip((levels - LEVELS[place]) / (LEVELS[place + 1] - LEVELS[place]), 0.0, 1.0)
        found = logs[..., place] * (1 - share) + logs[..., place + 1] * share
        return np.asarray(np.maximum(np.exp(found) - self.offset[:, None, None], 0.0))

    def mean(self) -> Array:
        """Return the expected value, shape (n_series, horizon): the mean of the quantiles, each for its share."""
        edges = np.concatenate([[0.0], (LEVELS[1:] + LEVELS[:-1]) / 2, [1.0]])
        return np.asarray(self.quantiles @ np.diff(edges))

    def above(self, capacity: float) -> Array:
        """Return the probability of more than a capacity, shape (n_series, horizon); 0.005 stands for below 0.01."""
        n_levels = len(LEVELS)
        found = np.empty(self.quantiles.shape[:2])
        for place in np.ndindex(found.shape):
            own = self.quantiles[place]
            inside = float(np.interp(capacity, own, LEVELS))
            below = inside if own[0] <= capacity <= own[n_levels - 1] else (0.005 if capacity < own[0] else 0.995)
            found[place] = 1 - below
        return found

    def to_facts(self) -> dict[str, Any]:
        """Return what is no array."""
        days = self.vintages.days
        kind = "whole" if days.dtype.is_integer() else "date" if str(days.dtype) == "Date" else "moment"
        return {"first": self.first, "capacity": self.capacity, "kind": kind}

    def to_arrays(self) -> dict[str, Array]:
        """Return the arrays by name."""
        told = self.vintages
        days = told.days.to_physical().cast(int).to_numpy()
        return {
            "quantiles": self.quantiles, "offset": self.offset, "told series": told.series, "told step": told.step,
            "told day": told.day, "told value": told.value, "told days": days,
        }  # fmt: skip

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """Restore what was kept.

        Raises
        ------
        ValueError : if the parts do not fit together.
        """
        kinds: dict[str, Any] = {"whole": pl.Int64(), "date": pl.Date(), "moment": pl.Datetime("us")}
        days = pl.Series("", arrays["told days"])
        kind = kinds[str(facts["kind"])]
        days = days.cast(pl.Int32()).cast(kind) if facts["kind"] == "date" else days.cast(kind)
        series, step, day, value = (arrays[f"told {one}"] for one in ("series", "step", "day", "value"))
        told = Vintages(series, step, day, value, days)
        capacity = None if facts["capacity"] is None else float(facts["capacity"])
        made = cls(arrays["quantiles"], arrays["offset"], told, int(facts["first"]), capacity)
        if made.quantiles.ndim != 3 or made.quantiles.shape[2] != len(LEVELS):
            raise ValueError("the quantiles of the outbreak have other levels than they should")
        if not np.isfinite(made.quantiles).all() or made.offset.shape != made.quantiles.shape[:1]:
            raise ValueError("the quantiles of the outbreak are no numbers")
        if len({len(one) for one in (told.series, told.step, told.day, told.value)}) > 1:
            raise ValueError("what was told of the outbreak does not fit together")
        return made
