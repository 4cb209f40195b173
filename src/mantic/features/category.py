"""Categories: codes, flags, what the target was for each level, and sparse levels."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl

from mantic.core.lazy import need
from mantic.core.table import Array, Target
from mantic.features.piece import Role, Training

FEW_LEVELS = 32
_RARE = 3  # a level seen less often teaches nothing of its own
_CLASSES_ENCODED = 10
_PRIOR_ROWS = 10.0  # a level's mean counts as much as the prior's when it has this many rows


def level_counts(series: pl.Series) -> tuple[tuple[str, ...], Array]:
    """Return the levels, commonest first and by name among equals, and how often each was seen.

    >>> level_counts(pl.Series(["b", "a", None, "b"]))
    (('b', 'a'), array([2, 1]))
    """
    table = series.cast(pl.String).alias("level").drop_nulls().value_counts(name="n")
    table = table.sort(["n", "level"], descending=[True, False])
    return tuple(table["level"]), table["n"].to_numpy().astype(np.int64)


class _Levels:
    """Known levels of a column and the code of each."""

    column: int
    levels: tuple[str, ...]

    @cached_property
    def _known(self) -> pl.Enum:
        return pl.Enum(self.levels)

    def _codes(self, frame: pl.DataFrame) -> Array:
        """Return the position of each value in `levels`; NaN for missing and unknown."""
        series = frame.to_series(self.column)
        if series.dtype != pl.String:
            series = series.cast(pl.String)
        return series.cast(self._known, strict=False).to_physical().cast(pl.Float64).to_numpy()

    def _slots(self, frame: pl.DataFrame) -> Array:
        """Return whole numbers: as `_codes`, then one slot for missing and one for unknown."""
        missing = frame.to_series(self.column).is_null().to_numpy()
        codes = self._codes(frame)
        n_levels = len(self.levels)
        return np.where(missing, n_levels, np.where(np.isnan(codes), n_levels + 1, codes)).astype(np.int64)


@dataclass(frozen=True)
class Codes(_Levels):
    """A category of few levels as codes 0, 1, ... commonest first; missing and unknown are NaN."""

    role: ClassVar[Role] = Role.CODE
    column: int
    names: tuple[str, ...]
    levels: tuple[str, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Array]:
        """Return the piece and the codes of these rows."""
        levels, _ = level_counts(frame.to_series(column))
        piece = cls(column, (frame.columns[column],), levels[:FEW_LEVELS])
        return piece, piece.encode(frame)

    def encode(self, frame: pl.DataFrame) -> Array:
        """Return shape (n_rows, 1)."""
        return self._codes(frame)[:, None]


@dataclass(frozen=True)
class Flags(_Levels):
    """A category (or boolean) of few levels as one flag per level; rare and unknown levels are all zeros."""

    role: ClassVar[Role] = Role.FLAG
    column: int
    names: tuple[str, ...]
    levels: tuple[str, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Array]:
        """Return the piece and the flags of these rows; where values are missing, that is a level too."""
        series, name = frame.to_series(column), frame.columns[column]
        levels, counts = level_counts(series)
        levels = tuple(level for level, n in zip(levels, counts, strict=True) if n >= min(_RARE, counts[0]))[
            :FEW_LEVELS
        ]
        names = tuple(f"{name} is {level}" for level in levels)
        if series.null_count():
            names += (f"{name} is missing",)
        piece = cls(column, names, levels)
        return piece, piece.encode(frame)

    def encode(self, frame: pl.DataFrame) -> Array:
        """Return shape (n_rows, n_levels), and one more where missing is a level."""
        return np.eye(len(self.levels) + 2)[self._slots(frame)][:, : len(self.names)]


@dataclass(frozen=True)
class TargetMeans(_Levels):
    """A category of many levels as each level's mean target, drawn towards the mean of all, and its number of rows.

    Training rows get the means of the other folds, so that no row sees its own label. For classes: one column per class
    (at most ten, the most frequent), but one in all when there are two. Levels seen once and unknown ones share a slot.

    Source: Micci-Barreca (2001), A preprocessing scheme for high-cardinality categorical attributes.
    """

    role: ClassVar[Role] = Role.NUMBER
    column: int
    names: tuple[str, ...]
    levels: tuple[str, ...]
    means: Array
    log_counts: Array

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Array]:
        """Return the piece, and the out-of-fold block of these rows."""
        levels, counts = level_counts(frame.to_series(column))
        levels = levels[: int(np.count_nonzero(counts > 1))]
        empty = cls(column, (), levels, np.empty((0, 0)), np.empty(0))
        slots = empty._slots(frame)
        labels, wanted = _labels(training.target)
        n_slots, n_folds = len(levels) + 2, training.n_folds
        cell = slots * n_folds + training.fold
        shape = (n_slots, n_folds)
        rows = np.bincount(cell, minlength=n_slots * n_folds).reshape(shape).astype(np.float64)
        sums = np.stack([np.bincount(cell, part, n_slots * n_folds).reshape(shape) for part in labels.T], axis=2)
        means = _drawn(sums.sum(axis=1), rows.sum(axis=1))
        others = _drawn(sums.sum(axis=1, keepdims=True) - sums, rows.sum(axis=1, keepdims=True) - rows)
        log_counts = np.log1p(rows.sum(axis=1))
        log_counts[-1] = 0.0  # levels seen once, and new ones
        name = frame.columns[column]
        names = (*(f"mean target by {name}{what}" for what in wanted), f"rows with this {name}")
        piece = cls(column, names, levels, means, log_counts)
        return piece, np.column_stack([others[slots, training.fold], log_counts[slots]])

    def encode(self, frame: pl.DataFrame) -> Array:
        """Return shape (n_rows, n_encoded_classes + 1), with the means of all training rows."""
        slots = self._slots(frame)
        return np.column_stack([self.means[slots], self.log_counts[slots]])


def _labels(target: Target) -> tuple[Array, tuple[str, ...]]:
    """Return the target as columns to take means of, and what tells their names apart."""
    if not target.is_classes:
        return target.values[:, None].astype(np.float64), ("",)
    if target.n_classes == 2:
        return (target.values == 1).astype(np.float64)[:, None], ("",)
    counts = np.bincount(target.values.astype(np.int64), minlength=target.n_classes)
    classes = np.sort(np.argsort(-counts, kind="stable")[:_CLASSES_ENCODED])
    return (target.values[:, None] == classes).astype(np.float64), tuple(f" (class {one})" for one in classes)


def _drawn(sums: Array, rows: Array) -> Array:
    """Return means per slot (axis 0) drawn towards the mean over all slots."""
    prior = sums.sum(axis=0) / np.maximum(1.0, rows.sum(axis=0))[..., None]
    drawn: Array = (sums + _PRIOR_ROWS * prior) / (rows + _PRIOR_ROWS)[..., None]
    return drawn


@dataclass(frozen=True)
class SparseLevels(_Levels):
    """A category of many levels as one sparse flag per level that was seen at least three times."""

    role: ClassVar[Role] = Role.WORD
    column: int
    names: tuple[str, ...]
    levels: tuple[str, ...]

    @classmethod
    def fit(cls, frame: pl.DataFrame, column: int, training: Training) -> tuple[Self, Any]:
        """Return the piece and the sparse flags of these rows."""
        levels, counts = level_counts(frame.to_series(column))
        levels = levels[: int(np.count_nonzero(counts >= _RARE))]
        piece = cls(column, tuple(f"{frame.columns[column]} is {level}" for level in levels), levels)
        return piece, piece.encode(frame)

    def encode(self, frame: pl.DataFrame) -> Any:
        """Return CSR, shape (n_rows, n_levels)."""
        sparse = need("scipy.sparse", why="sparse levels")
        codes = self._codes(frame)
        known = np.flatnonzero(~np.isnan(codes))
        place = (known, codes[known].astype(np.int64))
        return sparse.csr_matrix((np.ones(len(known)), place), shape=(len(codes), len(self.levels)))
