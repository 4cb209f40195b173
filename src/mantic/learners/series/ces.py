"""Complex exponential smoothing, by statsforecast."""

import numpy as np

from mantic.core.method import About, method_of_one
from mantic.core.panel import Panel
from mantic.core.season import adjusted, usable_of
from mantic.core.table import Array
from mantic.learners.series._compiled import NEEDS, core, fitting


def _suits(panel: Panel, horizon: int) -> Array:
    return np.asarray(panel.lengths >= 8)


_ABOUT = About("ces", _suits, NEEDS, "a level and a trend that mix; a voice among others", "1 to 10 ms per series")


@method_of_one(_ABOUT)
def ces(values: Array, horizon: int, panel: Panel) -> Array:
    """Return the forecast of complex exponential smoothing, with the season; shape (horizon,).

    Source: Svetunkov, Kourentzes and Ord (2022), Complex exponential smoothing.
    """
    smoothing = core("ces")

    def plain(level: Array, n_steps: int) -> Array:
        with fitting():
            fitted = smoothing.auto_ces(level, 1, model="N")
            return np.asarray(smoothing.forecast_ces(fitted, n_steps)["mean"])

    return adjusted(values, horizon, usable_of(len(values), panel.seasons), plain)
