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
    for place, season in enumerate(usable(panel)):
        if season >= 2:
            values = panel.one(place)
            n_turns = min(_N_TURNS, len(values) // season)
            turn = values[-n_turns * season :].reshape(n_turns, season).mean(axis=0)
            found[place] = turn[np.arange(horizon) % season]
    return found
