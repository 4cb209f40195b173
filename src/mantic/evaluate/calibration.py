"""Whether a stated probability happens as often as it says."""

from dataclasses import dataclass

import numpy as np

from mantic.core.table import Array
from mantic.evaluate.intervals import wilson


@dataclass(frozen=True)
class Bin:
    """Rows of about the same stated probability.

    Parameters
    ----------
    stated : their mean stated probability, 0 to 1.
    happened, low, high : the share in which it happened, with a 95 % interval (Wilson).
    n_rows : how many they are.
    """

    stated: float
    happened: float
    low: float
    high: float
    n_rows: int


def confidence(truth: Array, guess: Array) -> tuple[Array, Array]:
    """Return what is checked for calibration: what happened (bool) and the stated probability, both (n_rows,).

    Of class 1 when there are two; else of the likeliest class.

    >>> confidence(np.array([2]), np.array([[0.2, 0.2, 0.6]]))
    (array([ True]), array([0.6]))
    """
    if guess.shape[1] == 2:
        return truth == 1, guess[:, 1]
    return guess.argmax(axis=1) == truth, guess.max(axis=1)


def reliability(happened: Array, stated: Array, *, n_bins: int = 10) -> list[Bin]:
    """Return bins of equal mass by stated probability, ascending; fewer where many rows state the same.

    >>> bins = reliability(np.array([0, 0, 1, 1]), np.array([0.1, 0.1, 0.9, 0.9]), n_bins=2)
    >>> [one.happened for one in bins]
    [0.0, 1.0]
    """
    place = _places(stated, n_bins)
    bins = []
    for number in np.unique(place):
        inside = place == number
        n_rows = int(inside.sum())
        share = float(np.mean(happened[inside]))
        low, high = wilson(share, n_rows)
        bins.append(Bin(float(stated[inside].mean()), share, low, high, n_rows))
    return bins


def calibration_error(truth: Array, guess: Array, *, n_bins: int = 15) -> float:
    """Return the expected calibration error: the mean gap of stated and happened, 0 to 1, over bins of equal mass.

    Parameters
    ----------
    truth, guess : codes (n_rows,) and probabilities (n_rows, n_classes).

    Source: Naeini, Cooper, Hauskrecht (2015), Obtaining Well Calibrated Probabilities Using Bayesian Binning; equal
    mass as in Nguyen and O'Connor (2015).

    >>> guess = np.array([[0.9, 0.1], [0.1, 0.9]])
    >>> round(calibration_error(np.array([0, 1]), guess, n_bins=2), 6)
    0.1
    """
    happened, stated = confidence(truth, guess)
    bins = reliability(happened, stated, n_bins=n_bins)
    return float(sum(abs(one.stated - one.happened) * one.n_rows for one in bins) / len(truth))


def _places(stated: Array, n_bins: int) -> Array:
    n_bins = max(1, min(n_bins, len(stated)))
    cuts = np.linspace(0, 1, n_bins + 1)[1:-1]
    edges = np.unique(np.quantile(stated, cuts, method="lower"))
    return np.searchsorted(edges, stated, side="left")
