"""Columns that are made from the target: copies, rounded or of another row, and gaps that give it away."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from mantic.core.auc import auc
from mantic.core.schema import Column, Kind
from mantic.core.table import Array, Target
from mantic.features.leaks.alone import numbers_of
from mantic.features.leaks.sample import Place, Sample
from mantic.report.numbers import say

Confidence = Literal["sure", "likely", "look at it"]

_LEAST_ROWS = 30
_EXACT = 1e-9  # of the spread, left unexplained by a straight line
_SPLIT = 0.985  # area under the curve from which the target says whether a column is filled
_PURE = 0.995  # share of one class among the filled rows
_LIFT = 0.05  # share of the other classes' rows that may be among them, of what there would be by chance
_CHANCE = np.log(1e-8)  # how unlikely such rows must be if the gaps did not depend on the target
_USUAL = 0.9  # share of the commonest value, beyond which a column says too little
_REACH = 0.15  # share of the class that must be found so
_RANGE_REACH = 0.5  # share of the rows in a range of numbers: dear things may well have what cheap ones lack
_NEIGHBOURS = 40_000  # rows at most that are held against the next


@dataclass(frozen=True)
class Sign:
    """Something that speaks against a column: a sentence, and how sure it is."""

    column: int
    why: str
    confidence: Confidence


def copies(sample: Sample) -> list[Sign]:
    """Name columns of numbers that are the target of a regression, stretched, moved or rounded."""
    if sample.target.is_classes:
        return []
    truth, found = sample.target.values, []
    for place, column in enumerate(sample.schema.columns):
        if column.kind is not Kind.NUMBER:
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            why = _copy(numbers_of(sample.frame.to_series(place)), truth)
        if why:
            found.append(Sign(place, why, "sure"))
    return found


def merged(sample: Sample) -> list[Sign]:
    """Name columns whose value follows from the class in every row: classes that were put together.

    With few values beside many classes it rather is a trait of theirs, as the number of legs is of animals.
    """
    target, found = sample.target, []
    if target.n_classes < 3:
        return []
    for place, column in enumerate(sample.schema.columns):
        is_merged = max(2, target.n_classes / 2) <= column.n_levels <= target.n_classes
        if not column.is_used or column.kind is Kind.TEXT or not is_merged:
            continue
        codes = sample.frame.to_series(place).cast(pl.String).rank("dense").fill_null(0).to_numpy().astype(np.int64)
        table = _crossed(codes, target)
        pure = table.max(axis=0).sum() / table.sum()
        if pure >= _PURE and table.sum(axis=1).max() / table.sum() <= _USUAL:
            found.append(Sign(place, "its value follows from the class in every row", "sure"))
    return found


def _crossed(codes: Array, target: Target) -> Array:
    """Count rows by value and class."""
    table = np.zeros((int(codes.max()) + 1, target.n_classes))
    np.add.at(table, (codes, target.values.astype(np.int64)), 1)
    return table


def _copy(values: Array, truth: Array) -> str:
    known = np.isfinite(values)
    if known.sum() < _LEAST_ROWS or np.ptp(values[known]) == 0 or np.ptp(truth[known]) == 0:
        return ""
    one, other = values[known], truth[known]
    if np.allclose(one, other, rtol=1e-9, atol=0):
        return "it is the target itself"
    slope, left = _line(one, other)
    if left < _EXACT:
        return f"it is the target in another unit (the target is {slope:.4g} times this column, plus a constant)"
    levels = np.unique(one)
    step = float(np.diff(levels).min())
    if len(levels) >= 3 and step > 0 and np.abs(one - other).max() <= step * (0.5 + 1e-6):
        return f"it is the target, rounded to steps of {step:.4g}"
    if len(levels) >= 3 and step > 0 and (other - one >= 0).all() and (other - one).max() < step:
        return f"it is the target, rounded down to steps of {step:.4g}"
    return ""


def _line(one: Array, other: Array) -> tuple[float, float]:
    """Return the slope of a straight line, and the share of the spread that it leaves."""
    x, y = one - one.mean(), other - other.mean()
    scale = float(np.abs(x).max())
    x = x / scale
    slope = float(x @ y / (x @ x))
    return slope / scale, float(((y - slope * x) ** 2).sum() / (y @ y))


# ----------------------------------------------------------------------------------------------------- other rows


def neighbours(frame: pl.DataFrame, target: Target, columns: tuple[Column, ...], place: Place) -> list[Sign]:
    """Name columns that hold the target of the row before or after (in time, where there is a time column).

    With a time column, the target of an earlier row is an honest thing to know.
    """
    order = np.arange(len(target)) if place.moment is None else np.argsort(place.moment, kind="stable")
    order = order[:_NEIGHBOURS]
    first, second = order[:-1], order[1:]
    if place.moment is None:
        near = place.position[second] - place.position[first] == 1
        first, second = first[near], second[near]
    if len(first) < _LEAST_ROWS:
        return []
    found = []
    for index, column in enumerate(columns):
        codes = _comparable(frame.to_series(index), column, target)
        if codes is None:
            continue
        if _is_same(codes[first], target.rows(second)) and not _is_same(codes, target):
            found.append(Sign(index, "it holds the target of the next row", "sure"))
        elif place.moment is None and _is_same(codes[second], target.rows(first)) and not _is_same(codes, target):
            why = "it holds the target of the row before, which is honest only where rows come in order of time"
            found.append(Sign(index, f"{why} (then fit with --time)", "look at it"))
    return found


def _comparable(series: pl.Series, column: Column, target: Target) -> Array | None:
    """Return a column as numbers that can be held against the target; None where it cannot be the same."""
    if not target.is_classes:
        return numbers_of(series) if column.kind is Kind.NUMBER else None
    if not column.is_used or column.kind in (Kind.TEXT, Kind.DATE) or not 2 <= column.n_levels <= target.n_classes + 1:
        return None
    ranks = series.cast(pl.String).rank("dense").cast(pl.Float64).to_numpy()
    return np.asarray(ranks)


def _is_same(values: Array, target: Target) -> bool:
    known = np.isfinite(values)
    if known.sum() < _LEAST_ROWS or known.mean() < 0.5:
        return False
    one, other = values[known], target.values[known]
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return False
    if not target.is_classes:
        with np.errstate(over="ignore", invalid="ignore"):
            return _line(one, other)[1] < 1e-6
    table = _crossed(one.astype(np.int64), target.rows(known))
    usual = table.sum(axis=0).max() / table.sum()
    pure = table.max(axis=1).sum() / table.sum()
    return bool(pure > 1 - 0.01 * (1 - usual))


# ----------------------------------------------------------------------------------------------------------- gaps


def gaps(sample: Sample) -> list[Sign]:
    """Name columns whose gaps (or whose one common value) give the target away: filled only when."""
    found = []
    for place, column in enumerate(sample.schema.columns):
        filled, word = _filled(sample.frame.to_series(place), column)
        n_filled = int(np.count_nonzero(filled))
        if min(n_filled, len(filled) - n_filled) < _LEAST_ROWS // 2:
            continue
        tell = _class_gap if sample.target.is_classes else _number_gap
        if why := tell(filled, sample.target, word):
            found.append(Sign(place, why, "sure"))
    return found


def _filled(series: pl.Series, column: Column) -> tuple[Array, str]:
    """Return where a column says something, and the word for that.

    Where nothing is missing, amounts say something where they are not 0; a mark of 0 or 1 is an answer either way.
    """
    present = series.is_not_null() & (series.is_not_nan() if series.dtype.is_float() else True)
    if column.share_missing > 0 or column.kind is not Kind.NUMBER:
        return present.to_numpy(), "filled"
    counts = (series != 0).to_numpy()
    is_amount = column.n_levels > 2 and counts.mean() <= _USUAL
    return (counts if is_amount else np.zeros(len(counts), dtype=bool)), "not 0"


def _class_gap(filled: Array, target: Target, word: str) -> str:
    codes = target.values.astype(np.int64)
    base = np.bincount(codes, minlength=target.n_classes) / len(codes)
    sides = ((filled, f"it is {word}"), (~filled, "it is not filled"))
    for where, said in sides if word == "filled" else sides[:1]:
        counts = np.bincount(codes[where], minlength=target.n_classes)
        top, n_rows = int(counts.argmax()), int(counts.sum())
        by_chance = n_rows * np.log(max(base[top], 1e-12))
        most_others = min(1 - _PURE, _LIFT * (1 - base[top])) * n_rows
        is_pure = n_rows - counts[top] <= most_others and by_chance < _CHANCE
        if is_pure and n_rows >= _REACH * base[top] * len(codes):
            return f"wherever {said} the target is the same ({n_rows:,} of {len(codes):,} rows)"
    return ""


def _number_gap(filled: Array, target: Target, word: str) -> str:
    area = auc(filled, target.values)
    if max(area, 1 - area) >= _SPLIT:
        side = "high" if area > 0.5 else "low"
        return f"it is {word} only where the target is {side}"
    ordered = np.sort(target.values)
    held = target.values[filled]
    low, high = np.quantile(held, [0.005, 0.995], method="nearest")
    below, above = np.searchsorted(ordered, low) / len(ordered), 1 - np.searchsorted(ordered, high) / len(ordered)
    for share, side in ((below, "high"), (above, "low")):
        rest = 1 - share
        n_within = rest * len(ordered)
        if rest < 0.6 and len(held) * np.log(max(rest, 1e-12)) < _CHANCE and len(held) >= _RANGE_REACH * n_within:
            return f"it is {word} only where the target is {side} (among the {side}est {say(rest, 'share')})"
    return ""
