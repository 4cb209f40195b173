"""The mean of the latest turns of the cycle."""

import numpy as np

from mantic.core.method import About, method
from mantic.core.panel import Panel
from mantic.core.season import usable
from mantic.core.table import Array

_N_TURNS = 4


def _suits(panel: Panel, horizon: int) -> Array:
    return np.asarray(usable(panel) >= 2)


_ABOUT = About("seasonal_mean", _suits, (), "a noisy pattern on a steady level", "nothing")


@method(_ABOUT)
def seasonal_mean(panel: Panel, horizon: int) -> Array:
    """Return the mean over the latest turns (at most four) of the longest cycle that was seen twice."""
    found = np.full((len(panel), horizon), np.nan)
    seasons = usable(panel)
    n_turns = np.minimum(_N_TURNS, panel.lengths // seasons)
    for season, n in {(int(one), int(turns)) for one, turns in zip(seasons, n_turns, strict=True) if one >= 2}:
        rows = np.flatnonzero((seasons == season) & (n_turns == n))
        latest = panel.values[panel.bounds[1:][rows, None] + np.arange(-n * season, 0)]
        turn = latest.reshape(len(rows), n, season).mean(axis=1)
        found[rows] = turn[:, np.arange(horizon) % season]
    return found
