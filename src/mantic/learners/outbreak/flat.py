"""The latest value goes on, with the changes that there were to both sides."""

import numpy as np

from mantic.core.curves import LEVELS, Curves
from mantic.core.run import Run
from mantic.core.table import Array

_N_PATHS = 2000


def foresee(curves: Curves, run: Run) -> Array:
    """Return quantiles, shape (n_series, horizon, n_levels): sums of changes drawn from the past, made symmetric.

    Source: the baseline of the FluSight hub (Mathis et al. 2024, Nature Communications).
    """
    chance = np.random.default_rng([run.seed, 0xF1A7])
    found = np.empty((len(curves), curves.horizon, len(LEVELS)))
    for place, own in enumerate(curves.values):
        change = np.diff(own[~np.isnan(own)])
        change = np.concatenate([change, -change]) if len(change) else np.zeros(1)
        paths = own[-1] + np.cumsum(chance.choice(change, (_N_PATHS, curves.horizon)), axis=1)
        found[place] = np.quantile(paths, LEVELS, axis=0).T
        found[place] += own[-1] - found[place, :, len(LEVELS) // 2, None]
    return np.maximum(found, 0.0)
