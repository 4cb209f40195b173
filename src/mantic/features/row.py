"""An encoder compiled for one row: values that were cast one by one become numbers, without a frame."""

import math
from collections.abc import Callable, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np

from mantic.core.table import Array, EncodedRow
from mantic.features.category import Codes, Flags, SparseLevels, TargetMeans
from mantic.features.dates import DateCycles, DateParts, DaysBetween, date_parts
from mantic.features.encode import Encoder
from mantic.features.gram_row import NO_MARKS, Marks, weigher
from mantic.features.number import HUGE, Number, Scale
from mantic.features.piece import Role
from mantic.features.text import Directions, Spellings, Words

Values = Sequence[Any]  # of one row, in the order of the schema, as `core/cast_row.py` stores them
Numbers = Callable[[Values], Sequence[float]]
Weigh = Callable[[Values], Marks]
_DAY = 86_400_000_000  # microseconds
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_YEARS = (0 - _EPOCH_DAY + 1, date.max.toordinal() - _EPOCH_DAY)  # days since 1970 that Python's dates can hold


class UnknownPieceError(Exception):
    """A kind of piece that has no form for one row."""


def row_encoder(encoder: Encoder) -> Callable[[Values], EncodedRow]:
    """Return a function from the cast values of one row to its encoded form, the same as `encoder.transform` gives.

    Raises
    ------
    UnknownPieceError : if a piece has no form for one row; says which.

    >>> import polars as pl
    >>> from mantic.core.schema import Column, Kind, Schema
    >>> from mantic.core.table import Layout, Target
    >>> schema = Schema((Column("age", Kind.NUMBER), Column("plan", Kind.CATEGORY)))
    >>> encoder = Encoder(schema, Layout.TREES)
    >>> table = encoder.fit_transform(
    ...     pl.DataFrame({"age": [4.0, 5.0], "plan": ["a", "b"]}), Target(np.array([0, 1]), 2)
    ... )
    >>> row_encoder(encoder)((7.0, "b")).numbers.tolist()
    [7.0, 1.0]
    """
    of_role = {role: [one for one in encoder.pieces_ if one.role is role and one.names] for role in Role}
    measured = _joined(of_role[Role.NUMBER])
    marked = [_dense(piece) for role in (Role.CODE, Role.FLAG) for piece in of_role[role]]
    has_any = bool(measured or marked)
    scaled = None if encoder.scale_ is None else _scaler(encoder.scale_)
    words, n_words = _sparse(of_role[Role.WORD])

    def encode(values: Values) -> EncodedRow:
        numbers: list[float] = []
        for piece in measured:
            numbers += piece(values)
        flags: list[float] = []
        for piece in marked:
            flags += piece(values)
        if scaled is None:
            dense = np.array(numbers + flags if has_any else (0.0,))
        else:
            parts = (*scaled(np.array(numbers)), np.array(flags))
            dense = np.concatenate(parts) if has_any else np.zeros(1)
        if words is None:
            return EncodedRow(dense)
        places, weights = words(values)
        return EncodedRow(dense, places, weights, n_words)

    return encode


def _joined(pieces: list[Any]) -> list[Numbers]:
    """Return the row forms of pieces that give numbers; plain numbers that stand in a row are taken at once."""
    made: list[Numbers] = []
    for kind, some in groupby(pieces, type):
        of_kind = list(some)
        made += [_numbers(of_kind)] if kind is Number and len(of_kind) > 1 else map(_dense, of_kind)
    return made


def _dense(piece: Any) -> Numbers:
    """Return the row form of a piece that gives numbers, codes or flags."""
    make = _DENSE.get(type(piece))
    if make is None:
        raise UnknownPieceError(f"the encoding {type(piece).__name__} has no form for one row")
    return make(piece)


def _sparse(pieces: list[Any]) -> tuple[Weigh | None, int]:
    """Return the row form of all sparse pieces beside each other, and how many columns they have."""
    if not pieces:
        return None, 0
    made: list[tuple[int, Weigh]] = []
    n_words = 0
    for piece in pieces:
        make = _SPARSE.get(type(piece))
        if make is None:
            raise UnknownPieceError(f"the encoding {type(piece).__name__} has no form for one row")
        made.append((n_words, make(piece)))
        n_words += len(piece.names)

    def marks(values: Values) -> Marks:
        found = [(before, *piece(values)) for before, piece in made]
        places = np.concatenate([before + place for before, place, _ in found])
        return places, np.concatenate([weight for _, _, weight in found])

    return marks, n_words


def _scaler(scale: Scale) -> Callable[[Array], tuple[Array, Array]]:
    """Return what `Scale.apply` does, for one row."""
    low, high, middle, mean, deviation = scale.low, scale.high, scale.middle, scale.mean, scale.deviation
    flagged = scale.flagged

    def apply(numbers: Array) -> tuple[Array, Array]:
        missing = np.isnan(numbers)
        filled = np.minimum(np.maximum(np.where(missing, middle, numbers), low), high)
        return (filled - mean) / deviation, missing[flagged].astype(np.float64)

    return apply


