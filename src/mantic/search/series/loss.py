"""What a forecast costs: the two errors of the M4 competition, each in units of seasonal naive."""

from dataclasses import dataclass

import numpy as np

from mantic.core.table import Array

_TINY = 1e-9
_MOST = 1e6  # of scaled errors: one absurd forecast must not hide all others


@dataclass(frozen=True)
class Yardstick:
    """What one unit of loss is: the errors of seasonal naive, over all series and origins.

    Parameters
    ----------
    relative, scaled : its mean relative error (0 to 2) and its mean scaled error; above 0.
    """

    relative: float
    scaled: float

    def loss(self, truth: Array, guess: Array, scale: Array) -> Array:
        """Return the loss of each series at each origin; NaN where nothing was observed or forecast.

        Parameters
        ----------
        truth, guess : shape (n_origins, n_series, horizon).
        scale : mean absolute change over a season of each series, shape (n_series,).

        Returns
        -------
        Shape (n_origins, n_series); its mean is 1 for seasonal naive.
        """
        relative, scaled = errors(truth, guess, scale)
        return np.asarray((relative / self.relative + scaled / self.scaled) / 2)


def yardstick(truth: Array, reference: Array, scale: Array) -> Yardstick:
    """Return the unit that a reference forecast gives; see `Yardstick.loss` for shapes."""
    relative, scaled = errors(truth, reference, scale)
    return Yardstick(max(_TINY, mean(relative)), max(_TINY, mean(scaled)))


def errors(truth: Array, guess: Array, scale: Array) -> tuple[Array, Array]:
    """Return the mean relative and the mean scaled error over the steps, each of shape (n_origins, n_series)."""
    away = np.abs(truth - guess)
    relative = 2 * away / np.maximum(_TINY, np.abs(truth) + np.abs(guess))
    scaled = np.minimum(_MOST, away / scale[:, None])
    return over_steps(relative), over_steps(scaled)


def over_steps(values: Array) -> Array:
    """Return the mean over the last axis of what is there; NaN where nothing is."""
    is_there = ~np.isnan(values)
    if is_there.all():  # most panels have no gaps: a third of the time
        return np.asarray(values.sum(axis=-1) / values.shape[-1])
    count = is_there.sum(axis=-1)
    total = np.where(is_there, values, 0.0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(1, count), np.nan)


def mean(values: Array) -> float:
    """Return the mean of what is there; infinity where nothing is."""
    found = values[~np.isnan(values)]
    return float(found.mean()) if len(found) else float("inf")
