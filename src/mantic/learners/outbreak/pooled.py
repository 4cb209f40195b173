"""Pooled autoregression: one ridge for all series tells how the logarithm goes on, step by step."""

import numpy as np

from mantic.core.curves import LEVELS, Curves
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.learners.outbreak._errors import size_of, weighted_quantiles
from mantic.learners.outbreak._shape import shape_of

RIDGE = 30.0  # in rows
HALF_LIFE = 104.0  # steps after which a row counts half


def foresee(curves: Curves, run: Run) -> Array:
    """Return quantiles, shape (n_series, horizon, n_levels)."""
    seen, _ = shape_of(curves)
    logs = curves.logs
    found = np.empty((len(curves), curves.horizon, len(LEVELS)))
    for step in range(1, curves.horizon + 1):
        found[:, step - 1] = _at(curves, seen, logs, step)
    return found


def _at(curves: Curves, seen: Array, logs: Array, step: int) -> Array:
    n_steps = curves.n_steps
    target = np.full_like(logs, np.nan)
    target[:, :-step] = logs[:, step:] - logs[:, :-step]
    is_row = np.isfinite(target) & np.isfinite(seen).all(axis=-1)
    _, column = np.nonzero(is_row)
    numbers, y = seen[is_row], target[is_row]
    level = np.exp(logs[is_row])
    age = n_steps - 1 - column
    recent = 0.5 ** (age / HALF_LIFE)
    mean, sd = numbers.mean(axis=0), numbers.std(axis=0) + 1e-9
    x = np.column_stack([np.ones(len(y)), (numbers - mean) / sd])
    a, b, beta = 0.1, 1.0, np.zeros(x.shape[1])
    for _ in range(3):
        w = recent / (a + b / level)
        lhs = (x * w[:, None]).T @ x + RIDGE * w.mean() * np.diag([0.0, *np.ones(x.shape[1] - 1)])
        beta = np.linalg.solve(lhs, (x * w[:, None]).T @ y)
        left = y - x @ beta
        a, b = size_of(left, level, recent)
    low, high = np.quantile(x[:, 1:], (0.002, 0.998), axis=0)
    now = np.column_stack([np.ones(len(curves)), np.clip((seen[:, -1] - mean) / sd, low, high)])
    middle = logs[:, -1] + now @ beta
    unit = np.sqrt(a + b / np.exp(logs[:, -1]))
    weight = recent / (1 + (level / np.median(level)) ** -1)
    away = weighted_quantiles(left / np.sqrt(a + b / level), weight)
    return curves.natural(middle[:, None] + unit[:, None] * away)
