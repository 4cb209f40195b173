"""Exponential smoothing of what remains when the season is taken out, by statsforecast."""

import numpy as np

from mantic.core.method import About, method_of_one
from mantic.core.panel import Panel
from mantic.core.season import adjusted, usable_of
from mantic.core.table import Array
from mantic.learners.series._compiled import NEEDS, core, fitting


def _suits(panel: Panel, horizon: int) -> Array:
    return np.asarray(panel.lengths >= 9)


_ABOUT = About("damped", _suits, NEEDS, "level and trend, with a season of any length", "3 to 20 ms per series")


@method_of_one(_ABOUT)
def damped(values: Array, horizon: int, panel: Panel) -> Array:
    """Return the forecast of the level or (damped) trend that fits best by AICc, with the season; shape (horizon,)."""
    smoothing = core("ets")

    def plain(level: Array, n_steps: int) -> Array:
        with fitting():
            fitted = smoothing.ets_f(level, 1, model="ZZN")
            return np.asarray(smoothing.forecast_ets(fitted, n_steps)["mean"])

    return adjusted(values, horizon, usable_of(len(values), panel.seasons), plain)
