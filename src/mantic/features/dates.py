"""Dates: the day, its parts, their cycles, and the days between two dates."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import polars as pl

from mantic.core.table import Array
from mantic.features.piece import Role, Training

_DAY = 86_400_000_000  # microseconds
_PARTS = ("day", "year", "month", "weekday", "day of the year")


def date_parts(moments: Array) -> Array:
    """Return day since 1970, year, month 1-12, weekday 0-6 (Monday is 0), day of the year, hour; NaN where missing.

    Parameters
    ----------
    moments : datetime64[us], shape (n_rows,).

    >>> date_parts(np.array(["2024-02-29T06:30"], dtype="datetime64[us]")).tolist()
    [[19782.0, 2024.0, 2.0, 3.0, 60.0, 6.5]]
    """
    missing = np.isnat(moments)
    moments = np.where(missing, np.datetime64(0, "us"), moments)
    days = moments.astype("datetime64[D]")
    day = days.astype(np.int64)
    months = moments.astype("datetime64[M]").astype(np.int64)
    year = months // 12
    first = (year.astype("datetime64[Y]")).astype("datetime64[D]").astype(np.int64)
    hour = (moments.astype(np.int64) % _DAY) / (_DAY / 24)
    parts = np.column_stack([day, year + 1970, months % 12 + 1, (day + 3) % 7, day - first + 1, hour]).astype(
        np.float64
    )
    parts[missing] = np.nan
    return parts


def _moments(frame: pl.DataFrame, column: int) -> Array:
    return frame.to_series(column).to_numpy().astype("datetime64[us]")


@dataclass(frozen=True)
class DateParts:
    """A date as its day and parts; the hour only where a clock was seen."""

    role: ClassVar[Role] = Role.NUMBER
    column: int
    names: tuple[str, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Array]:
        """Return the piece and the parts of these rows."""
        parts, name = date_parts(_moments(frame, column)), frame.columns[column]
        names = tuple(f"{part} of {name}" for part in _PARTS)
        if (np.nan_to_num(parts[:, -1]) != 0).any():
            names += (f"hour of {name}",)
        return cls(column, names), parts[:, : len(names)]

    def encode(self, frame: pl.DataFrame) -> Array:
        """Return shape (n_rows, 5 or 6)."""
        return date_parts(_moments(frame, self.column))[:, : len(self.names)]


@dataclass(frozen=True)
class DateCycles:
    """A date as its day, and sine and cosine of where it lies in its year, week and (where a clock was seen) day."""

    role: ClassVar[Role] = Role.NUMBER
    column: int
    names: tuple[str, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Array]:
        """Return the piece and the cycles of these rows."""
        name = frame.columns[column]
        has_clock = (np.nan_to_num(date_parts(_moments(frame, column))[:, -1]) != 0).any()
        cycles = ("year", "week", "day") if has_clock else ("year", "week")
        waves = tuple(f"{wave} of the {cycle} of {name}" for cycle in cycles for wave in ("sine", "cosine"))
        piece = cls(column, (f"day of {name}", *waves))
        return piece, piece.encode(frame)

    def encode(self, frame: pl.DataFrame) -> Array:
        """Return shape (n_rows, 5 or 7)."""
        day, _, _, weekday, of_year, hour = date_parts(_moments(frame, self.column)).T
        turns = (of_year / 365.25, weekday / 7, hour / 24)
        waves = [wave(2 * np.pi * turn) for turn in turns for wave in (np.sin, np.cos)]
        return np.column_stack([day, *waves])[:, : len(self.names)]


@dataclass(frozen=True)
class DaysBetween:
    """Days from another date column to this one."""

    role: ClassVar[Role] = Role.NUMBER
    column: int
    names: tuple[str, ...]
    other: int

    @classmethod
    def of(cls, frame: pl.DataFrame, column: int, other: int) -> Self:
        """Return the piece; nothing is learned."""
        return cls(column, (f"days from {frame.columns[other]} to {frame.columns[column]}",), other)

    def encode(self, frame: pl.DataFrame) -> Array:
        """Return shape (n_rows, 1); NaN where either is missing."""
        gap = _moments(frame, self.column) - _moments(frame, self.other)
        return np.where(np.isnat(gap), np.nan, gap.astype(np.int64) / _DAY)[:, None]
