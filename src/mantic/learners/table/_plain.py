"""Ridge and logistic regression in NumPy alone: less exact than scikit-learn's, and there before that is loaded."""

from typing import Any

import numpy as np

from mantic.core.run import Run
from mantic.core.table import Array

_LEAST_STEPS, _MOST_STEPS = 10, 150  # ten steps take a moment, and none would say nothing
_LEAST_GAIN = 1e-5  # of the loss per row
_ROUNDS = 15  # for the largest curvature of sparse columns


def ridge(rows: Any, values: Array, alpha: float) -> tuple[Array, float]:
    """Return weights, shape (n_columns,), and the base, which is not penalised; sparse rows by conjugate gradients.

    >>> weights, base = ridge(np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 5.0]), 1e-9)
    >>> weights.round(3).tolist(), round(base, 3)
    ([2.0], 1.0)
    """
    wanted = values - values.mean()
    if not isinstance(rows, np.ndarray):
        weights = _conjugate(rows, rows.T @ wanted, alpha)
        return weights, float((values - rows @ weights).mean())
    middle = rows.mean(axis=0)
    centred = rows - middle
    weights = np.linalg.solve(_bend(centred, alpha), centred.T @ wanted)
    return weights, float(values.mean() - middle @ weights)


def logistic(rows: Any, codes: Array, strength: float, run: Run) -> tuple[Array, Array]:
    """Return weights, shape (n_classes, n_columns), and bases, shape (n_classes,), for codes 0, 1, ...

    Each step uses one bound on the curvature that holds everywhere: a matrix for dense rows, a number for sparse ones.
    Stops at `run.deadline` with what it has, after a few steps.
    Sources: Böhning (1992), Multinomial Logistic Regression Algorithm; Nesterov (1983) for the momentum.

    >>> weights, base = logistic(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]), 1.0, Run())
    >>> bool(weights[1, 0] > 0 > weights[0, 0])
    True
    """
    middle = np.zeros(rows.shape[1])
    if isinstance(rows, np.ndarray):
        middle = rows.mean(axis=0)
        rows = rows - middle
        step = np.linalg.inv(_bend(rows, 2.0 / strength) / 2)
    else:
        step = np.eye(1) / (_largest(rows) / 2 + 1.0 / strength)
    truth = np.eye(int(codes.max()) + 1)[codes]
    weights, base = np.zeros((truth.shape[1], rows.shape[1])), np.log(truth.mean(axis=0))
    ahead, pace, before = weights, 1.0, np.inf
    for done in range(_MOST_STEPS):
        chance = _chance(np.asarray(rows @ ahead.T) + base)
        loss = float(-np.log(np.maximum(chance[truth > 0], 1e-15)).mean())
        if abs(before - loss) < _LEAST_GAIN or (done >= _LEAST_STEPS and run.deadline.passed):
            break
        before, wrong = loss, chance - truth
        slope = np.asarray(rows.T @ wrong).T + ahead / strength
        moved = ahead - (slope @ step if step.size > 1 else slope * step[0, 0])
        faster = (1 + (1 + 4 * pace**2) ** 0.5) / 2
        ahead, weights, pace = moved + (pace - 1) / faster * (moved - weights), moved, faster
        base = base - 2 * wrong.mean(axis=0)
    return weights, base - weights @ middle


def _conjugate(rows: Any, wanted: Array, alpha: float) -> Array:
    """Solve (rows' rows + alpha) weights = wanted. Source: Hestenes and Stiefel (1952)."""
    weights, rest = np.zeros(len(wanted)), np.asarray(wanted, dtype=np.float64)
    along, size = rest, rest @ rest
    end = 1e-6 * size
    for _ in range(_MOST_STEPS):
        if size <= end:
            break
        bent = rows.T @ (rows @ along) + alpha * along
        reach = size / (along @ bent)
        weights, rest = weights + reach * along, rest - reach * bent
        before, size = size, rest @ rest
        along = rest + size / before * along
    return weights


def _chance(margin: Array) -> Array:
    power = np.exp(margin - margin.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def _largest(rows: Any) -> float:
    """Return the largest curvature of rows' squares, a little more than it is, by the power method."""
    along = np.ones(rows.shape[1])
    for _ in range(_ROUNDS):
        along = np.asarray(rows.T @ (rows @ (along / (np.linalg.norm(along) or 1.0))))
    return 1.1 * float(np.linalg.norm(along)) + 1e-9


def _bend(centred: Array, alpha: float) -> Array:
    """Return the matrix of squares and products with a penalty; a little one in any case, so that it has an inverse."""
    squares = centred.T @ centred
    return np.asarray(squares + (alpha + 1e-9 * np.trace(squares) + 1e-12) * np.eye(len(squares)))
