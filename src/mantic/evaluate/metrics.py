"""The metrics by name. Each is written once, as something that many weightings of the rows can be asked of."""

from collections.abc import Callable

import numpy as np

from mantic.core.metric import METRICS, Metric
from mantic.core.table import Array
from mantic.evaluate.prepared import Means, Prepared, first
from mantic.evaluate.rank import area, median, one_against_rest, precision_over_recall

PREPARE: dict[str, Callable[[Array, Array], Prepared]] = {}
"""By name: from truth and guess to a function of weights; see `mantic.evaluate.prepared`."""

_TINY = float(np.finfo(np.float64).eps)


def log_loss_rows(truth: Array, guess: Array) -> Array:
    """Return minus the log of the probability given to the true class, shape (n_rows,).

    >>> log_loss_rows(np.array([1]), np.array([[0.5, 0.5]])).round(3)
    array([0.693])
    """
    return np.asarray(-np.log(np.clip(guess[np.arange(len(truth)), truth], _TINY, 1.0)))


def correct_rows(truth: Array, guess: Array) -> Array:
    """Return 1.0 where the likeliest class is the true one, else 0.0; shape (n_rows,)."""
    return np.asarray((guess.argmax(axis=1) == truth).astype(float))


def brier_rows(truth: Array, guess: Array) -> Array:
    """Return squared distances between probabilities and what happened; of class 1 alone when there are two."""
    if guess.shape[1] == 2:
        return np.asarray((guess[:, 1] - truth) ** 2)
    return np.asarray((guess**2).sum(axis=1) - 2 * guess[np.arange(len(truth)), truth] + 1.0)


def squared_rows(truth: Array, guess: Array) -> Array:
    """Return squared errors, shape (n_rows,)."""
    return np.asarray((truth - guess) ** 2)


def absolute_rows(truth: Array, guess: Array) -> Array:
    """Return absolute errors, shape (n_rows,)."""
    return np.asarray(np.abs(truth - guess))


def share_rows(truth: Array, guess: Array) -> Array:
    """Return absolute errors as shares of the truth's size, shape (n_rows,)."""
    return np.asarray(np.abs(truth - guess) / np.maximum(np.abs(truth), _TINY))


def _counts(truth: Array, guess: Array) -> Array:
    """Return whether each class is hit, true and called in each row, side by side; shape (n_rows, 3 * n_classes)."""
    n_classes = guess.shape[1]
    true = np.eye(n_classes)[truth]
    called = np.eye(n_classes)[guess.argmax(axis=1)]
    return np.concatenate([true * called, true, called], axis=1)


def _recall_mean(means: Array) -> Array:
    hit, true, _ = np.split(means, 3, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nanmean(hit / true, axis=-1))


def _f1_of_one(means: Array) -> Array:
    hit, true, called = np.split(means, 3, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nan_to_num(2 * hit / (true + called))[..., 1])


def _f1_mean(means: Array) -> Array:
    hit, true, called = np.split(means, 3, axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.nanmean(2 * hit / (true + called), axis=-1))


def _correlation(means: Array) -> Array:
    hit, true, called = np.split(means, 3, axis=-1)
    covariance = hit.sum(axis=-1) - (true * called).sum(axis=-1)
    spread = (1 - (true**2).sum(axis=-1)) * (1 - (called**2).sum(axis=-1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(spread > _TINY, covariance / np.sqrt(np.maximum(spread, 0)), 0.0))


def _squares(truth: Array, guess: Array) -> Array:
    centred = truth - truth.mean()
    return np.stack([squared_rows(truth, guess), centred, centred**2], axis=1)


def _explained(means: Array) -> Array:
    error, centre, square = means[..., 0], means[..., 1], means[..., 2]
    spread = square - centre**2
    flat = np.where(error > 0, 0.0, 1.0)  # as scikit-learn: a constant truth is explained or it is not
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(spread > 0, 1 - error / spread, flat))


def _mean_of(rows: Callable[[Array, Array], Array]) -> Callable[[Array, Array], Prepared]:
    return lambda truth, guess: Means(rows(truth, guess)[:, None], first)


def _root(mean: Array) -> Array:
    return np.asarray(np.sqrt(mean))


def _prepare_f1(truth: Array, guess: Array) -> Prepared:
    return Means(_counts(truth, guess), _f1_of_one if guess.shape[1] == 2 else _f1_mean)


def _enter(name: str, task: str, prepare: Callable[[Array, Array], Prepared], *, higher: bool, unit: str = "") -> None:
    """Enter a metric whose function scores one weighting of what `prepare` makes."""

    def function(truth: Array, guess: Array, weight: Array | None) -> float:
        """Return the score; equal weights when `weight` is None."""
        weights = np.ones(len(truth)) if weight is None else np.asarray(weight, dtype=float)
        return float(prepare(truth, guess)(weights[None, :])[0])

    PREPARE[name] = prepare
    rows, finish = _ROWS.get(name, (None, None))
    METRICS.add(name, Metric(name, task, function, higher, unit=unit, per_row=rows, finish=finish))


_ROWS: dict[str, tuple[Callable[[Array, Array], Array], Callable[[Array], Array] | None]] = {
    "log_loss": (log_loss_rows, None),
    "accuracy": (correct_rows, None),
    "brier": (brier_rows, None),
    "rmse": (squared_rows, _root),
    "mae": (absolute_rows, None),
    "mape": (share_rows, None),
}

_enter("log_loss", "classify", _mean_of(log_loss_rows), higher=False)
_enter("roc_auc", "classify", lambda truth, guess: one_against_rest(area, truth, guess), higher=True)
_enter(
    "average_precision",
    "classify",
    lambda truth, guess: one_against_rest(precision_over_recall, truth, guess),
    higher=True,
)
_enter("accuracy", "classify", _mean_of(correct_rows), higher=True)
_enter("balanced_accuracy", "classify", lambda truth, guess: Means(_counts(truth, guess), _recall_mean), higher=True)
_enter("f1", "classify", _prepare_f1, higher=True)
_enter("brier", "classify", _mean_of(brier_rows), higher=False)
_enter("mcc", "classify", lambda truth, guess: Means(_counts(truth, guess), _correlation), higher=True)
_enter(
    "rmse",
    "regress",
    lambda truth, guess: Means(squared_rows(truth, guess)[:, None], lambda means: _root(first(means))),
    higher=False,
    unit="target",
)
_enter("mae", "regress", _mean_of(absolute_rows), higher=False, unit="target")
_enter("median_ae", "regress", lambda truth, guess: median(absolute_rows(truth, guess)), higher=False, unit="target")
_enter("r2", "regress", lambda truth, guess: Means(_squares(truth, guess), _explained), higher=True)
_enter("mape", "regress", _mean_of(share_rows), higher=False)


def metrics_of(task: str) -> list[Metric]:
    """Return the metrics of a task, "classify" or "regress", in the order of this file.

    >>> [metric.name for metric in metrics_of("regress")][:2]
    ['rmse', 'mae']
    """
    return [METRICS.get(name) for name in PREPARE if METRICS.get(name).task == task]
