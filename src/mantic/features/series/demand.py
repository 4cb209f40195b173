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
    found = np.zeros(len(panel), dtype=np.int64)
    for place in range(len(panel)):
        values = panel.one(place)
        some = values[values != 0]
        if not len(some):
            found[place] = 2
            continue
        is_rare = len(values) / len(some) >= _ADI
        varies = float(some.var()) >= _CV2 * float(some.mean()) ** 2
        found[place] = 2 * is_rare + varies
    return found
