"""The last value, again and again."""

import numpy as np

from mantic.core.method import About, everywhere, method
from mantic.core.panel import Panel
from mantic.core.table import Array

_ABOUT = About("naive", everywhere, (), "what wanders without a pattern; the least that counts", "nothing")


@method(_ABOUT)
def naive(panel: Panel, horizon: int) -> Array:
    """Return the last value of each series for every step, shape (n_series, horizon)."""
    return np.repeat(panel.values[panel.bounds[1:] - 1][:, None], horizon, axis=1)
