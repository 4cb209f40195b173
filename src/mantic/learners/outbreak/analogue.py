"""Analogue seasons: what came after the stretches of all series that looked most like now."""

import numpy as np

from mantic.core.curves import LEVELS, Curves
from mantic.core.run import Run
from mantic.core.table import Array
from mantic.learners.outbreak._errors import weighted_quantiles
from mantic.learners.outbreak._shape import shape_of

N_NEAREST = 400
SCALES = {
    "growth 0": 0.25, "growth 1": 0.35, "growth 2": 0.5, "growth of all 0": 0.15, "growth of all 1": 0.2,
    "under peak": 1.0, "all under peak": 0.8, "level": 1.0, "phase": 0.06,
}  # fmt: skip


def foresee(curves: Curves, run: Run) -> Array:
    """Return quantiles, shape (n_series, horizon, n_levels)."""
    seen, names = shape_of(curves)
    logs, horizon = curves.logs, curves.horizon
    own = np.stack([seen[..., names.index(one)] / scale for one, scale in SCALES.items() if one in names], axis=-1)
    n_series, n_steps = logs.shape
    angle = 2 * np.pi * np.tile(curves.phase[:n_steps], (n_series, 1))
    circle = np.stack([np.sin(angle), np.cos(angle)], axis=-1) / (2 * np.pi * SCALES["phase"])
    own = np.concatenate([own, logs[..., None] / SCALES["level"], circle], axis=-1)
    is_row: Array = np.asarray(np.isfinite(own).all(axis=-1))
    is_row[:, n_steps - horizon :] = False
    row, column = np.nonzero(is_row)
    past = own[is_row]
    away = np.stack([logs[row, column + step] - logs[row, column] for step in range(1, horizon + 1)], axis=1)
    found = np.empty((n_series, horizon, len(LEVELS)))
    for place in range(n_series):
        distance = ((past - own[place, -1]) ** 2).sum(axis=1)
        nearest = np.argpartition(distance, min(N_NEAREST, len(distance) - 1))[:N_NEAREST]
        near = distance[nearest]
        weights = np.exp(-0.5 * (near - near.min()) / max(float(np.median(near - near.min())), 1e-9))
        for step in range(horizon):
            found[place, step] = logs[place, -1] + weighted_quantiles(away[nearest, step], weights)
    return curves.natural(found)
