"""What was a long cycle ago: a week for hours, a year for days."""

import numpy as np

from mantic.core.method import About, method
from mantic.core.panel import Panel
from mantic.core.season import cycle
from mantic.core.table import Array


def _suits(panel: Panel, horizon: int) -> Array:
    if len(panel.seasons) < 2:
        return np.zeros(len(panel), dtype=bool)
    return np.asarray(panel.lengths >= 2 * panel.seasons[-1])


_ABOUT = About("cycle_naive", _suits, (), "days of a week or a year that differ", "nothing")


@method(_ABOUT)
def cycle_naive(panel: Panel, horizon: int) -> Array:
    """Return the latest turn of the longest cycle again, shape (n_series, horizon)."""
    return cycle(panel, horizon, panel.seasons[-1:])
