"""A finished forecast of sums and of what they are made of, moved so that all adds up, past and future."""

from dataclasses import replace

import numpy as np

from mantic.core.panel import Panel
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.features.series.hierarchy import Hierarchy
from mantic.search.series.coherent import (
    Coherent,
    Past,
    chosen,
    moments,
    n_draws,
    projection,
    squared_scale,
)
from mantic.search.series.foretell import Told
from mantic.search.series.foretold import Foretold, with_rare
from mantic.search.series.paths import GRID, normal_scores, walking

_SHARE = 0.3  # of what is left, for the paths of the future
_FEWER, _LEAST_BEFORE = 4, 40  # times fewer paths for what was said of the past, which is only judged


def added_up(told: Told, panel: Panel, hierarchy: Hierarchy, run: Run) -> Told:
    """Return what a search ends with, so that all adds up.

    What is said of an origin of the past does not know its errors: neither how to add up, nor how wide, nor what goes
    together.
    """
    truth, missed = told.found.truth, told.found.truth - told.past
    past = Past(truth, told.past, squared_scale(panel))
    name, losses, reason = chosen(hierarchy, past, run)
    scores = normal_scores(told.spread, missed, told.found.start.backs)
    none, n_paths = np.empty(0), n_draws(told.forecast.size, _SHARE * run.deadline.left())
    n_before = max(_LEAST_BEFORE, n_paths // _FEWER)

    def made(seen: Past, base: Array, scores: Array) -> Coherent:
        back = projection(name, hierarchy, seen)
        return Coherent(hierarchy, name, losses, reason, back, moments(scores), base, none, none)

    marginals = with_rare(told.spread.quantiles(told.forecast, GRID), told.rare, GRID)
    coherent = made(past, told.forecast, scores).spread_out(told.together, marginals, panel, n=n_paths)
    moved, at = told.past.copy(), []
    if told.found.start.backs:
        before = told.past_marginals(panel, GRID, np.arange(len(panel)))
        for origin, guess in enumerate(told.past):
            is_there = np.isfinite(guess)
            others = np.delete(scores, origin, axis=0)
            one = made(past.without(origin), np.nan_to_num(guess), others)  # what had not begun was 0
            one = one.spread_out(told.together, np.nan_to_num(before[origin]), panel, n=n_before)
            at.append(replace(one, values=np.where(is_there[..., None], one.values, np.nan)))
            moved[origin] = np.where(is_there, one.forecast(panel), np.nan)
    return replace(told, forecast=coherent.forecast(panel), past=moved, coherent=coherent, coherent_past=tuple(at))


def added_up_again(told: Foretold, run: Run) -> Foretold:
    """Return a forecast whose nodes were forecast anew, so that all adds up as before."""
    if told.coherent is None:
        return told
    anew = replace(told, coherent=replace(told.coherent, base=told.forecast))
    assert anew.coherent is not None
    n_paths = n_draws(told.forecast.size, _SHARE * run.deadline.left())
    together = told.together or walking(told.horizon)
    coherent = anew.coherent.spread_out(together, anew.marginals(GRID), told.panel, n=n_paths)
    return replace(anew, coherent=coherent, forecast=coherent.forecast(told.panel))
