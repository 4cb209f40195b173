"""How much of the target one column tells by itself, on rows not learned from."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from mantic.core.schema import Column, Kind
from mantic.core.table import Array, Target

_MOST_BINS = 64
_ROWS_PER_BIN = 10
_PRIOR_ROWS = 0.5  # that a slot is drawn to the usual
_LEAST_SHARE = 1e-6  # a probability below says no more than "never seen"


@dataclass(frozen=True)
class Halves:
    """Rows that learn and rows that judge: positions."""

    learn: Array
    judge: Array


def evened(target: Target) -> Target:
    """Return class codes as they are, and numbers as their ranks from 0 to 1: then no long tail rules the skill.

    >>> evened(Target(np.array([5.0, 1000.0, 7.0]))).values.tolist()
    [0.0, 1.0, 0.5]
    """
    if target.is_classes or not len(target):
        return target
    _, place, counts = np.unique(target.values, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    return Target(middle[place.reshape(-1)] / max(1, len(target) - 1))


def explained(target: Target, guess: Array, usual: Array) -> float:
    """Return the share of the target that a guess explains, 0 (or less) to 1.

    R2 for numbers, for classes the share of the deviance (McFadden, 1974).

    Parameters
    ----------
    guess : values (n_rows,), or probabilities (n_rows, n_classes).
    usual : what is said without looking at any column: the mean, or the share of each class.
    """
    truth = target.values
    if not target.is_classes:
        spread = float(((truth - usual) ** 2).sum())
        return 1 - float(((truth - guess) ** 2).sum()) / spread if spread else 0.0
    codes = truth.astype(np.int64)
    said = np.log(np.clip(guess[np.arange(len(codes)), codes], _LEAST_SHARE, 1)).sum()
    base = np.log(np.clip(usual[codes], _LEAST_SHARE, 1)).sum()
    return float(1 - said / base) if base else 0.0


def usual_of(target: Target) -> Array:
    """Return the mean, or the share of each class, of these rows."""
    if not target.is_classes:
        return np.asarray(target.values.mean())
    return np.bincount(target.values.astype(np.int64), minlength=target.n_classes) / len(target)


@dataclass(frozen=True)
class Slots:
    """A column cut into slots: equal shares of the rows for numbers and dates, levels for the rest, 0 for missing."""

    codes: Array
    n_slots: int

    @classmethod
    def of(cls, series: pl.Series, column: Column, learn: Array) -> "Slots":
        """Cut an aligned column; the edges come from the learning rows."""
        if column.kind in (Kind.NUMBER, Kind.DATE):
            return cls.of_numbers(numbers_of(series), learn)
        codes = series.cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)
        return cls(codes, int(codes.max(initial=0)) + 1)

    @classmethod
    def of_numbers(cls, values: Array, learn: Array) -> "Slots":
        """Cut numbers; NaN is missing."""
        known = values[learn]
        known = np.sort(known[np.isfinite(known)])
        if not len(known):
            return cls(np.zeros(len(values), dtype=np.int64), 1)
        n_bins = int(np.clip(len(known) // _ROWS_PER_BIN, 4, _MOST_BINS))
        edges = np.unique(known[np.linspace(0, len(known) - 1, n_bins + 1).round().astype(np.int64)[1:]])
        codes = np.where(np.isnan(values), 0, 1 + np.searchsorted(edges, values))
        return cls(codes, len(edges) + 2)


def numbers_of(series: pl.Series) -> Array:
    """Return numbers, dates (days) and booleans as float64, NaN where missing."""
    if series.dtype.is_temporal():
        return (series.cast(pl.Int64).cast(pl.Float64) / 86_400e6).to_numpy()
    return series.cast(pl.Float64).to_numpy()


def power(slots: Slots, target: Target, halves: Halves) -> float:
    """Return what one column explains of the target on the judging half, learned as a mean per slot on the other.

    >>> place = Slots(np.array([1, 2] * 50), 3)
    >>> round(power(place, Target(np.array([0.0, 1.0] * 50)), Halves(np.arange(50), np.arange(50, 100))), 2)
    1.0
    """
    learned, judged = target.rows(halves.learn), target.rows(halves.judge)
    usual = usual_of(learned)
    guess = guess_of(slots, learned, usual, halves)
    return explained(judged, guess, usual)


def guess_of(slots: Slots, learned: Target, usual: Array, halves: Halves) -> Array:
    """Return what the slots say of the judging half: means, or shares of the classes, drawn a little to the usual."""
    codes = slots.codes[halves.learn]
    n = np.bincount(codes, minlength=slots.n_slots) + _PRIOR_ROWS
    judged = slots.codes[halves.judge]
    if not learned.is_classes:
        total = np.bincount(codes, weights=learned.values, minlength=slots.n_slots)
        return np.asarray(((total + _PRIOR_ROWS * usual) / n)[judged])
    k = learned.n_classes
    pair = codes * k + learned.values.astype(np.int64)
    counts = np.bincount(pair, minlength=slots.n_slots * k).reshape(-1, k)
    return np.asarray(((counts + _PRIOR_ROWS * usual) / n[:, None])[judged])
