"""A pretrained model as one method among others."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from mantic.core.method import About, everywhere
from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.learners.pretrained.chronos import NEEDS, opened, said
from mantic.learners.pretrained.weights import Weights

NAME = "pretrained"
_PER_SECOND = 3e10  # sums of two products that a common core does; a slower one is found out by the probe
_MOST_AT_ONCE, _BATCH_SECONDS = 64, 1.0  # series, and what they may take together: a deadline is looked at between
_N_UNROLLED = 9  # quantiles by which a model goes on past its own reach


@dataclass(frozen=True)
class Pretrained:
    """A model that has learned from other series, and answers for these without learning.

    It sees each series by itself, holes filled and outliers tamed, as all methods do; its median is its forecast.
    """

    weights: Weights

    @property
    def about(self) -> About:
        """Return what it says of itself."""
        return About(
            NAME, everywhere, NEEDS, "series like those that it learned from", "1 ms to 3 s per series, by its size",
            guess=self.seconds_of, ready=self.ready,
        )  # fmt: skip

    def ready(self) -> None:
        """Load it: what that takes is no series' cost."""
        opened(self.weights)

    def seconds_of(self, panel: Panel, horizon: int) -> float:
        """Return the least processor seconds that it can take for all series."""
        return float(self._seconds(panel.lengths, horizon).sum())

    def learn(self, panel: Panel, horizon: int, run: Run) -> Self:
        """Learn nothing."""
        return self

    def forecast(self, panel: Panel, horizon: int, run: Run) -> Array:
        """Return the median of the next steps, shape (n_series, horizon); NaN where time was up.

        How many series go together depends on sizes alone, so that the same series give the same answer.
        """
        found = np.full((len(panel), horizon), np.nan)
        rest = np.argsort(panel.lengths, kind="stable")
        while len(rest) and not run.deadline.passed:
            slowest = float(self._seconds(panel.lengths[rest[:_MOST_AT_ONCE]].max(), horizon))
            rows, rest = np.split(rest, [int(np.clip(_BATCH_SECONDS / slowest, 1, _MOST_AT_ONCE))])
            found[rows] = self._said(panel.rows(rows), horizon, run.threads)
        return found

    def save(self, folder: Path) -> None:
        """Write nothing: its weights are the user's own files."""

    def load(self, folder: Path) -> Self:
        """Return itself."""
        return self

    def _said(self, panel: Panel, horizon: int, threads: int) -> Array:
        """Return what it says of series once they have a mean of 0 and a deviation of 1: it computes in float32."""
        series = [panel.one(place)[-self.weights.config.context :] for place in range(len(panel))]
        middle = np.array([one.mean() for one in series])
        width = np.array([one.std() for one in series])
        width = np.where(width > 0, width, 1.0)
        plain = [(one - at) / by for one, at, by in zip(series, middle, width, strict=True)]
        answer = said(opened(self.weights), plain, horizon, threads=threads)
        return np.asarray(middle[:, None] + width[:, None] * answer)

    def _seconds(self, lengths: Array, horizon: int) -> Array:
        """Return processor seconds by length: two operations for each weight and each patch that goes through."""
        config = self.weights.config
        n_patches = np.ceil(np.minimum(lengths, config.context) / config.patch) + 1
        n_more = max(0, -(-horizon // config.reach) - 1)
        n_patches = n_patches + n_more * _N_UNROLLED * (n_patches + config.reach / config.patch)
        return np.asarray(2.0 * self.weights.n_weights * n_patches / _PER_SECOND)
