"""The last value, and on with the average change."""

import numpy as np

from mantic.core.method import About, method
from mantic.core.panel import Panel
from mantic.core.table import Array


def _suits(panel: Panel, horizon: int) -> Array:
    return np.asarray(panel.lengths >= 4)


_ABOUT = About("drift", _suits, (), "a steady rise or fall without a pattern", "nothing")


@method(_ABOUT)
def drift(panel: Panel, horizon: int) -> Array:
    """Return the line from the first through the last value of each series, shape (n_series, horizon)."""
    first, last = panel.values[panel.bounds[:-1]], panel.values[panel.bounds[1:] - 1]
    slope = (last - first) / np.maximum(1, panel.lengths - 1)
    return np.asarray(last[:, None] + slope[:, None] * np.arange(1, horizon + 1))
