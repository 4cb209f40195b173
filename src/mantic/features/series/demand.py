"""The class of demand: how often there is any, and how much it varies."""

import numpy as np

from mantic.core.panel import Panel
from mantic.core.table import Array

CLASSES = ("smooth", "erratic", "intermittent", "lumpy")
_ADI, _CV2 = 1.32, 0.49


def demand_classes(panel: Panel) -> Array:
    """Return the class of each series as a position in `CLASSES`.

    By the mean distance between values that are not 0 (1.32 steps and more: not every step has one) and by their
    squared coefficient of variation (0.49).

    Source: Syntetos, Boylan and Croston (2005), On the categorization of demand patterns.
    """
    owner = np.repeat(np.arange(len(panel)), panel.lengths)
    is_some = panel.values != 0
    owner, some = owner[is_some], panel.values[is_some]
    count = np.bincount(owner, minlength=len(panel))
    n_some = np.maximum(1, count)
    mean = np.bincount(owner, some, minlength=len(panel)) / n_some
    variance = np.bincount(owner, (some - mean[owner]) ** 2, minlength=len(panel)) / n_some
    found = 2 * (panel.lengths / n_some >= _ADI) + (variance >= _CV2 * mean**2)
    return np.asarray(np.where(count > 0, found, CLASSES.index("intermittent")))
