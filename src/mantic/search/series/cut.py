"""Series as they were at an origin of the past, holes and all."""

from dataclasses import replace

import numpy as np

from mantic.core.panel import Panel
from mantic.core.table import Array
from mantic.features.series.repair import without_holes


def cut_back(panel: Panel, n_back: int, *, least: int, horizon: int) -> tuple[Panel, Array]:
    """Return what `Panel.until` does, with nothing in it that only later observations told.

    A hole was filled on the line to the observation after it. Where a series is cut in the midst of one, what lies
    before alone fills it. Sums stay as they are: a sum has a hole wherever any of its series has one.
    """
    cut, there = panel.until(n_back, least=least, horizon=horizon)
    if not n_back:
        return cut, there
    place = np.arange(len(cut.values))
    latest = np.full(len(cut), -1)
    if len(cut):
        latest = np.maximum.reduceat(np.where(np.isfinite(cut.truth), place, -1), cut.bounds[:-1])
    is_open = (latest >= 0) & (latest < cut.bounds[1:] - 1)
    is_open[: cut.n_sums] = False
    if not is_open.any():
        return cut, there
    owner = np.repeat(np.arange(len(cut)), cut.lengths)
    values = np.where(is_open[owner] & (place > latest[owner]), np.nan, cut.values)
    return replace(cut, values=without_holes(values, cut.bounds, cut.season)), there


def judged_after(panel: Panel, n_back: int, horizon: int, there: Array) -> Array:
    """Return what `Panel.after` does, NaN too where the value at the origin itself was not observed.

    A series ends with an observation, so from an origin in a hole its errors would be of steps that lie farther away.
    """
    found = panel.after(n_back, horizon, there)
    found[np.isnan(panel.truth[panel.bounds[1:][there] - n_back - 1])] = np.nan
    return found
