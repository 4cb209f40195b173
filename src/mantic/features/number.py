"""Numbers and booleans as they are, and the scale for learners that measure distances."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl

from mantic.core.table import Array
from mantic.features.piece import Role, Training

HUGE = 1e37  # trees of scikit-learn work in float32
_ROWS_FOR_QUANTILES = 20_000


@dataclass(frozen=True)
class Number:
    """A number (or boolean) column as float64; missing and infinite values are NaN."""

    role: ClassVar[Role] = Role.NUMBER
    column: int
    names: tuple[str, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Array]:
        """Return the piece and the block of these rows; nothing is learned."""
        piece = cls(column, (frame.columns[column],))
        return piece, piece.encode(frame)

    def encode(self, frame: pl.DataFrame) -> Array:
        """Return shape (n_rows, 1)."""
        series = frame.to_series(self.column)
        values = series.cast(pl.Float64).to_numpy() if series.dtype != pl.Float64 else series.to_numpy()
        return np.clip(np.where(np.isinf(values), np.nan, values), -HUGE, HUGE)[:, None]


@dataclass(frozen=True)
class Scale:
    """Clip, centre, scale and fill number columns, and flag where they were missing.

    Parameters
    ----------
    low, high : values beyond are clipped: the 1 % and 99 % quantiles, widened by their whole distance, but not beyond
        what was seen: a trend of the training rows is not carried on past them.
    middle : the median, which fills the missing.
    mean, deviation : of the clipped and filled training values.
    flagged : positions of the columns in which something was missing.
    """

    low: Array
    high: Array
    middle: Array
    mean: Array
    deviation: Array
    flagged: Array

    @classmethod
    def fit(cls, numbers: Array) -> Self:
        """Return the scale of these columns; shape (n_rows, n_columns), NaN for missing."""
        missing = np.isnan(numbers)
        step = max(1, len(numbers) // _ROWS_FOR_QUANTILES)
        part = np.sort(np.where(missing.all(axis=0), 0.0, numbers)[::step], axis=0)
        part[0] = np.where(np.isnan(part[0]), 0.0, part[0])  # a column may be missing in all the rows of the sample
        n_filled = np.maximum(1, np.count_nonzero(~np.isnan(part), axis=0))
        lower, middle, upper = (_quantile(part, n_filled, share) for share in (0.01, 0.5, 0.99))
        spread = np.where(upper > lower, upper - lower, 4 * HUGE)  # nearly constant: its rare values are the news
        low = np.maximum(lower - spread, np.nanmin(np.where(missing, np.inf, numbers), axis=0, initial=np.inf))
        high = np.minimum(upper + spread, np.nanmax(np.where(missing, -np.inf, numbers), axis=0, initial=-np.inf))
        low, high = np.where(np.isfinite(low), low, -HUGE), np.where(np.isfinite(high), high, HUGE)
        filled = np.clip(np.where(missing, middle, numbers), low, high)
        deviation = filled.std(axis=0)
        tiny = deviation <= 1e-12 * np.maximum(1e-300, np.abs(filled).max(axis=0, initial=0.0))
        return cls(
            low=low,
            high=high,
            middle=middle,
            mean=filled.mean(axis=0),
            deviation=np.where(tiny, 1.0, deviation),
            flagged=np.flatnonzero(missing.any(axis=0)),
        )

    def apply(self, numbers: Array) -> tuple[Array, Array]:
        """Return the scaled numbers, and one flag column per flagged column."""
        missing = np.isnan(numbers)
        filled = np.clip(np.where(missing, self.middle, numbers), self.low, self.high)
        return (filled - self.mean) / self.deviation, missing[:, self.flagged].astype(np.float64)


def _quantile(ordered: Array, n_filled: Array, share: float) -> Array:
    position = np.round(share * (n_filled - 1)).astype(np.int64)
    return np.asarray(ordered[position, np.arange(ordered.shape[1])])
