"""Where a model fails: groups of rows, told by one column, with a clearly larger error than the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Array
from mantic.report.numbers import amount, say

_BINS = 5
_FEW_VALUES = 6  # a number with so few values is taken value by value
_LEVELS = 30  # of a category, commonest first
_LEAST_ROWS, _LEAST_SHARE = 30, 0.01
_WRONG = 0.05  # share of false alarms among the slices that are named
_WORSE = 1.1  # a slice is worth naming when its error is at least so many times that of the rest


@dataclass(frozen=True)
class Slice:
    """Rows that have something in common and are predicted worse than the rest.

    Parameters
    ----------
    column, what : "age", "more than 60".
    n_rows, share : how many rows, of all.
    loss, low, high : mean loss inside, with a 95 % interval.
    rest : mean loss outside.
    q_value : chance that this is a false alarm, corrected for how many slices were looked at.
    """

    column: str
    what: str
    n_rows: int
    share: float
    loss: float
    low: float
    high: float
    rest: float
    q_value: float

    @property
    def harm(self) -> float:
        """Return how much loss would be saved if these rows were predicted as well as the rest."""
        return self.n_rows * (self.loss - self.rest)

    @property
    def sentence(self) -> str:
        """Return the slice in words."""
        times = f"{self.loss / self.rest:.1f} times the error" if self.rest > 0 else "errors, and the rest has none"
        return f"{self.column} {self.what}: {times} ({amount(self.n_rows, 'row')}, {say(self.share, 'share')})"


def find_slices(frame: pl.DataFrame, schema: Schema, loss: Array, *, most: int = 10) -> list[Slice]:
    """Find where the loss is larger than elsewhere, worst first by total harm.

    Each column is cut by itself: numbers into fifths, categories by level, dates by period, and missing or not. A slice
    needs 30 rows and 1 % of them. Welch's t-test, one-sided; the false-discovery rate is held at 5 %.

    Parameters
    ----------
    frame, schema : held-out rows as aligned, and what the columns mean.
    loss : of each row, larger is worse; shape (n_rows,).
    most : return at most so many.

    Source: Chung et al. (2019), Slice Finder; Benjamini and Hochberg (1995).

    >>> rows = pl.DataFrame({"plan": ["a", "b"] * 100})
    >>> loss = np.tile([0.0, 1.0], 100) + np.arange(200) % 3
    >>> [one.what for one in find_slices(rows, Schema((Column("plan", Kind.CATEGORY),)), loss)]
    ['is b']
    """
    looked: list[Slice] = []
    for column in schema.columns:
        if column.name not in frame.columns:
            continue
        for codes, words in _cuts(frame[column.name], column):
            looked += _measure(column.name, codes, words, loss=loss)
    kept = benjamini_hochberg(np.array([one.q_value for one in looked]))
    named = [
        Slice(**{**vars(one), "q_value": float(q)})
        for one, q in zip(looked, kept, strict=True)
        if q <= _WRONG and one.loss > _WORSE * one.rest
    ]
    return sorted(named, key=lambda one: -one.harm)[:most]


def benjamini_hochberg(p_values: Array) -> Array:
    """Turn p-values into q-values: naming all with q at most 5 % makes at most 5 % false alarms among the named.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.5])).round(3)
    array([0.04 , 0.053, 0.053, 0.5  ])
    """
    count = len(p_values)
    order = np.argsort(p_values)
    scaled = p_values[order] * count / np.arange(1, count + 1)
    smallest = np.minimum.accumulate(scaled[::-1])[::-1]
    q_values = np.empty(count)
    q_values[order] = np.minimum(smallest, 1.0)
    return q_values


Cut = tuple[Array, list[str]]  # codes (n_rows,), -1 for no slice; and the words of each code


def _cuts(series: pl.Series, column: Column) -> list[Cut]:
    """Return the ways in which a column parts the rows."""
    missing = series.is_null().to_numpy()
    cuts: list[Cut] = [(np.where(missing, 0, 1), ["is missing", "is not missing"])] if missing.any() else []
    cut = _CUTS.get(column.kind)
    if cut is not None and not missing.all():
        codes = np.full(len(series), -1)
        inside, words = cut(series.drop_nulls())
        codes[~missing] = inside
        cuts.append((codes, words))
    return cuts


def _by_number(series: pl.Series) -> Cut:
    values = series.to_numpy().astype(float)
    levels = np.unique(values)
    if len(levels) <= _FEW_VALUES:
        return np.searchsorted(levels, values), [f"is {say(float(level))}" for level in levels]
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1]))
    names = [say(float(edge)) for edge in edges]
    middle = [f"from {low} to {high}" for low, high in pairwise(names)]
    return np.searchsorted(edges, values, side="left"), [f"at most {names[0]}", *middle, f"more than {names[-1]}"]


def _by_level(series: pl.Series) -> Cut:
    text = series.cast(pl.String)
    levels = text.value_counts(sort=True)[text.name].to_list()[:_LEVELS]
    place = {level: number for number, level in enumerate(levels)}
    codes = text.replace_strict(place, default=-1, return_dtype=pl.Int64).to_numpy()
    return codes, [f"is {_SHOWN.get(level, level)}" for level in levels]


_SHOWN = {"true": "yes", "false": "no"}


def _by_period(series: pl.Series) -> Cut:
    days = (series.max() - series.min()).days  # type: ignore[operator,union-attr]  # both are datetimes
    form = "%Y" if days > 3 * 365 else "%Y-%m" if days > 60 else "%Y-%m-%d"
    codes, words = _by_level(series.dt.strftime(form))
    return codes, [word.replace("is ", "in ", 1) for word in words]


_CUTS: dict[Kind, Callable[[pl.Series], Cut]] = {
    Kind.NUMBER: _by_number,
    Kind.CATEGORY: _by_level,
    Kind.BOOLEAN: _by_level,
    Kind.DATE: _by_period,
}


def _measure(name: str, codes: Array, words: list[str], *, loss: Array) -> list[Slice]:
    """Hold each slice of one cut against all other rows; `q_value` holds the plain p-value still."""
    from scipy import special

    n_all, total, squares = len(loss), loss.sum(), (loss**2).sum()
    known = codes >= 0
    size = np.bincount(codes[known], minlength=len(words)).astype(float)
    inside = np.bincount(codes[known], weights=loss[known], minlength=len(words))
    inside_squares = np.bincount(codes[known], weights=loss[known] ** 2, minlength=len(words))
    wide = (size >= max(_LEAST_ROWS, _LEAST_SHARE * n_all)) & (n_all - size >= _LEAST_ROWS)
    size, inside, inside_squares = size[wide], inside[wide], inside_squares[wide]
    others = n_all - size
    mean, rest = inside / size, (total - inside) / others
    error = np.maximum(inside_squares / size - mean**2, 0) / (size - 1)
    rest_error = np.maximum((squares - inside_squares) / others - rest**2, 0) / (others - 1)
    both = np.sqrt(error + rest_error)
    freedom = both**4 / np.maximum(error**2 / (size - 1) + rest_error**2 / (others - 1), 1e-300)
    gap = mean - rest
    above = special.stdtr(np.maximum(freedom, 1), -gap / np.maximum(both, 1e-300))
    p_value = np.where(both > 0, above, (gap <= 0) * 1.0)
    reach = special.stdtrit(size - 1, 0.975) * np.sqrt(error)
    shown = [word for word, is_wide in zip(words, wide, strict=True) if is_wide]
    return [
        Slice(name, shown[at], int(size[at]), float(size[at] / n_all), float(mean[at]), float(mean[at] - reach[at]),
              float(mean[at] + reach[at]), float(rest[at]), float(p_value[at]))
        for at in range(len(shown))
    ]  # fmt: skip
