"""Texts as a file holds them become numbers, where every value of a column is one and nothing is lost."""

import polars as pl

from mantic.core.cast import cast_column
from mantic.core.schema import Column, Kind, Schema

_SAMPLE = 1_000
_LEADING_ZERO = r"^[+-]?0\d"
_COMMA_NUMBER = r"^[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?$"


def typed(texts: pl.Series) -> tuple[pl.Series, bool]:
    """Return the column as whole numbers, numbers or unchanged, and whether it was written with decimal commas.

    A column stays text when any value is no number, when a whole number begins with a zero (a postcode, a phone),
    is beyond 64 bits, or when a text says "nan" or "inf". Only an empty cell is missing.

    >>> typed(pl.Series("x", ["1", "2.5", None]))[0].to_list(), typed(pl.Series("zip", ["00123", "9"]))[0].to_list()
    ([1.0, 2.5, None], ['00123', '9'])
    """
    sample = texts.drop_nulls().head(_SAMPLE)
    if len(sample) == 0:
        return texts, False
    if sample.cast(pl.Float64, strict=False).null_count() == 0:
        return _number(texts), False
    if sample.str.contains(_COMMA_NUMBER).all() and sample.str.contains(",", literal=True).any():
        number = _comma_number(texts)
        return (texts, False) if number is None else (number, True)
    return texts, False


def texts_in(schema: Schema) -> frozenset[str]:
    """Return the columns that held texts when a model was fitted, so that rows of numbers alone are read as texts too.

    These are texts, and categories of which one level at least is not written as a number is.

    >>> texts_in(Schema((Column("code", Kind.CATEGORY, levels=("250.00", "E11")), Column("plan", Kind.CATEGORY))))
    frozenset({'code'})
    """
    return frozenset(column.name for column in schema.columns if column.kind == Kind.TEXT or _are_texts(column))


def _are_texts(column: Column) -> bool:
    if column.kind != Kind.CATEGORY or not column.levels:
        return False
    levels = pl.Series(column.levels)
    read = typed(levels)[0]
    return read.dtype == pl.String or not cast_column(read, column)[0].equals(levels)


def _number(texts: pl.Series) -> pl.Series:
    n_missing = texts.null_count()
    whole = texts.cast(pl.Int64, strict=False)
    if whole.null_count() == n_missing:
        return texts if _has_leading_zero(texts) else whole
    del whole
    number = texts.cast(pl.Float64, strict=False)
    if number.null_count() > n_missing or not number.is_finite().all(ignore_nulls=True):
        return texts
    if _has_leading_zero(texts) or texts.str.contains(r"^[+-]?\d{19,}$").any():
        return texts
    return number


def _has_leading_zero(texts: pl.Series) -> bool:
    return bool(texts.str.contains(_LEADING_ZERO).any())


def _comma_number(texts: pl.Series) -> pl.Series | None:
    """Return the numbers of "1.234,5"; None when some are not, or when all commas could as well part thousands."""
    if not texts.str.contains(_COMMA_NUMBER).all(ignore_nulls=True) or _has_leading_zero(texts):
        return None
    with_comma = texts.filter(texts.str.contains(",", literal=True).fill_null(False))
    if not with_comma.str.contains(r",(\d{1,2}|\d{4,})$").any():
        return None
    return texts.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True).cast(pl.Float64)
