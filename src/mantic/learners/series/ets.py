"""Exponential smoothing with a season of its own, by statsforecast."""

import numpy as np

from mantic.core.method import About, method_of_one
from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.learners.series._compiled import NEEDS, core, fitting

_LONGEST_SEASON = 12  # of 24 steps a fit takes seconds, and the compiled core refuses more
_LONGEST = 1_000  # steps


def _suits(panel: Panel, horizon: int) -> Array:
    if not 1 < panel.season <= _LONGEST_SEASON:
        return np.zeros(len(panel), dtype=bool)
    return np.asarray(panel.lengths >= max(2 * panel.season, panel.season + 10))


def _guess(panel: Panel, horizon: int) -> float:
    return 1e-3 * float(np.minimum(panel.lengths, _LONGEST).sum())


_ABOUT = About(
    "ets", _suits, NEEDS, "level, trend and a short season that change slowly", "30 to 300 ms per series", guess=_guess
)


@method_of_one(_ABOUT)
def ets(values: Array, horizon: int, panel: Panel) -> Array:
    """Return the forecast of the form of exponential smoothing that fits a series best by AICc, shape (horizon,)."""
    smoothing = core("ets")
    with fitting():
        fitted = smoothing.ets_f(values[-_LONGEST:], panel.season, model="ZZZ")
        return np.asarray(smoothing.forecast_ets(fitted, horizon)["mean"])
