"""What a pooled learner sees of a series is its own, whatever stands beside it."""

import numpy as np

from mantic.core.calendar import Calendar
from mantic.core.panel import Panel
from mantic.learners.series._lags import Asked, Lags

LENGTH = 100


def seen(series: list[np.ndarray], place: int) -> np.ndarray:
    """Return the features of one of these series."""
    flat = np.concatenate(series)
    bounds, last = np.arange(len(series) + 1) * LENGTH, np.full(len(series), LENGTH - 1)
    panel = Panel(flat, flat, bounds, last, Calendar.named("D"), (7,), np.zeros((flat.size, 0)))
    steps = np.arange(1, 15)
    return Lags(panel).see(Asked(np.full(14, place), np.full(14, LENGTH), steps)).numbers


def test_a_series_after_one_that_is_far_larger_is_seen_as_if_it_were_alone():
    chance = np.random.default_rng(0)
    small = 5 + chance.normal(size=LENGTH)
    large = 1e15 * (2 + chance.normal(size=LENGTH))

    np.testing.assert_allclose(seen([large, small], 1), seen([small], 0), rtol=1e-5)
    np.testing.assert_allclose(seen([small, np.zeros(LENGTH), large], 2), seen([large], 0), rtol=1e-5)
