"""A column as plain numbers that can be ranked, the same way for rows learned from and for rows asked lately."""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from mantic.core.schema import Column, Kind
from mantic.core.table import Array

_EMPTY = -1e300  # where a missing value stands: below all others
_WORD = re.compile(r"\w+")
_MOST_LETTERS = 2_000  # of a text; the rest is left out

Pair = tuple[Array, Array]


def scores(before: pl.Series, now: pl.Series, column: Column) -> list[Pair]:
    """Return one or more views of a column, each as numbers of the reference and of the stream; none is NaN.

    A number and a date stand for themselves. A category gets a number made from its letters, which knows nothing of how
    often it was seen: so a level that only lately occurs is as likely to be found as one that vanished. A text has its
    length, and its share of words that no other text of the reference holds.

    >>> before, now = scores(pl.Series(["a", None]), pl.Series(["a"]), Column("plan", Kind.CATEGORY))[0]
    >>> bool(before[0] == now[0]), bool(before[1] < before[0])
    (True, True)
    """
    return list(_VIEWS[column.kind](before, now))


def new_words(before: pl.Series, now: pl.Series) -> Pair:
    """Return for each text the share of its words that no other text of the reference holds.

    >>> [part.tolist() for part in new_words(pl.Series(["a b", "a c"]), pl.Series(["a d", None]))]
    [[0.5, 0.5], [0.5, -1e+300]]
    """
    texts = [_words(text) for text in before]
    known = Counter(word for words in texts if words for word in words)
    own = [_EMPTY if words is None else _share(words, known, at_least=2) for words in texts]
    asked = [_EMPTY if words is None else _share(words, known, at_least=1) for words in map(_words, now)]
    return np.array(own, dtype=float), np.array(asked, dtype=float)


def _share(words: set[str], known: Counter[str], *, at_least: int) -> float:
    return sum(known[word] < at_least for word in words) / max(1, len(words))


def _words(text: str | None) -> set[str] | None:
    return None if text is None else set(_WORD.findall(text[:_MOST_LETTERS].lower()))


def _of_numbers(before: pl.Series, now: pl.Series) -> Iterator[Pair]:
    yield _filled(before.cast(pl.Float64)), _filled(now.cast(pl.Float64))


def _of_dates(before: pl.Series, now: pl.Series) -> Iterator[Pair]:
    yield from _of_numbers(before.cast(pl.Int64), now.cast(pl.Int64))


def _of_levels(before: pl.Series, now: pl.Series) -> Iterator[Pair]:
    yield _by_letters(before.cast(pl.String)), _by_letters(now.cast(pl.String))


def _of_texts(before: pl.Series, now: pl.Series) -> Iterator[Pair]:
    yield from _of_numbers(before.str.count_matches(r"\w+"), now.str.count_matches(r"\w+"))
    yield new_words(before, now)


def _filled(numbers: pl.Series) -> Array:
    return numbers.fill_nan(None).fill_null(_EMPTY).to_numpy()


def _by_letters(texts: pl.Series) -> Array:
    levels = texts.unique().drop_nulls().to_list()
    places = pl.Series([float(zlib.crc32(level.encode("utf-8", "replace"))) for level in levels], dtype=pl.Float64)
    return _filled(texts.replace_strict(levels, places, default=None, return_dtype=pl.Float64))


_VIEWS: dict[Kind, Callable[[pl.Series, pl.Series], Iterator[Pair]]] = {
    Kind.NUMBER: _of_numbers,
    Kind.DATE: _of_dates,
    Kind.CATEGORY: _of_levels,
    Kind.BOOLEAN: _of_levels,
    Kind.TEXT: _of_texts,
}
