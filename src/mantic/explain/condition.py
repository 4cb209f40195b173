"""Conditions on the user's own columns, as a short rule holds them: readable thresholds, levels, words."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from mantic.core.schema import Column, Kind, Schema
from mantic.core.table import Array
from mantic.explain.subject import COUNT
from mantic.explain.words import Value, value_in_words

_MOST_CUTS = 30
_MOST_LEVELS = 12
_MOST_WORDS = 40
_LEAST_SHARE = 0.02  # of rows that a level, a word or a gap must have
_SHORTEST_WORD = 3
_NICE = (1.0, 2.0, 5.0, 10.0)
_STEPS = 40  # of a nice size in the inner 90 % of a column
_LARGEST = 1e300  # the distance of larger numbers may be none
_UNITS = (("1y", 3650), ("1q", 700), ("1mo", 150), ("1w", 40), ("1d", 0))  # what dates are cut at, from how many days

Holds = Callable[[pl.Series, Value], pl.Series]


@dataclass(frozen=True)
class Condition:
    """One test of one column, for instance tenure < 12; a missing value fails every test but 'is missing'."""

    column: str
    test: str
    value: Value = None

    def holds(self, frame: pl.DataFrame) -> Array:
        """Return whether each aligned row passes; bool, shape (n_rows,)."""
        return _TESTS[self.test][0](frame[self.column], self.value).fill_null(False).to_numpy()

    def opposite(self) -> "Condition":
        """Return the test that every row with a value passes when it fails this one."""
        return Condition(self.column, _TESTS[self.test][1], self.value)

    def __str__(self) -> str:
        """Return the condition in words."""
        return (
            f"{self.column} {self.test} {value_in_words(self.value)}"
            if self.value is not None
            else f"{self.column} {self.test}"
        )


_TESTS: dict[str, tuple[Holds, str]] = {
    "<": (lambda series, value: series < value, "≥"),
    "≥": (lambda series, value: series >= value, "<"),
    "is": (lambda series, value: series == value, "is not"),
    "is not": (lambda series, value: series != value, "is"),
    "is missing": (lambda series, _: series.is_null(), "is known"),
    "is known": (lambda series, _: series.is_not_null(), "is missing"),
    "has the word": (lambda series, value: _has_word(series, str(value)), "has not the word"),
    "has not the word": (lambda series, value: ~_has_word(series, str(value)), "has the word"),
}


def candidates(schema: Schema, frame: pl.DataFrame, strength: Array) -> Iterator[Condition]:
    """Yield the conditions that a rule may be made of.

    Parameters
    ----------
    frame : aligned rows.
    strength : a number per row that words should tell something about; shape (n_rows,).
    """
    for column in schema.columns:
        if not column.is_used:
            continue
        series = frame[column.name]
        if _LEAST_SHARE * len(series) <= series.null_count() < len(series):
            yield Condition(column.name, "is missing")
        yield from _OF_KIND[column.kind](column, series, strength)


def _number(column: Column, series: pl.Series, _: Array) -> Iterator[Condition]:
    known = series.drop_nulls()
    values = known.filter(known.is_finite()).to_numpy()
    for cut in nice_cuts(values):
        yield Condition(column.name, "<", cut)


def nice_cuts(values: Array) -> list[float]:
    """Return round numbers that cut values into parts of some size, at most 30.

    >>> nice_cuts(np.arange(0, 101.0))[:3]
    [5.0, 10.0, 15.0]
    """
    if len(np.unique(values)) < 2 or np.abs(values).max() > _LARGEST:
        return []
    cuts = np.quantile(values, np.linspace(0, 1, _MOST_CUTS + 2)[1:-1])
    spread = float(cuts[-1] - cuts[0]) or float(np.ptp(values))
    size = 10.0 ** np.floor(np.log10(spread / _STEPS))
    step = next(size * nice for nice in _NICE if size * nice >= spread / _STEPS)
    if (values == np.round(values)).all():
        step = max(1.0, step)
    decimals = max(0, int(-np.floor(np.log10(step))))
    found = np.unique(np.round(np.round(cuts / step) * step, decimals))
    return [float(cut) for cut in found if values.min() < cut <= values.max()]


def _date(column: Column, series: pl.Series, _: Array) -> Iterator[Condition]:
    known = series.drop_nulls()
    if known.n_unique() < 2:
        return
    days = (known.max() - known.min()) / timedelta(days=1)  # type: ignore[operator]
    unit = next(unit for unit, least in _UNITS if days >= least)
    starts = known.dt.truncate(unit).unique().sort()
    for cut in starts.gather_every(max(1, -(-len(starts) // _MOST_CUTS))).to_list():
        assert isinstance(cut, datetime)
        if cut > known.min():  # type: ignore[operator]
            yield Condition(column.name, "<", cut)


def _category(column: Column, series: pl.Series, _: Array) -> Iterator[Condition]:
    counted = (
        series.drop_nulls().value_counts(sort=True, name=COUNT).sort([COUNT, column.name], descending=[True, False])
    )
    for level, n in counted.head(_MOST_LEVELS).rows():
        if n >= _LEAST_SHARE * len(series) and counted.height > 1:
            yield Condition(column.name, "is", level)


def _boolean(column: Column, series: pl.Series, _: Array) -> Iterator[Condition]:
    if series.drop_nulls().n_unique() > 1:
        yield Condition(column.name, "is", True)


def _text(column: Column, series: pl.Series, strength: Array) -> Iterator[Condition]:
    """Yield the words that tell most about the strength."""
    by_row = [set(words) for words in _words(series)]
    counted = Counter(word for words in by_row for word in words if len(word) >= _SHORTEST_WORD)
    least, most = max(5.0, _LEAST_SHARE * len(series)), (1 - _LEAST_SHARE) * len(series)
    known = sorted(word for word, n in counted.items() if least <= n <= most)
    tell = {}
    for word in known:
        has = np.array([word in words for words in by_row])
        tell[word] = abs(strength[has].mean() - strength[~has].mean()) * np.sqrt(has.mean() * (1 - has.mean()))
    for word in sorted(known, key=lambda one: -tell[one])[:_MOST_WORDS]:
        yield Condition(column.name, "has the word", word)


_OF_KIND: dict[Kind, Callable[[Column, pl.Series, Array], Iterator[Condition]]] = {
    Kind.NUMBER: _number,
    Kind.DATE: _date,
    Kind.CATEGORY: _category,
    Kind.BOOLEAN: _boolean,
    Kind.TEXT: _text,
}


def _words(series: pl.Series) -> list[list[str]]:
    found: list[list[str]] = series.fill_null("").str.to_lowercase().str.extract_all(r"\w+").to_list()
    return found


def _has_word(series: pl.Series, word: str) -> pl.Series:
    return series.str.contains(rf"(?i)\b{word}\b")
