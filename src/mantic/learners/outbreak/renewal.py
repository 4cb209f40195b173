"""Growth renewal: the reproduction number of the last weeks goes on, and comes back to 1."""

import numpy as np

from mantic.core.curves import LEVELS, Curves
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.learners.outbreak._errors import size_of, weighted_quantiles

_GENERATION = np.array([0.7, 0.2, 0.1])  # share of infections by the steps since those who infected
_MEMORIES = (0.4, 0.6, 0.8)  # how much the latest step counts for the reproduction number
_DAMPINGS = (0.5, 0.7, 0.85, 0.95)
_PRIOR = 10.0  # cases that say as much as the growth of all together


def foresee(curves: Curves, run: Run) -> Array:
    """Return quantiles, shape (n_series, horizon, n_levels); memory and damping are those that missed least so far.

    Source: Cori et al. (2013), American Journal of Epidemiology, for the reproduction number by renewal.
    """
    best, least = None, np.inf
    for memory in _MEMORIES:
        growth = _growth(curves, memory)
        for damping in _DAMPINGS:
            paths = _ahead(curves, growth, damping)
            errors, level = _missed(curves, paths)
            usable = np.isfinite(errors)
            loss = np.average(np.abs(errors[usable]), weights=np.sqrt(level[usable]))
            if loss < least:
                best, least = (paths, errors, level), loss
    assert best is not None
    paths, errors, level = best
    found = np.empty((len(curves), curves.horizon, len(LEVELS)))
    now = paths[:, -1]
    for step in range(curves.horizon):
        usable = np.isfinite(errors[step])
        own, height = errors[step][usable], level[step][usable]
        a, b = size_of(own, height, np.ones(len(own)))
        away = weighted_quantiles(own / np.sqrt(a + b / height), np.sqrt(height))
        unit = np.sqrt(a + b / np.exp(curves.logs[:, -1]))
        found[:, step] = now[:, step, None] + unit[:, None] * away
    return curves.natural(found)


def _growth(curves: Curves, memory: float) -> Array:
    """Return the logarithm of the reproduction number at each step, moved to that of all where counts are few."""
    raised = curves.values + curves.offset[:, None]
    force = np.full_like(raised, np.nan)
    n_back = len(_GENERATION)
    force[:, n_back:] = sum(
        share * raised[:, n_back - lag : raised.shape[1] - lag] for lag, share in enumerate(_GENERATION, 1)
    )
    own: Array = np.log(raised / force)
    known = np.isfinite(own)
    weight = np.sqrt(np.where(known, raised, 0.0))
    together = (np.where(known, own, 0.0) * weight).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-9)
    share = np.where(known, raised / (raised + _PRIOR), 0.0)
    mixed = share * np.where(known, own, 0.0) + (1 - share) * together
    smooth = np.zeros_like(mixed)
    for step in range(1, mixed.shape[1]):
        smooth[:, step] = memory * mixed[:, step] + (1 - memory) * smooth[:, step - 1]
    return np.asarray(smooth)


def _ahead(curves: Curves, growth: Array, damping: float) -> Array:
    """Return logarithms of the next steps from each step, shape (n_series, n_steps, horizon)."""
    total = np.cumsum(damping ** np.arange(1, curves.horizon + 1))
    return np.asarray(curves.logs[:, :, None] + growth[:, :, None] * total)


def _missed(curves: Curves, paths: Array) -> tuple[Array, Array]:
    """Return errors and levels from which they came, each of shape (horizon, n_rows), of the past."""
    logs, horizon = curves.logs, curves.horizon
    errors, level = [], []
    for step in range(1, horizon + 1):
        missed = np.full_like(logs, np.nan)
        missed[:, 4:-step] = logs[:, step + 4 :] - paths[:, 4:-step, step - 1]
        errors.append(missed.ravel())
        level.append(np.exp(logs).ravel())
    return np.array(errors), np.array(level)
