"""One column from Python values or from a polars type that a table should not have."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl

from mantic.core.cast import without_nan
from mantic.core.errors import SchemaError
from mantic.core.moments import moments_of, without_offset_zone

_NO_VALUE = ("NoneType", "NAType", "NaTType")
_INT64 = range(-(2**63), 2**63)


def from_values(name: str, values: Sequence[Any]) -> pl.Series:
    """Return a column of the narrowest type that keeps every value; None, NaN and NaT are missing.

    Moments become what `moments_of` says. Whole and other numbers together become numbers; numbers and texts together
    become texts, as they are written; lists and dictionaries become JSON; durations become seconds; whole numbers
    beyond 64 bits stay texts.

    >>> from_values("x", [1, 2.5, None]).to_list(), from_values("x", [1, "a"]).to_list()
    ([1.0, 2.5, None], ['1', 'a'])
    """
    plain = [_plain_value(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if kinds and all(issubclass(kind, date) for kind in kinds):
        return moments_of(name, plain)
    if kinds == {int} and not all(value in _INT64 for value in plain if value is not None):
        kinds = {str, int}
    try:
        for wanted, dtype in _DTYPES:
            if kinds <= wanted:
                return pl.Series(name, [_fit(value, dtype) for value in plain], dtype=dtype)
    except OverflowError:  # a whole number that no float holds
        kinds = {str}
    except UnicodeEncodeError as error:
        raise half(name) from error
    try:
        return pl.Series(name, [value if value is None else str(value) for value in plain], dtype=pl.String)
    except UnicodeEncodeError as error:
        raise half(name) from error


def half(name: str) -> SchemaError:
    """Return what is said of a column whose name or texts cannot be kept."""
    return SchemaError(
        "a text holds half a character, which no text can",
        where=f"column '{name}'" if name else "the table",
        fix="write the other half (in JSON a pair of \\ud... escapes), or leave it out",
    )


def plain(series: pl.Series) -> pl.Series:
    """Return the column as one of the plain types: numbers, texts, booleans, dates; NaN becomes missing.

    Lists and structs become JSON, durations become seconds, times of day and categories become texts, and so do moments
    whose zone is nothing but an offset.

    >>> plain(pl.Series("x", [[1, 2], None])).to_list()
    ['[1, 2]', None]
    """
    dtype = series.dtype
    if dtype.is_float():
        return without_nan(series)
    if dtype.is_nested() or dtype in (pl.Object, pl.Binary):
        return from_values(series.name, series.to_list())
    if isinstance(dtype, pl.Duration):
        return (series.cast(pl.Duration("us")).cast(pl.Int64) / 1e6).rename(series.name)
    if isinstance(dtype, pl.Decimal) or dtype in (pl.Int128, pl.UInt128):
        return series.cast(pl.Float64) if isinstance(dtype, pl.Decimal) else _narrow(series)
    if dtype in (pl.Categorical, pl.Enum, pl.Time, pl.Null):
        return series.cast(pl.String)
    if not _is_plain(dtype):
        return from_values(series.name, series.to_list())
    return without_offset_zone(series)


def _is_plain(dtype: pl.DataType) -> bool:
    return dtype.is_integer() or dtype in (pl.String, pl.Boolean, pl.Date) or isinstance(dtype, pl.Datetime)


def _narrow(series: pl.Series) -> pl.Series:
    narrow = series.cast(pl.Int64, strict=False)
    return narrow if narrow.null_count() == series.null_count() else series.cast(pl.String)


_DTYPES: tuple[tuple[set[type], pl.DataType], ...] = (
    (set(), pl.String()),
    ({bool}, pl.Boolean()),
    ({int}, pl.Int64()),
    ({int, float}, pl.Float64()),
    ({str}, pl.String()),
)


def _fit(value: Any, dtype: pl.DataType) -> Any:
    if value is None:
        return None
    if dtype == pl.Float64:
        return float(value)
    return value


def _plain_value(value: Any) -> Any:
    """Return a value as bool, int, float, str, date or datetime; None where there is none."""
    kind = type(value)
    if kind in (str, int, bool):
        return value
    if kind.__name__ in _NO_VALUE:
        return None
    if isinstance(value, np.generic):
        value = value.item() if not isinstance(value, np.datetime64) else value.astype("datetime64[us]").item()
    if isinstance(value, (float, Decimal)):
        return None if value != value else float(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, datetime):
        return value.to_pydatetime(warn=False) if hasattr(value, "to_pydatetime") else value
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    if isinstance(value, (list, tuple, dict, pl.Series, np.ndarray)):
        return json.dumps(value, ensure_ascii=False, default=_json_value)
    return value if value is None or isinstance(value, (str, int, bool, date)) else str(value)


def _json_value(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else str(value)
