"""The dynamic, optimised theta method, by statsforecast."""

import numpy as np

from mantic.core.method import About, method_of_one
from mantic.core.panel import Panel
from mantic.core.season import adjusted, usable_of
from mantic.core.table import Array
from mantic.learners.series._compiled import NEEDS, core, fitting


def _suits(panel: Panel, horizon: int) -> Array:
    return np.asarray(panel.lengths >= 6)


_ABOUT = About(
    "theta", _suits, NEEDS, "short series with a trend; hard to beat on yearly data", "1 to 20 ms per series"
)


@method_of_one(_ABOUT)
def theta(values: Array, horizon: int, panel: Panel) -> Array:
    """Return the forecast of the best of four theta models, with the season; shape (horizon,).

    Source: Fiorucci et al. (2016), Models for optimising the theta method.
    """
    lines = core("theta")

    def plain(level: Array, n_steps: int) -> Array:
        with fitting():
            fitted = lines.auto_theta(level, 1)
            return np.asarray(lines.forecast_theta(fitted, n_steps)["mean"])

    return adjusted(values, horizon, usable_of(len(values), panel.seasons), plain)
