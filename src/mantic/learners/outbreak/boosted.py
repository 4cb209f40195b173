"""Boosted trees with quantile loss over all series and steps, by LightGBM."""

import numpy as np

from mantic.core.curves import LEVELS, Curves
from mantic.core.lazy import need
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.learners.outbreak._shape import shape_of

_ASKED = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
_ROUNDS = 80
_PARAMS = {
    "objective": "quantile", "num_leaves": 12, "learning_rate": 0.07, "min_data_in_leaf": 60, "feature_fraction": 0.6,
    "bagging_fraction": 0.6, "bagging_freq": 1, "lambda_l2": 1.0, "verbosity": -1, "max_bin": 63,
    "deterministic": True, "force_row_wise": True,
}  # fmt: skip


def foresee(curves: Curves, run: Run) -> Array:
    """Return quantiles, shape (n_series, horizon, n_levels); those between and beyond are read off a normal scale."""
    lightgbm = need("lightgbm", why="boosting of outbreaks")
    seen, _ = shape_of(curves)
    logs, horizon = curves.logs, curves.horizon
    seen = np.concatenate([seen, logs[..., None]], axis=-1)
    numbers, target, weight = [], [], []
    for step in range(1, horizon + 1):
        grown = logs[:, step:] - logs[:, :-step]
        own = seen[:, :-step]
        is_row = np.isfinite(grown) & np.isfinite(own).all(axis=-1)
        level = np.exp(logs[:, :-step][is_row])
        numbers.append(np.column_stack([own[is_row], np.full(is_row.sum(), step)]))
        unit = np.sqrt(step * (0.02 + 1 / level))
        target.append(grown[is_row] / unit)
        weight.append(np.sqrt(level / (level + 20)))
    columns, own_weight = np.concatenate(numbers), np.concatenate(weight)
    rows = lightgbm.Dataset(columns, np.concatenate(target), weight=own_weight, params=_PARAMS)
    rows.construct()
    found = np.empty((len(curves), horizon, len(_ASKED)))
    for place, level in enumerate(_ASKED):
        params = _PARAMS | {"alpha": float(level), "seed": run.seed + place, "num_threads": run.threads}
        trees = lightgbm.train(params, rows, num_boost_round=_ROUNDS)
        for step in range(1, horizon + 1):
            asked = np.column_stack([seen[:, -1], np.full(len(curves), step)])
            unit = np.sqrt(step * (0.02 + 1 / np.exp(logs[:, -1])))
            found[:, step - 1, place] = logs[:, -1] + unit * np.asarray(trees.predict(asked))
    found.sort(axis=-1)
    return curves.natural(_between(found))


def _between(found: Array) -> Array:
    """Return quantiles at all levels: straight lines on the scale of a normal distribution, going on at the ends."""
    from statistics import NormalDist

    z = np.array([NormalDist().inv_cdf(float(one)) for one in LEVELS])
    known = np.array([NormalDist().inv_cdf(float(one)) for one in _ASKED])
    place = np.clip(np.searchsorted(known, z) - 1, 0, len(known) - 2)
    share = (z - known[place]) / (known[place + 1] - known[place])
    return np.asarray(found[..., place] * (1 - share) + found[..., place + 1] * share)