def _number(piece: Number) -> Numbers:
    column = piece.column

    def encode(values: Values) -> tuple[float]:
        value = values[column]
        if value is None:
            return (math.nan,)
        if -HUGE < value < HUGE:
            return (float(value),)
        if math.isnan(value) or math.isinf(value):
            return (math.nan,)
        return (math.copysign(HUGE, value),)

    return encode


def _numbers(pieces: list[Number]) -> Numbers:
    """Return what `_number` does, for several pieces at once; one by one only where a value is missing or huge."""
    take, one_by_one = itemgetter(*(piece.column for piece in pieces)), list(map(_dense, pieces))

    def encode(values: Values) -> Sequence[float]:
        found = take(values)
        for value in found:
            if value is None or not -HUGE < value < HUGE:
                return [form(values)[0] for form in one_by_one]
        return list(map(float, found))

    return encode


def _slots(piece: Any) -> Callable[[Values], int]:
    """Return the slot of a row's level, as `_Levels._slots` numbers them."""
    column, n_levels = piece.column, len(piece.levels)
    known: dict[Any, int] = {level: place for place, level in enumerate(piece.levels)}
    known |= {flag: known[word] for flag, word in ((True, "true"), (False, "false")) if word in known}
    known[None] = n_levels
    find, unknown = known.get, n_levels + 1
    return lambda values: find(values[column], unknown)


def _codes(piece: Codes) -> Numbers:
    slot, coded = _slots(piece), [*((float(place),) for place in range(len(piece.levels))), (math.nan,), (math.nan,)]
    return lambda values: coded[slot(values)]


def _flags(piece: Flags) -> Numbers:
    slot, rows = _slots(piece), np.eye(len(piece.levels) + 2)[:, : len(piece.names)].tolist()
    return lambda values: rows[slot(values)]


def _target_means(piece: TargetMeans) -> Numbers:
    slot, rows = _slots(piece), np.column_stack([piece.means, piece.log_counts])
    return lambda values: rows[slot(values)].tolist()


def _parts(moment: int | None) -> tuple[float, ...]:
    """Return what `date_parts` does, for one moment."""
    if moment is None:
        return (math.nan,) * 6
    day, rest = divmod(moment, _DAY)
    if not _YEARS[0] <= day <= _YEARS[1]:
        return tuple(date_parts(np.array([moment], dtype="datetime64[us]"))[0].tolist())
    when = date.fromordinal(day + _EPOCH_DAY)
    of_year = when.toordinal() - date(when.year, 1, 1).toordinal() + 1
    return (float(day), float(when.year), float(when.month), float(when.weekday()), float(of_year), rest / (_DAY / 24))


def _date_parts(piece: DateParts) -> Numbers:
    column, n_kept = piece.column, len(piece.names)
    return lambda values: _parts(values[column])[:n_kept]


def _date_cycles(piece: DateCycles) -> Numbers:
    column, n_kept = piece.column, len(piece.names)

    def encode(values: Values) -> Sequence[float]:
        day, _, _, weekday, of_year, hour = _parts(values[column])
        waves = [day]
        for turn in (of_year / 365.25, weekday / 7, hour / 24):
            waves += (math.sin(2 * math.pi * turn), math.cos(2 * math.pi * turn))
        return waves[:n_kept]

    return encode


def _days_between(piece: DaysBetween) -> Numbers:
    late, early = piece.column, piece.other

    def encode(values: Values) -> tuple[float]:
        one, other = values[late], values[early]
        return (math.nan if one is None or other is None else (one - other) / _DAY,)

    return encode


def _directions(piece: Directions) -> Numbers:
    column, along = piece.column, piece.directions.astype(np.float64)
    weigh = _words_of(piece.grams)

    def encode(values: Values) -> Sequence[float]:
        text = values[column] or ""
        places, weights = weigh(text)
        n_letters = len(text)
        where = (weights[:, None] * along[places]).sum(axis=0)
        return (*where.tolist(), float(text.count(" ") + (n_letters > 0)), float(n_letters))

    return encode


def _words_of(piece: Words) -> Callable[[str], Marks]:
    """Return what `Words.encode_texts` does, for one text."""
    words, letters, n_words = weigher(piece.words), weigher(piece.letters), len(piece.words.terms)

    def weigh(text: str) -> Marks:
        (places, weights), (more, heavy) = words(text), letters(text)
        return np.concatenate([places, n_words + more]), np.concatenate([weights, heavy])

    return weigh


def _words(piece: Words) -> Weigh:
    column, weigh = piece.column, _words_of(piece)
    return lambda values: weigh(values[column] or "")


def _sparse_levels(piece: SparseLevels) -> Weigh:
    slot, n_levels, once = _slots(piece), len(piece.levels), np.ones(1)

    def marks(values: Values) -> Marks:
        place = slot(values)
        return (np.array([place]), once) if place < n_levels else NO_MARKS

    return marks


_DENSE: dict[type[Any], Callable[[Any], Numbers]] = {
    Number: _number,
    Codes: _codes,
    Flags: _flags,
    TargetMeans: _target_means,
    DateParts: _date_parts,
    DateCycles: _date_cycles,
    DaysBetween: _days_between,
    Directions: _directions,
    Spellings: _directions,
}
_SPARSE: dict[type[Any], Callable[[Any], Weigh]] = {Words: _words, SparseLevels: _sparse_levels}
