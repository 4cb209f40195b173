"""Says how each method did on the past as soon as it is known, for who looks on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from mantic.core.run import Run
from mantic.core.table import Array
from mantic.search.series.loss import Yardstick, mean, yardstick

METRIC = "error_against_seasonal_naive"


@dataclass
class Standing:
    """How methods stand against repeating the last season, which is 1.

    Parameters
    ----------
    truth : shape (n_origins, n_series, horizon), NaN where nothing was observed.
    scale : usual change over a season of each series, shape (n_series,).
    """

    run: Run
    truth: Array
    scale: Array
    _unit: Yardstick | None = None
    _best: float = float("inf")
    _told: set[str] = field(default_factory=set)

    def measure_by(self, reference: Array) -> None:
        """Take what the reference has said, in the shape of the truth, as the unit."""
        self._unit = yardstick(self.truth, reference, self.scale)
        self.run.measure("baseline", 1.0, metric=METRIC, higher_is_better=False, task="forecast", best=False)

    def tell(self, method: str, past: Mapping[int, Array], backs: tuple[int, ...], *, took: float) -> None:
        """Say what a method has lost at all origins, once."""
        if self._unit is None or method in self._told:
            return
        self._told.add(method)
        loss = mean(self._unit.loss(self.truth, np.stack([past[back] for back in backs]), self.scale))
        if not np.isfinite(loss):
            return
        is_best, self._best = loss < self._best, min(loss, self._best)
        self.run.measure(
            METRIC, loss, learner=method, number=len(self._told), params={}, best=is_best, took=round(took, 3)
        )
