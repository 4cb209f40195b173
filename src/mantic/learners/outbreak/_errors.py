"""How far the truth lies from what a pooled method says: wider for small counts, and with quantiles of its own."""

import numpy as np

from mantic.core.curves import LEVELS
from mantic.core.table import Array

_LEAST = 1e-3


def size_of(errors: Array, level: Array, weights: Array) -> tuple[float, float]:
    """Return a and b of a variance a + b / level, from weighted squared errors of logarithms.

    Parameters
    ----------
    errors, level, weights : shape (n_rows,); levels are above 0, in the units of the values.

    Three rounds of weighted least squares, in which each row counts as its variance asks.
    """
    squared, inverse = errors**2, 1 / level
    a, b = max(_LEAST, float(np.average(squared, weights=weights)) / 2), _LEAST
    for _ in range(5):
        w = weights / (a + b * inverse) ** 2
        s0, s1, s2 = w.sum(), (w * inverse).sum(), (w * inverse**2).sum()
        t0, t1 = (w * squared).sum(), (w * inverse * squared).sum()
        det = s0 * s2 - s1 * s1
        if det > 1e-12 * s0 * s2:
            a, b = (s2 * t0 - s1 * t1) / det, (s0 * t1 - s1 * t0) / det
        a, b = max(float(a), _LEAST), max(float(b), 0.0)
    return a, b


def weighted_quantiles(values: Array, weights: Array, levels: Array = LEVELS) -> Array:
    """Return quantiles of values that count differently, shape (n_levels,)."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    reached = (reached - weights[order] / 2) / reached[-1]
    return np.interp(levels, reached, values[order])
